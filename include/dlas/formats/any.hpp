// Which algorithms have kernels for formats other than f32. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/layer.hpp>

namespace dlas {

/// An algorithm says so of itself: `runs_any_format`.
template <class Algorithm>
concept any_format_algorithm = requires { requires Algorithm::runs_any_format; };

inline constexpr std::string_view any_format_refusal = "format: of the algorithms direct and depthwise alone have kernels for it";

/// Why a format whose sums are floats has no kernel for a layer.
template <class Algorithm>
constexpr std::string_view float_sums_refusal(const conv2d_layer& layer) {
    if (!any_format_algorithm<Algorithm>) return any_format_refusal;
    if (layer.gated) return "format: gated layers have kernels for f32 alone";
    return {};
}

/// Or that its kernels scale sums by fixed-point numbers: `runs_fixed_point`.
template <class Algorithm>
concept fixed_point_algorithm = requires { requires Algorithm::runs_fixed_point; };

inline constexpr std::string_view fixed_point_refusal = "format: of the algorithms line_buffer alone scales by fixed-point numbers";

}  // namespace dlas
