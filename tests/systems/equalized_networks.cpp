// Trained networks whose weights are equalized: the same logits in floats, and what is left of the accuracy where all weights of a layer share
// a scale. Scales are found with other images than those that are scored.
#include <dlas/systems/observed.hpp>

#include "equalized_networks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <dlas/systems/equalize.hpp>

#include "scored_networks.hpp"

std::vector<const dlas::executable*> networks() { return available_networks<equalized_networks, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>(); }

namespace {

using resnet20 = equalized_networks::resnet20;
using mobilenet_v1 = equalized_networks::mobilenet_v1;

const dlas::quantize_options one_scale = {.weights = dlas::weight_scales::per_tensor};

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

struct image_range {
    const dlas::labeled_images& images;
    int first;
    int count;
};
struct split {
    image_range calibration;
    image_range scored;
};

/// How many images are right in all.
template <class Model>
int count_right(const dlas::safetensors& weights, std::initializer_list<split> splits, bool equalizes, const dlas::quantize_options& options) {
    const dlas::executable& code = *networks_of(Model::name, "w8a8/").at(0);
    score s;
    for (const auto& [calibration, scored] : splits) {
        const auto& [images, first, count] = calibration;
        const auto integers = equalizes ? quantized<Model>(code, equalized<Model>(weights, images, first, count), images, first, count, options)
                                        : quantized<Model>(code, weights, images, first, count, options);
        add_score<Model>(s, code, integers, weights, scored.images, scored.first, scored.count);
    }
    MESSAGE(label_of(code), ", ", dlas::weight_scales_name(options.weights), std::string(equalizes ? ", equalized" : ""), ": ", s.correct, " of ",
            s.total, " right, ", s.agreeing, " as in floats");
    return s.correct;
}

}  // namespace

TEST_CASE("equalize: the same logits in floats") {
    if (skipped()) return;
    // ReLU takes any image; ReLU6 promises those whose channels reach no further than what was observed.
    const auto resnet = trained_weights<resnet20>("cifar10_resnet20"), mobilenet = trained_weights<mobilenet_v1>("imagenet_mobilenetv1_0.25");
    const int few = sanitized ? 2 : 50;
    check_same_logits<resnet20>(resnet, equalized<resnet20>(resnet, cifar10_calibration(), 0, few), cifar10_test(), few);
    check_same_logits<mobilenet_v1>(mobilenet, equalized<mobilenet_v1>(mobilenet, imagenet_validation(), 0, few / 2), imagenet_validation(), few / 2);
}

TEST_CASE("accuracy: one scale for all weights of a layer, CIFAR-10") {
    if (skipped()) return;
    const auto weights = trained_weights<resnet20>("cifar10_resnet20");
    const image_range calibration = {cifar10_calibration(), 0, sanitized ? 2 : 500}, scored = {cifar10_test(), 0, sanitized ? 2 : 1000};
    auto right = [&](bool equalizes) { return count_right<resnet20>(weights, {{calibration, scored}}, equalizes, one_scale); };
    const int plain = right(false), equal = right(true);
    if (sanitized) return;
    CHECK(plain >= 909);
    CHECK(equal >= 909);
}

TEST_CASE("accuracy: one scale for all weights of a layer, ImageNet") {
    if (skipped()) return;
    const auto weights = trained_weights<mobilenet_v1>("imagenet_mobilenetv1_0.25");
    const int half = sanitized ? 1 : 50;
    const image_range first = {imagenet_validation(), 0, half}, second = {imagenet_validation(), half, half};
    auto right = [&](bool equalizes, const dlas::quantize_options& options) {
        return count_right<mobilenet_v1>(weights, {{second, first}, {first, second}}, equalizes, options);
    };
    // Channels of depthwise layers differ by orders of magnitude: one scale rounds most of them to nothing.
    const int each = right(false, {}), plain = right(false, one_scale), equal = right(true, one_scale);
    if (sanitized) return;
    CHECK(each >= 67);
    CHECK(plain <= 20);
    CHECK(equal >= 55);
}

TEST_CASE("quantize: one scale stands for each channel in the file") {
    if (skipped()) return;
    const dlas::executable& code = *networks_of(resnet20::name, "w8a8/").at(0);
    const auto weights = trained_weights<resnet20>("cifar10_resnet20");
    const auto each = quantized<resnet20>(code, weights, cifar10_calibration(), 0, 1);
    const auto one = quantized<resnet20>(code, weights, cifar10_calibration(), 0, 1, one_scale);
    CHECK(*each.find_metadata("weight_scales") == "per_channel");
    CHECK(*one.find_metadata("weight_scales") == "per_tensor");
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
