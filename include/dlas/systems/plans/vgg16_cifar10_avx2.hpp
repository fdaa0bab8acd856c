// vgg16/cifar10 on avx2: 5.774 ms, 5.788 ms untuned (lower quartiles on Intel(R) Xeon(R) Processor).
// Written by `tune vgg16/cifar10 --target avx2`; layers whose kernels changed since are measured by hand. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/vgg.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<vgg16<cifar10>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "32x32x3-64k3s1p1+relu") return stack<direct, target>{};
        else if constexpr (layer == "32x32x64-64k3s1p1+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "16x16x64-128k3s1p1+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "16x16x128-128k3s1p1+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "8x8x128-256k3s1p1+relu") return stack<winograd<2>, target>{};
        else if constexpr (layer == "8x8x256-256k3s1p1+relu") return stack<winograd<2>, target>{};
        else if constexpr (layer == "4x4x256-512k3s1p1+relu") return stack<direct, target>{};
        else if constexpr (layer == "4x4x512-512k3s1p1+relu") return stack<direct, target>{};
        else if constexpr (layer == "2x2x512-512k3s1p1+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x512-10k1s1") return stack<direct, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
