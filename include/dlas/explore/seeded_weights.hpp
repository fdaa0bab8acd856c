// Made-up weights for measurements where no trained ones are at hand. Explore; hosted.
#pragma once

#include <cmath>
#include <vector>

#include <dlas/systems/executable.hpp>

namespace dlas {

/// Packs seeded weights of zero mean whose size keeps activations alive through deep networks (He et al., 2015), so that
/// no layer runs on zeros, infinities or denormals. `packed` holds code.weight_bytes.
inline void pack_seeded_weights(const executable& code, std::byte* packed, std::uint32_t seed = 1) {
    std::uint32_t state = seed;
    auto uniform = [&state] {  // -1 to 1
        state = state * 1664525u + 1013904223u;
        return static_cast<float>(state >> 8) * (2.0f / 16777216.0f) - 1.0f;
    };
    std::vector<float> filter, bias;
    for (const executable_step& step : code.steps) {
        float* to = reinterpret_cast<float*>(packed + step.weights);
        if (step.kind == step_kind::conv2d) {
            filter.resize(static_cast<std::size_t>(step.conv.filter_elements()));
            bias.assign(static_cast<std::size_t>(step.conv.channels), 0.01f);
            const float scale = std::sqrt(6.0f / static_cast<float>(step.conv.filter_elements() / step.conv.channels));
            for (float& weight : filter) weight = uniform() * scale;
            step.pack(filter.data(), bias.data(), to);
        } else if (step.kind == step_kind::affine) {
            for (int channel = 0; channel < step.channels; ++channel) {
                to[channel] = 1.0f;
                to[step.channels + channel] = 0.01f;
            }
        }
    }
}

}  // namespace dlas
