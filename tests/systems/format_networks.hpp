// Trained networks in formats other than f32, and the float networks that they are compared with and, for integers, observed.
#pragma once

#include <type_traits>

#include <dlas/datasets/problems.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>
#include <dlas/systems/stack.hpp>

#include "compiled_networks.hpp"

/// The first and the last layer in floats: their share of the time is small, their rounding shows most.
template <class Format, class Target>
struct float_ends {
    static constexpr auto name_text = [] {
        dlas::text<40> spelled(std::string_view{Format::name});
        spelled.append("+f32/dense/automatic/ends");
        return spelled;
    }();
    static constexpr std::string_view name = name_text.view();
    using target = Target;

    template <dlas::conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.in.channels == 3 || Layer.out().pixels() == 1) return dlas::stack<target>{};
        else return dlas::stack<Format, target>{};
    }
};

struct format_networks {
    using resnet20 = dlas::resnet20<dlas::cifar10>;
    using resnet8 = dlas::resnet8<dlas::cifar10>;
    using mobilenet_v2 = dlas::mobilenet_v2<dlas::imagenet>;
    using mobilenet_v1 = dlas::mobilenet_v1_quarter<dlas::imagenet>;
    using squeezenet = dlas::squeezenet1_1<dlas::imagenet>;

    struct floats {
        template <class Target>
        using plan = dlas::observed<Target>;
    };
    struct integers {
        template <class Target>
        using plan = dlas::stack<dlas::int8, Target>;
    };
    struct four_bits {
        template <class Target>
        using plan = dlas::stack<dlas::int4, Target>;
    };
    template <int Bits>
    struct weights_of {
        template <class Target>
        using plan = dlas::stack<dlas::quantized<Bits, 8>, Target>;
    };
    struct fixed_point {
        template <class Target>
        using plan = dlas::stack<dlas::int8_fixed, Target>;
    };
    struct shifts {
        template <class Target>
        using plan = dlas::stack<dlas::int8_power_of_two, Target>;
    };
    struct four_bits_and_shifts {
        template <class Target>
        using plan = dlas::stack<dlas::int4_power_of_two, Target>;
    };
    struct ternary {
        template <class Target>
        using plan = dlas::stack<dlas::ternary, Target>;
    };
    struct wide_maps {
        template <class Target>
        using plan = dlas::stack<dlas::int8_int16, Target>;
    };
    struct half {
        template <class Target>
        using plan = dlas::stack<dlas::f16, Target>;
    };
    struct brain {
        template <class Target>
        using plan = dlas::stack<dlas::bf16, Target>;
    };
    struct byte_weights {
        template <class Target>
        using plan = dlas::stack<dlas::weights_int8, Target>;
    };
    struct nibble_weights {
        template <class Target>
        using plan = dlas::stack<dlas::weights_int4, Target>;
    };
    struct mixed {
        template <class Target>
        using plan = float_ends<dlas::int8, Target>;
    };
    struct one_bit {
        template <class Target>
        using plan = dlas::stack<dlas::binary, Target>;
    };
    struct one_bit_inside {
        template <class Target>
        using plan = float_ends<dlas::binary, Target>;
    };

    template <class Format>
    using in_all = point_list<point<resnet20, Format>, point<resnet8, Format>, point<mobilenet_v2, Format>, point<mobilenet_v1, Format>,
                              point<squeezenet, Format>>;
    using of_some =
        point_list<point<resnet20, mixed>, point<resnet20, four_bits>, point<resnet20, ternary>, point<resnet20, wide_maps>,
                   point<mobilenet_v1, wide_maps>, point<resnet20, one_bit>, point<resnet20, one_bit_inside>, point<resnet20, byte_weights>,
                   point<resnet20, nibble_weights>, point<mobilenet_v2, byte_weights>, point<resnet20, fixed_point>, point<resnet20, shifts>,
                   point<resnet20, four_bits_and_shifts>, point<resnet20, weights_of<7>>, point<resnet20, weights_of<5>>, point<resnet20, weights_of<3>>>;
    using on_avx2 = decltype(in_all<floats>{} + in_all<integers>{} + in_all<half>{} + in_all<brain>{} + of_some{});
    using elsewhere = point_list<point<resnet20, integers>, point<resnet20, four_bits>, point<resnet20, ternary>, point<resnet20, one_bit>,
                                 point<resnet20, wide_maps>, point<resnet20, one_bit_inside>, point<mobilenet_v1, integers>, point<squeezenet, integers>>;

    /// Where products of halves have instructions, these alone.
    template <class Target>
    using points = std::conditional_t<std::is_same_v<Target, dlas::avx2>, on_avx2,
                                      std::conditional_t<std::is_same_v<Target, dlas::avx512_bf16>, in_all<brain>,
                                                         std::conditional_t<std::is_same_v<Target, dlas::avx512_fp16>, in_all<half>, elsewhere>>>;
};
