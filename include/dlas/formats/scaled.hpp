// Weights of few bits with scales, everything else in floats: for layers that wait for their weights. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/element.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>
#include <dlas/core/text.hpp>
#include <dlas/formats/any.hpp>

namespace dlas {

/// Weights of `Bits` bits. Each output channel has a scale for every `Group` neighbouring terms of its sum, and at least one for each row
/// of the window; a group of 0 is as long as can be. Depthwise layers, which have few weights, keep them as floats.
/// Nothing has to be calibrated: scales are found when weights are packed.
template <int Bits, int Group = 0>
struct scaled_weights {
    static_assert(Bits == 8 || Bits == 4, "[dlas] scaled_weights<Bits, Group>: there are kernels for 8 and 4 bits");
    static_assert(Group >= 0 && Group % 2 == 0, "[dlas] scaled_weights<Bits, Group>: a group has an even number of terms; 0: a row of the window");
    static constexpr policy_kind kind = policy_kind::format;
    static constexpr int scaled_bits = Bits;
    static constexpr int group = Group;
    static constexpr auto name_text = [] {
        text<32> spelled("weights_int");
        spelled.append(Bits);
        if (Group > 0) {
            spelled.append("g");
            spelled.append(Group);
        }
        return spelled;
    }();
    static constexpr std::string_view name = name_text.view();

    template <class Target>
    static constexpr element activations = element::f32;

    template <class Algorithm>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        return float_sums_refusal<Algorithm>(layer);
    }
};

using weights_int8 = scaled_weights<8>;
using weights_int4 = scaled_weights<4, 32>;

/// The formats whose weights have scales and whose arithmetic is that of floats.
template <class Format> concept scaled_format = requires { Format::scaled_bits; };

}  // namespace dlas
