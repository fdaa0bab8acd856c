// Every weight is stored, zero or not. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/policy.hpp>

namespace dlas {

struct dense {
    static constexpr policy_kind kind = policy_kind::sparsity;
    static constexpr std::string_view name = "dense";
};

}  // namespace dlas
