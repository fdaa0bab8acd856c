// What tests of trained networks have in common: weights and images, calibration, scores.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/imagenet_file.hpp>
#include <dlas/systems/observed.hpp>
#include <dlas/systems/quantize.hpp>

#include "../message_of.hpp"
#include "compiled_networks.hpp"

/// All that the program's units compiled and this CPU can run. Each program defines it.
std::vector<const dlas::executable*> networks();

/// The data's folder; empty, with a message, where there is none.
inline std::filesystem::path data() {
    const char* folder = std::getenv("DLAS_DATA");
    if (folder == nullptr || !std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: DLAS_DATA is not the folder of the trained weights");
        return {};
    }
    return folder;
}

inline std::vector<const dlas::executable*> networks_of(std::string_view model, std::string_view plan_prefix) {
    auto codes = networks();
    std::erase_if(codes, [=](const dlas::executable* code) { return code->model != model || !code->plan.starts_with(plan_prefix); });
    return codes;
}

/// Without the data, or AVX2, for which the float networks are compiled.
inline bool skipped() {
    if (data().empty()) return true;
    for (const dlas::executable* code : networks())
        if (code->plan == dlas::observed<dlas::avx2>::name) return false;
    MESSAGE("skipped: this CPU lacks AVX2");
    return true;
}

template <class Model>
dlas::safetensors trained_weights(const std::string& name) {
    return dlas::safetensors::read(data() / "weights" / (name + ".safetensors"));
}

/// The float network whose steps can be looked at.
template <class Model>
const dlas::executable& observed_network() {
    return *networks_of(Model::name, "f32/dense/observed").at(0);
}

/// Gives images from `first` on to a network; each until the next.
template <class Model>
auto preprocessed(const dlas::labeled_images& images, int first) {
    return [&images, first, input = std::vector<float>(static_cast<std::size_t>(Model::input.elements()))](int i) mutable {
        dlas::apply(Model::preprocessing, images[first + i], input);
        return std::span<const float>(input);
    };
}

/// Quantizes a model by images [first, first + count) of a set.
template <class Model>
dlas::safetensors quantized(const dlas::executable& code, const dlas::safetensors& weights, const dlas::labeled_images& images, int first, int count,
                            const dlas::quantize_options& options = {}) {
    return dlas::quantize(code, observed_network<Model>(), weights, count, preprocessed<Model>(images, first), options);
}

struct score {
    int correct = 0;
    int agreeing = 0;  ///< with the float network
    int total = 0;
};

/// Scores images [first, first + count).
template <class Model>
void add_score(score& s, const dlas::executable& code, const dlas::safetensors& integers, const dlas::safetensors& weights,
               const dlas::labeled_images& images, int first, int count) {
    dlas::host_network network(code, integers), floats(observed_network<Model>(), weights);
    auto image = preprocessed<Model>(images, first);
    for (int i = 0; i < count; ++i) {
        const auto input = image(i);
        fill_with_garbage(network);
        const int guess = dlas::argmax(network(input));
        s.correct += guess == images.labels[static_cast<std::size_t>(first + i)];
        s.agreeing += guess == dlas::argmax(floats(input));
        ++s.total;
    }
}

inline const dlas::labeled_images& cifar10_test() {
    static const auto images = dlas::read_cifar10(data() / "data" / "cifar10_test_dev1000.bin");
    return images;
}
inline const dlas::labeled_images& cifar10_calibration() {
    static const auto images = dlas::read_cifar10(data() / "data" / "cifar10_train_calib500.bin");
    return images;
}
inline const dlas::labeled_images& imagenet_validation() {
    static const auto images = dlas::read_imagenet(data() / "data" / "imagenet_val100_224_rgb_u8.bin");
    return images;
}
