// IEEE single precision, the format that networks are trained in. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/element.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>
#include <dlas/formats/any.hpp>

namespace dlas {

struct f32 {
    static constexpr policy_kind kind = policy_kind::format;
    static constexpr std::string_view name = "f32";

    template <class Target>
    static constexpr element activations = element::f32;

    template <class Algorithm>
    static constexpr std::string_view refuses(const conv2d_layer&) {
        if (fixed_point_algorithm<Algorithm> && !any_format_algorithm<Algorithm>)
            return "format: line_buffer computes in integers scaled by fixed-point numbers alone";
        return {};
    }
};

}  // namespace dlas
