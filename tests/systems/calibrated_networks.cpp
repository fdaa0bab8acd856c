// What quantize() makes of trained networks: a scale for each channel or for each layer, weights equalized or not, rounded one by one or together.
// Scales are found with other images than those that are scored.
#include <dlas/systems/observed.hpp>

#include "calibrated_networks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <dlas/systems/equalize.hpp>

#include "scored_networks.hpp"

std::vector<const dlas::executable*> networks() { return available_networks<calibrated_networks, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>(); }

namespace {

using resnet20 = calibrated_networks::resnet20;
using mobilenet_v1 = calibrated_networks::mobilenet_v1;
using mobilenet_v2 = calibrated_networks::mobilenet_v2;

/// How integers are found.
struct recipe {
    bool equalizes = false;
    dlas::weight_scales weights = dlas::weight_scales::per_channel;
    dlas::weight_rounding rounding = dlas::weight_rounding::together;

    dlas::quantize_options options() const { return {.weights = weights, .rounding = rounding}; }
};
constexpr recipe usual;
constexpr recipe nearest = {.rounding = dlas::weight_rounding::nearest};
constexpr recipe one_scale = {.weights = dlas::weight_scales::per_tensor};
constexpr recipe one_scale_nearest = {.weights = dlas::weight_scales::per_tensor, .rounding = dlas::weight_rounding::nearest};
constexpr recipe one_scale_equalized = {.equalizes = true, .weights = dlas::weight_scales::per_tensor};
constexpr recipe one_scale_equalized_nearest = {true, dlas::weight_scales::per_tensor, dlas::weight_rounding::nearest};

/// Equalizes a model's weights by images [first, first + count) of a set.
template <class Model>
dlas::safetensors equalized(const dlas::safetensors& weights, const dlas::labeled_images& images, int first, int count) {
    return dlas::equalize(observed_network<Model>(), weights, count, preprocessed<Model>(images, first));
}

/// Whether images [0, count) have the same logits, bit for bit, by other weights.
template <class Model>
void check_same_logits(const dlas::safetensors& weights, const dlas::safetensors& others, const dlas::labeled_images& images, int count) {
    CHECK(std::ranges::any_of(weights.tensors(), [&](const auto& t) { return !std::ranges::equal(t.bytes, others.find(t.name)->bytes); }));
    dlas::host_network network(observed_network<Model>(), weights), other(observed_network<Model>(), others);
    auto image = preprocessed<Model>(images, 0);
    for (int i = 0; i < count; ++i) {
        CAPTURE(i);
        const auto input = image(i);
        const auto wanted = network(input), found = other(input);
        CHECK(std::memcmp(wanted.data(), found.data(), wanted.size_bytes()) == 0);
    }
}

/// Integers from images [first, first + count) of a set.
template <class Model>
dlas::safetensors made(const recipe& how, const dlas::executable& code, const dlas::safetensors& weights, const dlas::labeled_images& images,
                       int first, int count) {
    if (!how.equalizes) return quantized<Model>(code, weights, images, first, count, how.options());
    return quantized<Model>(code, equalized<Model>(weights, images, first, count), images, first, count, how.options());
}

int report(const recipe& how, const dlas::executable& code, const score& s) {
    MESSAGE(label_of(code), ", ", dlas::weight_scales_name(how.weights), std::string(how.equalizes ? ", equalized, " : ", "),
            dlas::weight_rounding_name(how.rounding), ": ", s.correct, " of ", s.total, " right, ", s.agreeing, " as in floats");
    return s.correct;
}

/// How many of CIFAR-10's 1000 images ResNet-20 gets right.
int right_of_resnet20(const char* plan, const recipe& how) {
    const dlas::executable& code = *networks_of(resnet20::name, plan).at(0);
    const auto weights = trained_weights<resnet20>("cifar10_resnet20");
    score s;
    add_score<resnet20>(s, code, made<resnet20>(how, code, weights, cifar10_calibration(), 0, 500), weights, cifar10_test(), 0,
                        1000);
    return report(how, code, s);
}

/// How many of 100 images of ImageNet, each half scored by a network that was calibrated on the other.
template <class Model>
int right_of_imagenet(const std::string& name, const char* plan, const recipe& how) {
    const dlas::executable& code = *networks_of(Model::name, plan).at(0);
    const auto weights = trained_weights<Model>(name);
    const auto& images = imagenet_validation();
    const int half = 50;
    score s;
    for (const int first : {0, half})
        add_score<Model>(s, code, made<Model>(how, code, weights, images, half - first, half), weights, images, first, half);
    return report(how, code, s);
}
int right_of_mobilenet_v1(const char* plan, const recipe& how) { return right_of_imagenet<mobilenet_v1>("imagenet_mobilenetv1_0.25", plan, how); }
int right_of_mobilenet_v2(const char* plan, const recipe& how) { return right_of_imagenet<mobilenet_v2>("imagenet_mobilenetv2_1.0", plan, how); }

}  // namespace

TEST_CASE("equalize: the same logits in floats") {
    if (skipped()) return;
    // ReLU takes any image; ReLU6 promises those whose channels reach no further than what was observed.
    const auto resnet = trained_weights<resnet20>("cifar10_resnet20"), mobilenet = trained_weights<mobilenet_v1>("imagenet_mobilenetv1_0.25");
    const int few = 50;
    check_same_logits<resnet20>(resnet, equalized<resnet20>(resnet, cifar10_calibration(), 0, few), cifar10_test(), few);
    check_same_logits<mobilenet_v1>(mobilenet, equalized<mobilenet_v1>(mobilenet, imagenet_validation(), 0, few / 2), imagenet_validation(), few / 2);
}

TEST_CASE("accuracy: one scale for all weights of a layer") {
    if (skipped()) return;
    const int resnet20 = right_of_resnet20("w8a8/", one_scale), equalized_resnet20 = right_of_resnet20("w8a8/", one_scale_equalized);
    const int mobilenet = right_of_mobilenet_v1("w8a8/", one_scale), nearest_mobilenet = right_of_mobilenet_v1("w8a8/", one_scale_nearest);
    const int equalized_mobilenet = right_of_mobilenet_v1("w8a8/", one_scale_equalized);
    const int nearest_equalized_mobilenet = right_of_mobilenet_v1("w8a8/", one_scale_equalized_nearest);
    CHECK(resnet20 >= 909);
    CHECK(equalized_resnet20 >= 909);
    // Channels of depthwise layers differ by orders of magnitude: one scale rounds most of them to nothing.
    CHECK(nearest_mobilenet <= 20);
    CHECK(mobilenet >= 35);
    CHECK(nearest_equalized_mobilenet >= 54);
    CHECK(equalized_mobilenet >= 62);
}

TEST_CASE("accuracy: weights of four bits, rounded one by one and together") {
    if (skipped()) return;
    const int resnet20 = right_of_resnet20("w4a8/", usual), nearest_resnet20 = right_of_resnet20("w4a8/", nearest);
    const int mobilenet_v1 = right_of_mobilenet_v1("w4a8/", usual), nearest_mobilenet_v1 = right_of_mobilenet_v1("w4a8/", nearest);
    const int mobilenet_v2 = right_of_mobilenet_v2("w4a8/", usual), nearest_mobilenet_v2 = right_of_mobilenet_v2("w4a8/", nearest);
    CHECK(resnet20 >= 909);
    CHECK(resnet20 > nearest_resnet20);
    CHECK(mobilenet_v1 >= 51);
    CHECK(mobilenet_v1 >= nearest_mobilenet_v1 + 20);
    CHECK(mobilenet_v2 >= 77);
    CHECK(mobilenet_v2 > nearest_mobilenet_v2);
}

TEST_CASE("quantize: one scale stands for each channel in the file") {
    if (skipped()) return;
    const dlas::executable& code = *networks_of(resnet20::name, "w8a8/").at(0);
    const auto weights = trained_weights<resnet20>("cifar10_resnet20");
    const auto each = quantized<resnet20>(code, weights, cifar10_calibration(), 0, 1);
    const auto one = quantized<resnet20>(code, weights, cifar10_calibration(), 0, 1, one_scale.options());
    CHECK(*each.find_metadata("weight_scales") == "per_channel");
    CHECK(*one.find_metadata("weight_scales") == "per_tensor");
    CHECK(*one.find_metadata("rounding") == "together");
    for (const auto& tensor : each.tensors()) {
        const auto* other = one.find(tensor.name);
        CAPTURE(tensor.name);
        REQUIRE(other != nullptr);
        CHECK(other->shape == tensor.shape);
        if (tensor.name.starts_with("maps.") || !tensor.name.ends_with(".scale")) continue;
        CHECK(std::ranges::count(other->f32(), other->f32()[0]) == other->shape[0]);
        CHECK(other->f32()[0] == *std::ranges::max_element(tensor.f32()));
    }
}
