// Which algorithms have kernels for formats other than f32. Data Formats.
#pragma once

#include <string_view>

namespace dlas {

/// An algorithm says so of itself: `runs_any_format`.
template <class Algorithm>
concept any_format_algorithm = requires { requires Algorithm::runs_any_format; };

inline constexpr std::string_view any_format_refusal = "format: of the algorithms direct and depthwise alone have kernels for it";

}  // namespace dlas
