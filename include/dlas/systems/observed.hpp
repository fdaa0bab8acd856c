// The plan of a float network that quantize() and equalize() observe (observer.hpp). Systems Software.
#pragma once

#include <dlas/systems/stack.hpp>

namespace dlas {

/// Every step by itself, nothing transformed.
template <class Target>
struct observed {
    static constexpr std::string_view name = "f32/dense/observed";
    using target = Target;

    template <conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.depthwise()) return stack<depthwise, schedule<{.fused_rows = 0}>, target>{};
        else return stack<direct, target>{};
    }
};

}  // namespace dlas
