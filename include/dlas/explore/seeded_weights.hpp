// Made-up weights for measurements where no trained ones are at hand. Explore; hosted.
#pragma once

#include <cmath>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>
#include <dlas/systems/executable.hpp>

namespace dlas {

/// Packs one step's weights. Their size keeps activations alive through deep networks (He et al., 2015), so that no layer runs on
/// zeros, infinities or denormals.
inline void pack_seeded_weights(const executable_step& step, float* to, seeded_numbers& numbers) {
    if (step.pack_quantized != nullptr) {
        const auto channels = static_cast<std::size_t>(step.conv.channels);
        std::vector<std::int8_t> filter(step.kind == step_kind::conv2d ? static_cast<std::size_t>(step.conv.filter_elements()) : 0);
        const std::vector<std::int32_t> bias(channels, 100);
        const std::vector<float> scales(channels, 0.1f / std::sqrt(static_cast<float>(filter.size() / channels + 1)));
        for (std::int8_t& weight : filter) weight = static_cast<std::int8_t>(std::floor(numbers.between(-1, 2)));  // -1 to 1: of as many bits as any format has
        step.pack_quantized({filter.data(), bias.data(), scales.data(), {0.02f, 0}, {0.02f, 0}, {0.02f, 0}}, to);
    } else if (step.kind == step_kind::conv2d) {
        std::vector<float> filter(static_cast<std::size_t>(step.conv.filter_elements()));
        const std::vector<float> bias(static_cast<std::size_t>(step.conv.channels), 0.01f);
        const double deviation = std::sqrt(2.0 * step.conv.channels / static_cast<double>(step.conv.filter_elements()));
        for (float& weight : filter) weight = static_cast<float>(numbers.centered(deviation));
        step.pack(filter.data(), bias.data(), to);
    } else if (step.kind == step_kind::affine) {
        for (int channel = 0; channel < step.channels; ++channel) {
            to[channel] = 1.0f;
            to[step.channels + channel] = 0.01f;
        }
    }
}

/// The same for a whole network; `packed` holds code.weight_bytes.
inline void pack_seeded_weights(const executable& code, std::byte* packed, std::uint64_t seed = 1) {
    seeded_numbers numbers(seed);
    for (const executable_step& step : code.steps) pack_seeded_weights(step, reinterpret_cast<float*>(packed + step.weights), numbers);
}

}  // namespace dlas
