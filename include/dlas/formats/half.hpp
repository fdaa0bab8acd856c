// Sixteen bits in memory, arithmetic in floats or in part in halves. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/element.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>
#include <dlas/formats/any.hpp>

namespace dlas {

/// Weights and feature maps as elements of 16 or 32 bits; sums are floats, those of 32 products of f16 halves where Target::f16_sums. Depthwise layers, which have few, keep their weights as floats.
template <element Weights, element Activations>
struct half_format {
    static constexpr policy_kind kind = policy_kind::format;
    static constexpr element weights = Weights;

    template <class Target>
    static constexpr element activations = Activations;

    template <class Algorithm>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        return float_sums_refusal<Algorithm>(layer);
    }
};

/// IEEE half precision: 11 bits of precision, up to 65504. What lies beyond becomes infinite; where Target::f16_sums so do products.
struct f16 : half_format<element::f16, element::f16> {
    static constexpr std::string_view name = "f16";
};
/// The upper half of a float: 8 bits of precision, the range of a float.
struct bf16 : half_format<element::bf16, element::bf16> {
    static constexpr std::string_view name = "bf16";
};
/// Weights alone have half the bytes: for layers that wait for their weights.
struct weights_f16 : half_format<element::f16, element::f32> {
    static constexpr std::string_view name = "weights_f16";
};
struct weights_bf16 : half_format<element::bf16, element::f32> {
    static constexpr std::string_view name = "weights_bf16";
};

/// The formats whose sums are floats but whose weights are not.
template <class Format>
concept half_weights = requires { Format::weights; };

}  // namespace dlas
