// Which algorithms have kernels for formats other than f32. Data Formats.
#pragma once

#include <string_view>

namespace dlas {

/// An algorithm says so of itself: `runs_any_format`.
template <class Algorithm>
concept any_format_algorithm = requires { requires Algorithm::runs_any_format; };

inline constexpr std::string_view any_format_refusal = "format: of the algorithms direct and depthwise alone have kernels for it";

/// Or that its kernels scale sums by fixed-point numbers: `runs_fixed_point`.
template <class Algorithm>
concept fixed_point_algorithm = requires { requires Algorithm::runs_fixed_point; };

inline constexpr std::string_view fixed_point_refusal = "format: of the algorithms line_buffer alone scales by fixed-point numbers";

}  // namespace dlas
