// Made-up weights for measurements where no trained ones are at hand. Explore; hosted.
#pragma once

#include <cmath>
#include <vector>

#include <dlas/systems/executable.hpp>

namespace dlas {

/// Numbers of zero mean, the same for the same seed.
class seeded_numbers {
public:
    explicit seeded_numbers(std::uint32_t seed) : state_(seed) {}
    float operator()() {  // -1 to 1
        state_ = state_ * 1664525u + 1013904223u;
        return static_cast<float>(state_ >> 8) * (2.0f / 16777216.0f) - 1.0f;
    }

private:
    std::uint32_t state_;
};

/// Packs one step's weights. Their size keeps activations alive through deep networks (He et al., 2015), so that no layer runs on
/// zeros, infinities or denormals.
inline void pack_seeded_weights(const executable_step& step, float* to, seeded_numbers& number) {
    if (step.kind == step_kind::conv2d) {
        std::vector<float> filter(static_cast<std::size_t>(step.conv.filter_elements()));
        const std::vector<float> bias(static_cast<std::size_t>(step.conv.channels), 0.01f);
        const float scale = std::sqrt(6.0f / static_cast<float>(step.conv.filter_elements() / step.conv.channels));
        for (float& weight : filter) weight = number() * scale;
        step.pack(filter.data(), bias.data(), to);
    } else if (step.kind == step_kind::affine) {
        for (int channel = 0; channel < step.channels; ++channel) {
            to[channel] = 1.0f;
            to[step.channels + channel] = 0.01f;
        }
    }
}

/// The same for a whole network; `packed` holds code.weight_bytes.
inline void pack_seeded_weights(const executable& code, std::byte* packed, std::uint32_t seed = 1) {
    seeded_numbers number(seed);
    for (const executable_step& step : code.steps) pack_seeded_weights(step, reinterpret_cast<float*>(packed + step.weights), number);
}

}  // namespace dlas
