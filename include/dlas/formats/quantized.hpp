// Integers in place of real numbers: weights with a scale for each output channel, feature maps with a scale and a zero point each.
// Data Formats. What the integers are is found in optimizations/quantization.hpp.
#pragma once

#include <string_view>

#include <dlas/core/element.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>
#include <dlas/core/scaling.hpp>
#include <dlas/core/text.hpp>
#include <dlas/formats/any.hpp>

namespace dlas {

/// Weights of WeightBits, 2 to 8, symmetric (in memory 2, 4 or 8 each), feature maps of ActivationBits, affine of 8, symmetric of 16. Sums are
/// 32-bit integers; every target computes the same bits. With maps of 16 bits weights are kept so small that sums fit
/// (optimizations/quantization.hpp).
/// With real scaling depthwise layers, which have few weights, store them as floats. With fixed-point scaling (see algorithms/line_buffer.hpp)
/// feature maps are signed bytes, and where all layers have it, so are a network's input and output.
template <int WeightBits, int ActivationBits, scaling Scaling = scaling::real>
struct quantized {
    static constexpr policy_kind kind = policy_kind::format;
    static constexpr int weight_bits = WeightBits;
    static constexpr int activation_bits = ActivationBits;
    static constexpr bool fixed_point = Scaling != scaling::real;
    static constexpr auto name_text = [] {
        text<24> spelled("w");
        spelled.append(WeightBits);
        spelled.append("a");
        spelled.append(ActivationBits);
        spelled.append(Scaling == scaling::real          ? ""
                       : Scaling == scaling::fixed_once  ? "_fixed"
                       : Scaling == scaling::fixed_twice ? "_tflite"
                                                         : "_power_of_two");
        return spelled;
    }();
    static constexpr std::string_view name = name_text.view();

    /// What feature maps are stored as.
    template <class Target>
    static constexpr element activations = ActivationBits == 16 ? element::s16 : fixed_point ? element::s8 : Target::quantized_element;

    /// Why there is no kernel for a layer; `Algorithm` is the one that would run it.
    template <class Algorithm>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        const bool bytes = ActivationBits == 8 && WeightBits >= 2 && WeightBits <= 8;
        if (!bytes && (ActivationBits != 16 || WeightBits != 8 || fixed_point))
            return "format: of quantized<W, A> there are kernels for W = 2 to 8 with A = 8, and for W = 8 with A = 16 and real scaling";
        if (fixed_point ? !fixed_point_algorithm<Algorithm> : !any_format_algorithm<Algorithm> && !(ActivationBits == 8 && byte_algorithm<Algorithm>))
            return fixed_point ? fixed_point_refusal : any_format_refusal;
        const std::int64_t terms = std::int64_t{layer.group_in()} * layer.kernel.area();
        if (bytes && terms * 255 * (1 << (WeightBits - 1)) >= 1 << 30) return "format: so many terms of integers may overflow a 32-bit sum";
        if (bytes && !fixed_point && layer.depthwise() && terms * 255 * (1 << (WeightBits - 1)) >= 1 << 24)
            return "format: a depthwise window of integers is too large for exact sums";
        if (layer.gated || layer.activation == activation::silu || layer.activation == activation::sigmoid)
            return "format: gates, SiLU and sigmoids have no kernels for integers";
        return {};
    }
};

/// Eight bits each; seven, four for weights; weights of -1, 0 and 1 times a scale. Seven take a byte, too, but two products of them fit 16 bits:
/// that is the faster format on SSE4.2, AVX2 and AVX-512 without VNNI.
using int8 = quantized<8, 8>;
using int7 = quantized<7, 8>;
using int4 = quantized<4, 8>;
using ternary = quantized<2, 8>;
/// Sixteen bits for feature maps: for networks whose maps eight bits are too few for.
using int8_int16 = quantized<8, 16>;
/// The same without floats, for targets that have none; and as TensorFlow Lite rounds, for networks that it quantized.
using int8_fixed = quantized<8, 8, scaling::fixed_once>;
using int4_fixed = quantized<4, 8, scaling::fixed_once>;
using int8_tflite = quantized<8, 8, scaling::fixed_twice>;
/// And by shifts alone, for cores on which a product of 64 bits takes long (Cortex-M0): all scales are powers of two, which costs some accuracy.
using int8_power_of_two = quantized<8, 8, scaling::power_of_two>;
using int4_power_of_two = quantized<4, 8, scaling::power_of_two>;

/// The scaling of a format's sums; real where it has none.
template <class Format>
inline constexpr scaling scaling_of = scaling::real;
template <int WeightBits, int ActivationBits, scaling Scaling>
inline constexpr scaling scaling_of<quantized<WeightBits, ActivationBits, Scaling>> = Scaling;

}  // namespace dlas
