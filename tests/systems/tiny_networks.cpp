// Integer networks of other makers: the same logits, bit for bit, on every target, as TensorFlow Lite's reference arithmetic has.
#include "tiny_networks.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/imagenet_file.hpp>
#include <dlas/datasets/speech_commands_file.hpp>
#include <dlas/hardware/targets.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/tflite.hpp>

#include "compiled_networks.hpp"
#include "tflite_reference.hpp"

template <>
std::array<const dlas::executable*, 4> tiny_networks<dlas::cortex_m4>() {
    return compile_tiny_networks<dlas::cortex_m4>();
}
template <>
std::array<const dlas::executable*, 4> tiny_networks<dlas::cortex_m55>() {
    return compile_tiny_networks<dlas::cortex_m55>();
}

namespace {

std::filesystem::path data() { return std::getenv("DLAS_DATA"); }

template <class... Targets>
std::vector<std::array<const dlas::executable*, 4>> compiled(dlas::policy_list<Targets...>) {
    return {tiny_networks<Targets>()...};
}

using image_function = std::function<std::vector<std::int8_t>(int)>;

std::vector<std::int8_t> as_integers(std::span<const std::uint8_t> pixels) {
    std::vector<std::int8_t> image;
    for (const std::uint8_t pixel : pixels) image.push_back(static_cast<std::int8_t>(pixel - 128));
    return image;
}

/// Every second pixel of the middle 192 x 192.
std::vector<std::int8_t> shrunk(std::span<const std::uint8_t> pixels) {
    std::vector<std::int8_t> image;
    for (int row = 0; row < 96; ++row)
        for (int column = 0; column < 96; ++column)
            for (int channel = 0; channel < 3; ++channel)
                image.push_back(
                    static_cast<std::int8_t>(pixels[static_cast<std::size_t>(((16 + 2 * row) * 224 + 16 + 2 * column) * 3 + channel)] - 128));
    return image;
}

/// One network on every target that this CPU has, against the reference.
void check(std::size_t network, const char* name, int images, const image_function& image) {
    const dlas::tflite_file file = dlas::tflite_file::read(data() / "weights" / name);
    tflite_reference::interpreter reference(file);
    std::vector<std::vector<std::int8_t>> inputs, expected;
    for (int i = 0; i < images; ++i) {
        inputs.push_back(image(i));
        const auto logits = reference.run(inputs.back());
        expected.emplace_back(logits.begin(), logits.end());
    }
    for (const auto& codes : compiled(dlas::policy_list<DLAS_UNIT_TARGETS, dlas::cortex_m4, dlas::cortex_m55>{})) {
        const dlas::executable& code = *codes[network];
        CAPTURE(code.plan);
        if (!code.available() || (network == 3 && codes[3] == codes[2])) continue;
        dlas::host_network host(code, dlas::import_tflite(code, file));
        for (int i = 0; i < images; ++i) {
            CAPTURE(i);
            const auto index = static_cast<std::size_t>(i);
            CHECK(std::ranges::equal(host(std::span<const std::int8_t>(inputs[index])), expected[index]));
        }
    }
}

}  // namespace

TEST_CASE("image classification") {
    const dlas::labeled_images images = dlas::read_cifar10(data() / "data" / "cifar10_test_dev1000.bin");
    check(0, "pretrainedResnet_quant.tflite", 20, [&](int i) { return as_integers(images[i]); });

    const dlas::executable& code = *tiny_networks<dlas::scalar>()[0];
    dlas::host_network host(code, dlas::import_tflite(code, dlas::tflite_file::read(data() / "weights" / "pretrainedResnet_quant.tflite")));
    const int count = images.count();
    int correct = 0;
    for (int i = 0; i < count; ++i)
        correct += dlas::argmax(host(std::span<const std::int8_t>(as_integers(images[i])))) == images.labels[static_cast<std::size_t>(i)];
    MESSAGE("top-1 of the integer code: ", correct, " of ", count);
    CHECK(correct >= 858);
}

TEST_CASE("keyword spotting") {
    const dlas::labeled_images features = dlas::read_speech_commands(data() / "data" / "kws01_dev500.bin");
    check(1, "kws_ref_model.tflite", 60, [&](int i) { return as_integers(features[i]); });
}

TEST_CASE("visual wake words") {
    const dlas::labeled_images images = dlas::read_imagenet(data() / "data" / "imagenet_val100_224_rgb_u8.bin");
    for (const std::size_t network : {2u, 3u}) check(network, "vww_96_int8.tflite", 20, [&](int i) { return shrunk(images[i]); });
}

TEST_CASE("rows that stream need a part of the memory") {
    const auto codes = tiny_networks<dlas::cortex_m4>();
    CHECK(codes[3]->arena_bytes * 100 < codes[2]->arena_bytes * 60);
    CHECK(codes[3]->weight_bytes == codes[2]->weight_bytes);
}
