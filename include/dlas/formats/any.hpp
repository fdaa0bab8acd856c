// Which algorithms have kernels for formats other than f32. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/layer.hpp>

namespace dlas {

/// An algorithm says so of itself: `runs_any_format`.
template <class Algorithm>
concept any_format_algorithm = requires { requires Algorithm::runs_any_format; };

inline constexpr std::string_view any_format_refusal = "format: the algorithm has no kernels for it; direct and depthwise have some for every format";

/// Or that it counts bits: `counts_bits`.
template <class Algorithm>
concept bit_counting_algorithm = requires { requires Algorithm::counts_bits; };

/// Why a format whose sums are floats has no kernel for a layer.
template <class Algorithm>
constexpr std::string_view float_sums_refusal(const conv2d_layer& layer) {
    if (!any_format_algorithm<Algorithm>) return any_format_refusal;
    if (layer.gated) return "format: gated layers have kernels for f32 alone";
    return {};
}

/// Or that it runs quantized layers of bytes, beside those of f32: `runs_bytes`.
template <class Algorithm>
concept byte_algorithm = requires { requires Algorithm::runs_bytes; };

/// Or that its kernels scale sums by fixed-point numbers: `runs_fixed_point`.
template <class Algorithm>
concept fixed_point_algorithm = requires { requires Algorithm::runs_fixed_point; };

inline constexpr std::string_view fixed_point_refusal = "format: of the algorithms line_buffer alone scales by fixed-point numbers";

/// Why an algorithm has no kernel for a layer in a format; empty where it has. One that chooses among others asks them (`refuses_in`).
template <class Algorithm, class Format, class Target>
constexpr std::string_view refusal_of(const conv2d_layer& layer, const auto& schedule) {
    if constexpr (requires { Algorithm::template refuses_in<Format, Target>(layer, schedule); }) {
        return Algorithm::template refuses_in<Format, Target>(layer, schedule);
    } else {
        if (const std::string_view never = Format::template refuses<Algorithm>(layer); !never.empty()) return never;
        return Algorithm::template refuses<Target>(layer, schedule);
    }
}

}  // namespace dlas
