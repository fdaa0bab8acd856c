// IEEE single precision, the format that networks are trained in. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/policy.hpp>

namespace dlas {

struct f32 {
    static constexpr policy_kind kind = policy_kind::format;
    static constexpr std::string_view name = "f32";
};

}  // namespace dlas
