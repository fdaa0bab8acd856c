// What the published networks state besides their forward(). Models & Neural Architectures.
#pragma once

#include <dlas/core/preprocessing.hpp>
#include <dlas/models/graph.hpp>

namespace dlas {

/// A network for a problem space (see datasets/problems.hpp), trained on pixels that went through `Preprocessing`.
template <class Problem, const dlas::preprocessing& Preprocessing>
struct model_on {
    using problem = Problem;
    static constexpr shape input = Problem::input;
    static constexpr const dlas::preprocessing& preprocessing = Preprocessing;
};

}  // namespace dlas
