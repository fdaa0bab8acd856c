// Policies that choose among algorithms layer by layer. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/depthwise.hpp>
#include <dlas/algorithms/direct.hpp>
#include <dlas/algorithms/line_buffer.hpp>
#include <dlas/algorithms/winograd.hpp>
#include <dlas/core/text.hpp>
#include <dlas/formats/any.hpp>
#include <dlas/formats/f32.hpp>

namespace dlas {

/// The first of the listed algorithms that can run the layer. Its name says so: "winograd4+direct".
template <class... Algorithms>
struct first_of {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr auto name_text = [] {
        text<96> joined;
        ((joined.length > 0 ? joined.append("+") : void(), joined.append(std::string_view(Algorithms::name))), ...);
        return joined;
    }();
    static constexpr std::string_view name = name_text.view();

    template <class Format, class Target>
    static constexpr std::string_view refuses_in(const conv2d_layer& layer, const schedule_options& schedule) {
        // An algorithm that can run no layer in the format would stand in the name for nothing.
        if (((Format::template refuses<Algorithms>(layer) == any_format_refusal) || ...)) return any_format_refusal;
        std::string_view last;
        (void)((last = refusal_of<Algorithms, Format, Target>(layer, schedule), last.empty()) || ...);
        return last;
    }
    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        return refuses_in<f32, Target>(layer, schedule);
    }

    template <conv2d_layer Layer, class Format, class Target>
    struct choice {
        template <class First, class... Rest>
        static consteval auto pick() {
            if constexpr (sizeof...(Rest) == 0 || refusal_of<First, Format, Target>(Layer, schedule_options{}).empty())
                return First{};
            else
                return pick<Rest...>();
        }
        using type = decltype(pick<Algorithms...>());
    };
};

namespace choosing {

/// Cycles that a layer takes: multiply-adds at the core's peak, then the packed weights, of which a run sees no byte twice, at the
/// 5 bytes a cycle that far caches give one core (measured on a Xeon), then the transforms of Winograd's tiles.
template <class Target>
constexpr double direct_cycles(const conv2d_layer& layer) {
    return static_cast<double>(layer.macs()) / (2 * float_lanes<Target>) + static_cast<double>(layer.filter_elements()) * 4 / 5;
}
template <int Outputs, class Target>
constexpr double winograd_cycles(const conv2d_layer& layer) {
    constexpr int products = (Outputs + 2) * (Outputs + 2);
    const double tiles = ceil_divide(layer.out().height, Outputs) * ceil_divide(layer.out().width, Outputs);
    const double channels = static_cast<double>(layer.in.channels) * layer.channels;
    const double transforms = 5.0 * products * (ceil_divide(layer.in.channels, float_lanes<Target>) + ceil_divide(layer.channels, float_lanes<Target>));
    return tiles * (products * channels / (2 * float_lanes<Target>) + transforms) + products * channels * 4 / 5;
}

/// Instructions of a layer of bytes where their products are of 16 bits: directly, four for a vector's four terms, or three of weights of fewer
/// than 8 bits; by Winograd, two for two, and transforms. Weights come from far caches, two instructions for each of their bytes' 5 a cycle.
template <class Target>
constexpr double direct_bytes_cost(const conv2d_layer& layer, int weight_bits) {
    return static_cast<double>(layer.macs()) * (weight_bits == 8 ? 1 : 0.75) / float_lanes<Target> + 0.5 * static_cast<double>(layer.filter_elements());
}
template <class Target>
constexpr double winograd_bytes_cost(const conv2d_layer& layer) {
    constexpr int products = 16;
    const double tiles = ceil_divide(layer.out().height, 2) * ceil_divide(layer.out().width, 2);
    const double channels = static_cast<double>(layer.in.channels) * layer.channels;
    const double transforms = 12.0 * products * (ceil_divide(layer.in.channels, 2 * float_lanes<Target>) + ceil_divide(layer.channels, float_lanes<Target>));
    return tiles * (products * channels / float_lanes<Target> + transforms) + 0.5 * 2 * products * channels;
}

/// Whether a format's weights and feature maps are bytes; weights that take less than one are to stay small.
template <class Format>
inline constexpr bool stores_bytes = false;
template <int WeightBits>
inline constexpr bool stores_bytes<quantized<WeightBits, 8>> = stored_weight_bits(WeightBits) == 8;

}  // namespace choosing

/// The algorithm that a small model of the core expects to be the fastest: depthwise layers by their own kernel, 3x3 windows of
/// stride 1 by Winograd where enough tiles share its larger weights, the rest directly; bytes by Winograd only where the target has no dot
/// products of them and weights are bytes, too, and from buffered rows where they are scaled by fixed-point numbers.
struct automatic {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "automatic";
    static constexpr bool runs_any_format = true;
    static constexpr bool runs_fixed_point = true;

    static constexpr bool counts_bits = true;
    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        return first_of<depthwise, direct>::template refuses<Target>(layer, schedule);
    }

    template <conv2d_layer Layer, class Format, class Target>
    struct choice {
        template <int Outputs>
        static consteval double winograd_cycles() {
            if (!winograd<Outputs>::template refuses<Target>(Layer).empty()) return 1e300;
            return 1.1 * choosing::winograd_cycles<Outputs, Target>(Layer);  // near a tie the smaller weights win
        }
        static consteval bool transforms_bytes() {
            return Target::adds_pairs && refusal_of<winograd<2>, Format, Target>(Layer, schedule_options{}).empty() &&
                   1.1 * choosing::winograd_bytes_cost<Target>(Layer) < choosing::direct_bytes_cost<Target>(Layer, dot_weight_bits<Format>);
        }
        static consteval auto pick() {
            if constexpr (scaling_of<Format> != scaling::real) return line_buffer{};
            else return pick_real();
        }
        static consteval auto pick_real() {
            constexpr double by_direct = choosing::direct_cycles<Target>(Layer), by_two = winograd_cycles<2>(), by_four = winograd_cycles<4>();
            if constexpr (depthwise::refuses<Target>(Layer).empty()) return depthwise{};
            else if constexpr (choosing::stores_bytes<Format> && transforms_bytes()) return winograd<2>{};
            else if constexpr (!std::same_as<Format, f32>) return direct{};
            else if constexpr (by_direct <= by_two && by_direct <= by_four) return direct{};
            else if constexpr (by_two <= by_four) return winograd<2>{};
            else return winograd<4>{};
        }
        using type = decltype(pick());
    };
};

namespace choosing {
template <class Algorithm, conv2d_layer Layer, class Format, class Target>
struct chosen {
    using type = Algorithm;
};
template <class Algorithm, conv2d_layer Layer, class Format, class Target>
    requires requires { typename Algorithm::template choice<Layer, Format, Target>::type; }
struct chosen<Algorithm, Layer, Format, Target> : chosen<typename Algorithm::template choice<Layer, Format, Target>::type, Layer, Format, Target> {};
}  // namespace choosing

/// The algorithm that will run: the policy itself, or what it chooses for the layer.
template <class Algorithm, conv2d_layer Layer, class Target, class Format = f32>
using chosen_algorithm = typename choosing::chosen<Algorithm, Layer, Format, Target>::type;

}  // namespace dlas
