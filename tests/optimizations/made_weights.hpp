// Weight files of integers that the tests make channel by channel.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/safetensors.hpp>

inline int whole_number(dlas::seeded_numbers& random, int low, int high) { return static_cast<int>(std::floor(random.between(low, high + 1))); }

struct made_layer {
    std::vector<std::int64_t> shape;
    int inputs = 0;  ///< of a group
    int area = 0;
    std::vector<std::int8_t> weights;
    std::vector<std::int32_t> biases;
    std::vector<float> scales;

    std::span<std::int8_t> of(int channel, int input) {
        return std::span(weights).subspan(static_cast<std::size_t>((channel * inputs + input) * area), static_cast<std::size_t>(area));
    }
    std::int32_t& bias(int channel) { return biases[static_cast<std::size_t>(channel)]; }
    int channels() const { return static_cast<int>(biases.size()); }

    /// No channel reads input `input`.
    void ignore(int input) {
        for (int channel = 0; channel < channels(); ++channel)
            for (std::int8_t& w : of(channel, input)) w = 0;
    }
    /// The channel is at its lowest, or highest, whatever it reads.
    void sink(int channel) { bias(channel) = -1000000; }
    void lift(int channel) { bias(channel) = 1000000; }
};

struct made_weights {
    const dlas::executable* code;
    std::vector<float> scales;
    std::vector<std::int32_t> zeros;
    std::map<std::string, made_layer, std::less<>> layers;

    made_layer& operator[](const char* layer) { return layers.at(layer); }

    dlas::safetensors file() const {
        const std::int64_t maps = code->maps;
        std::vector<dlas::safetensors::tensor> tensors = {{"maps.scale", "F32", {maps}, std::as_bytes(std::span(scales))},
                                                          {"maps.zero", "I32", {maps}, std::as_bytes(std::span(zeros))}};
        static constexpr float sum_scale = 0.125f;
        static constexpr std::int32_t sum_zero = -5;
        for (const auto& [name, layer] : layers) {
            const auto channels = static_cast<std::int64_t>(layer.biases.size());
            tensors.push_back({name + ".weight", "I8", layer.shape, std::as_bytes(std::span(layer.weights))});
            tensors.push_back({name + ".bias", "I32", {channels}, std::as_bytes(std::span(layer.biases))});
            tensors.push_back({name + ".scale", "F32", {channels}, std::as_bytes(std::span(layer.scales))});
        }
        for (const dlas::executable_step& step : code->steps)
            if (step.scales_result) {
                tensors.push_back({std::string(step.layer) + ".sum.scale", "F32", {1}, std::as_bytes(std::span(&sum_scale, 1))});
                tensors.push_back({std::string(step.layer) + ".sum.zero", "I32", {1}, std::as_bytes(std::span(&sum_zero, 1))});
            }
        return dlas::safetensors::parse(dlas::safetensors::serialize({}, tensors), "made");
    }
};

/// Weights under which feature maps are neither constant nor saturated, as far as chance goes.
inline made_weights lively_weights(const dlas::executable& code, std::uint64_t seed) {
    dlas::seeded_numbers random(seed);
    made_weights made = {&code, {}, {}, {}};
    const bool shifts = code.scaling == dlas::scaling::power_of_two;
    auto scale = [&](double low, double high) {
        const double real = random.between(low, high);
        return static_cast<float>(shifts ? std::exp2(std::round(std::log2(real))) : real);
    };
    for (int map = 0; map < code.maps; ++map) {
        made.scales.push_back(scale(0.09, 0.11));
        made.zeros.push_back(whole_number(random, -30, 10));
    }
    for (const dlas::executable_step& step : code.steps) {
        if (step.kind != dlas::step_kind::conv2d) continue;
        const dlas::conv2d_layer& c = step.conv;
        made_layer& layer = made.layers[std::string(step.layer)];
        layer.shape = dlas::packing::filter_shape(step);
        layer.inputs = c.group_in();
        layer.area = c.kernel.area();
        layer.weights.resize(static_cast<std::size_t>(c.filter_elements()));
        for (std::int8_t& w : layer.weights) w = static_cast<std::int8_t>(whole_number(random, -127, 127) | 1);
        for (int channel = 0; channel < c.channels; ++channel) {
            layer.biases.push_back(whole_number(random, -1000, 1000));
            const double largest = 1 / (40 * std::sqrt(double(layer.inputs * layer.area)));
            layer.scales.push_back(scale(0.5 * largest, largest));
        }
    }
    return made;
}

inline std::vector<std::int8_t> random_image(const dlas::executable& code, dlas::seeded_numbers& random) {
    std::vector<std::int8_t> image(static_cast<std::size_t>(code.input.elements()));
    const int low = whole_number(random, -128, 127), high = whole_number(random, low, 127);
    for (std::int8_t& x : image) x = static_cast<std::int8_t>(whole_number(random, low, high));
    return image;
}
