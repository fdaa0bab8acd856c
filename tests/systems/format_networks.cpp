// Trained networks in formats other than f32. Integers: the accuracy on images other than those that their scales were found with, and the
// same bits on every target. Halves: the accuracy of floats, give or take an image.
#include <dlas/systems/observed.hpp>

#include "format_networks.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "scored_networks.hpp"

std::vector<const dlas::executable*> networks() { return available_networks<format_networks, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>(); }

namespace {

template <class Model>
void check_cifar10(const std::string& name, const char* plan, int at_least, const dlas::quantize_options& options = {}) {
    const dlas::executable& code = *networks_of(Model::name, plan).back();  // the fastest; all have the same bits
    const auto weights = trained_weights<Model>(name);
    const int calibrating = 500, scored = 1000;
    const auto integers = quantized<Model>(code, weights, cifar10_calibration(), 0, calibrating, options);
    score s;
    add_score<Model>(s, code, integers, weights, cifar10_test(), 0, scored);
    MESSAGE(label_of(code), ": ", s.correct, " of ", s.total, " right, ", s.agreeing, " as in floats, ", code.weight_bytes, " bytes of weights");
    CHECK(s.correct >= at_least);
}

/// Each half of the images is scored by a network that was calibrated on the other half.
template <class Model>
void check_imagenet(const std::string& name, const char* plan, int at_least) {
    const dlas::executable& code = *networks_of(Model::name, plan).back();  // the fastest; all have the same bits
    const auto weights = trained_weights<Model>(name);
    const int half = 50;
    score s;
    for (const int first : {0, half})
        add_score<Model>(s, code, quantized<Model>(code, weights, imagenet_validation(), half - first, half), weights, imagenet_validation(), first, half);
    MESSAGE(label_of(code), ": ", s.correct, " of ", s.total, " right, ", s.agreeing, " as in floats, ", code.weight_bytes, " bytes of weights");
    CHECK(s.correct >= at_least);
}

/// The same file on every target: all bits of all logits.
template <class Model>
void check_same_bits(const std::string& name, const char* plan, const dlas::labeled_images& images) {
    const auto codes = networks_of(Model::name, plan);
    const auto integers = quantized<Model>(*codes.at(0), trained_weights<Model>(name), images, 0, 2);
    std::vector<float> input(static_cast<std::size_t>(Model::input.elements()));
    dlas::apply(Model::preprocessing, images[5], input);
    std::vector<float> expected;
    for (const dlas::executable* code : codes) {
        INFO(label_of(*code));
        dlas::host_network network(*code, integers);
        fill_with_garbage(network);
        const auto logits = network(input);
        if (expected.empty()) expected.assign(logits.begin(), logits.end());
        CHECK(std::memcmp(expected.data(), logits.data(), 4 * expected.size()) == 0);
    }
}

}  // namespace

TEST_CASE("accuracy: CIFAR-10, w8a8") {
    if (skipped()) return;
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w8a8/", 911);
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w8a8+f32/", 911);
    check_cifar10<format_networks::resnet8>("cifar10_resnet8_mlperftiny", "w8a8/", 858);
}
TEST_CASE("accuracy: CIFAR-10, scaled without floats, and without multiplications") {
    if (skipped()) return;
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w8a8_fixed/", 911);
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w8a8_power_of_two/", 911, {.rounding = dlas::weight_rounding::nearest});
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w8a8_power_of_two/", 905);
    // Scales rounded up to powers of two leave bits unused: ranges of least error use them.
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w8a8_power_of_two/", 911, {.ranges = dlas::range_rule::mean_squared_error});
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w4a8_power_of_two/", 898);
}
TEST_CASE("accuracy: CIFAR-10, fewer bits for weights") {
    if (skipped()) return;
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w7a8/", 908);
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w5a8/", 910);
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w4a8/", 908);
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w3a8/", 895);
    // Without training ternary weights lose much; chance is 100.
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w2a8/", 620);
}
TEST_CASE("accuracy: CIFAR-10, one bit for weights and inputs") {
    if (skipped()) return;
    using model = format_networks::resnet20;
    const auto weights = trained_weights<model>("cifar10_resnet20");
    std::vector<float> input(static_cast<std::size_t>(model::input.elements()));
    for (const char* plan : {"w1a1/", "w1a1+f32/"}) {
        const auto codes = networks_of(model::name, plan);
        std::vector<std::vector<float>> expected;
        for (const dlas::executable* code : codes) {
            INFO(label_of(*code));
            dlas::host_network network(*code, weights);
            for (std::size_t i = 0; i < 5; ++i) {
                dlas::apply(model::preprocessing, cifar10_test()[static_cast<int>(i)], input);
                fill_with_garbage(network);
                const auto logits = network(input);
                if (code == codes[0]) expected.emplace_back(logits.begin(), logits.end());
                // Sums of bits are the same everywhere. What targets round in different ways before may be on two sides of a threshold.
                CHECK(largest_difference(logits, expected[i]) <= (code->plan.starts_with("w1a1/") ? 0.0 : 0.1 * largest_magnitude(expected[i])));
            }
            if (code->target != dlas::avx2::name) continue;
            // The weights were trained for floats: of one bit they lose nearly all; chance is 100.
            score s;
            add_score<model>(s, *code, weights, weights, cifar10_test(), 0, 1000);
            MESSAGE(label_of(*code), ": ", s.correct, " of ", s.total, " right, ", s.agreeing, " as in floats, ", code->weight_bytes,
                    " bytes of weights");
        }
    }
}
TEST_CASE("accuracy: ImageNet, w8a8") {
    if (skipped()) return;
    check_imagenet<format_networks::mobilenet_v2>("imagenet_mobilenetv2_1.0", "w8a8/", 82);
    check_imagenet<format_networks::mobilenet_v1>("imagenet_mobilenetv1_0.25", "w8a8/", 65);
    check_imagenet<format_networks::squeezenet>("imagenet_squeezenet1.1", "w8a8/", 69);
}
TEST_CASE("accuracy: w8a16") {
    if (skipped()) return;
    check_cifar10<format_networks::resnet20>("cifar10_resnet20", "w8a16/", 911);
    check_imagenet<format_networks::mobilenet_v1>("imagenet_mobilenetv1_0.25", "w8a16/", 67);
}
namespace {

/// A format whose sums are floats gets as many images right as floats do, give or take `few`.
struct near_floats {
    const char* plan;
    int few;
};
template <class Model>
void check_near_floats(const std::string& name, const dlas::labeled_images& images, std::initializer_list<near_floats> formats) {
    const auto weights = trained_weights<Model>(name);
    const dlas::executable& reference = observed_network<Model>();
    const int count = images.count();
    score floats;
    add_score<Model>(floats, reference, weights, weights, images, 0, count);
    for (const auto& [plan, few] : formats)
        for (const dlas::executable* code : networks_of(Model::name, plan)) {
            score s;
            add_score<Model>(s, *code, weights, weights, images, 0, count);
            MESSAGE(label_of(*code), ": ", s.correct, " of ", s.total, " right, ", floats.correct, " in floats, ", s.agreeing, " as in floats");
            CHECK(std::abs(s.correct - floats.correct) <= few);
        }
}

}  // namespace

TEST_CASE("accuracy: f16 and bf16") {
    if (skipped()) return;
    check_near_floats<format_networks::resnet20>("cifar10_resnet20", cifar10_test(), {{"f16/", 1}, {"bf16/", 1}});
    check_near_floats<format_networks::resnet8>("cifar10_resnet8_mlperftiny", cifar10_test(), {{"f16/", 1}, {"bf16/", 1}});
    check_near_floats<format_networks::mobilenet_v2>("imagenet_mobilenetv2_1.0", imagenet_validation(), {{"f16/", 1}, {"bf16/", 1}});
    check_near_floats<format_networks::mobilenet_v1>("imagenet_mobilenetv1_0.25", imagenet_validation(), {{"f16/", 1}, {"bf16/", 1}});
    check_near_floats<format_networks::squeezenet>("imagenet_squeezenet1.1", imagenet_validation(), {{"f16/", 1}, {"bf16/", 1}});
}
TEST_CASE("accuracy: weights alone of few bits") {
    if (skipped()) return;
    check_near_floats<format_networks::resnet20>("cifar10_resnet20", cifar10_test(), {{"weights_int8/", 5}, {"weights_int4g32/", 20}});
    check_near_floats<format_networks::mobilenet_v2>("imagenet_mobilenetv2_1.0", imagenet_validation(), {{"weights_int8/", 2}});
}
TEST_CASE("logits: integers are the same bits on every target") {
    if (skipped()) return;
    for (const char* plan : {"w8a8/", "w4a8/", "w2a8/", "w8a16/"}) check_same_bits<format_networks::resnet20>("cifar10_resnet20", plan, cifar10_test());
    check_same_bits<format_networks::mobilenet_v1>("imagenet_mobilenetv1_0.25", "w8a8/", imagenet_validation());
    check_same_bits<format_networks::squeezenet>("imagenet_squeezenet1.1", "w8a8/", imagenet_validation());
}

TEST_CASE("quantize: rules of ranges, files and errors") {
    if (skipped()) return;
    using model = format_networks::resnet20;
    const dlas::executable& code = *networks_of(model::name, "w8a8/").back();
    const auto weights = trained_weights<model>("cifar10_resnet20");
    for (const auto rule : {dlas::range_rule::percentile, dlas::range_rule::mean_squared_error})
        for (const bool correct : {false, true}) {
            CAPTURE(correct);
            const auto integers = quantized<model>(code, weights, cifar10_calibration(), 0, 100, {rule, correct});
            CHECK(*integers.find_metadata("ranges") == dlas::range_rule_name(rule));
            score s;
            add_score<model>(s, code, integers, weights, cifar10_test(), 0, 300);
            CHECK(s.agreeing >= 294);
        }
    CHECK(message_of([&] { dlas::host_network(code, weights); }).find("tensor 'maps.scale' is missing") != std::string::npos);
    CHECK(message_of([&] { quantized<model>(code, weights, cifar10_calibration(), 0, 0); }).find("needs at least one calibration image") != std::string::npos);
    // Weights of eight bits do not fit a network of four; scales and zero points are checked.
    const auto integers = quantized<model>(code, weights, cifar10_calibration(), 0, 1);
    const dlas::executable& four = *networks_of(model::name, "w4a8/").at(0);
    CHECK(message_of([&] { dlas::host_network(four, integers); }).find("of tensor 'conv1.weight' is ") != std::string::npos);
    auto with = [&](const char* name, auto value) {
        std::vector<dlas::safetensors::tensor> tensors(integers.tensors().begin(), integers.tensors().end());
        auto& changed = *std::ranges::find(tensors, name, &dlas::safetensors::tensor::name);
        std::vector<std::byte> bytes(changed.bytes.begin(), changed.bytes.end());
        std::memcpy(bytes.data() + 4, &value, sizeof value);
        changed.bytes = bytes;
        return message_of([&] { dlas::host_network(code, dlas::safetensors::parse(dlas::safetensors::serialize({}, tensors), "changed")); });
    };
    CHECK(with("maps.scale", 0.0f).find("element 1 of tensor 'maps.scale' is 0.0") != std::string::npos);
    CHECK(with("maps.zero", 200).find("element 1 of tensor 'maps.zero' is 200, not from -128 to 127") != std::string::npos);
    CHECK(with("conv1.scale", NAN).find("element 1 of tensor 'conv1.scale' is ") != std::string::npos);
    // Of 16 bits zero points are 0, and sums have to fit.
    const dlas::executable& wide = *networks_of(model::name, "w8a16/").at(0);
    CHECK(message_of([&] { dlas::host_network(wide, integers); }).find("of tensor 'maps.zero' is ") != std::string::npos);
    const auto wide_integers = quantized<model>(wide, weights, cifar10_calibration(), 0, 1);
    std::vector<dlas::safetensors::tensor> tensors(wide_integers.tensors().begin(), wide_integers.tensors().end());
    const std::vector<std::byte> most(64 * 64 * 9, std::byte{127});
    std::ranges::find(tensors, "layer3.2.conv2.weight", &dlas::safetensors::tensor::name)->bytes = most;
    CHECK(message_of([&] { dlas::host_network(wide, dlas::safetensors::parse(dlas::safetensors::serialize({}, tensors), "changed")); })
              .find("the sums of channel 0 of 'layer3.2.conv2' may reach ") != std::string::npos);
    const dlas::executable& other = *networks_of(format_networks::resnet8::name, "w8a8/").at(0);
    CHECK(message_of([&] { quantized<model>(other, weights, cifar10_calibration(), 0, 1); }).find("they must be one model") != std::string::npos);
}
