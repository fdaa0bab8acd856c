// densenet161/imagenet on avx2: 155.206 ms, 167.851 ms untuned (lower quartiles on Intel(R) Xeon(R) Processor).
// Written by `tune densenet161/imagenet --target avx2`. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/densenet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<densenet161<imagenet>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-96k7s2p3+relu") return stack<direct, schedule<{.tile = {1, 6, 2}}>, target>{};
        else if constexpr (layer == "56x56x96-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "56x56x192-48k3s1p1") return stack<winograd<4>, target>{};
        else if constexpr (layer == "56x56x144-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "56x56x192-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "56x56x240-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "56x56x288-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "56x56x336-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x384-192k1s1") return stack<direct, target>{};
        else if constexpr (layer == "28x28x192-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x192-48k3s1p1") return stack<winograd<4>, schedule<{.pixels = 30}>, target>{};
        else if constexpr (layer == "28x28x240-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x288-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x336-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x384-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x432-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x480-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x528-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x576-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x624-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x672-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x720-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x768-384k1s1") return stack<direct, target>{};
        else if constexpr (layer == "14x14x384-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x192-48k3s1p1") return stack<winograd<4>, schedule<{.pixels = 16}>, target>{};
        else if constexpr (layer == "14x14x432-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x480-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x528-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x576-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x624-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x672-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x720-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x768-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x816-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x864-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x912-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x960-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1008-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1056-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1104-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1152-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1200-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1248-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1296-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1344-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1392-192k1s1+relu") return stack<direct, schedule<{.tile = {2, 2, 3}}>, target>{};
        else if constexpr (layer == "14x14x1440-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1488-192k1s1+relu") return stack<direct, schedule<{.tile = {2, 2, 3}}>, target>{};
        else if constexpr (layer == "14x14x1536-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1584-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1632-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1680-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1728-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1776-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1824-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1872-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1920-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1968-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x2016-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x2064-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x2112-1056k1s1") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1056-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x192-48k3s1p1") return stack<winograd<2>, target>{};
        else if constexpr (layer == "7x7x1104-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1152-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1200-192k1s1+relu") return stack<direct, schedule<{.tile = {1, 4, 3}, .pixels = 49}>, target>{};
        else if constexpr (layer == "7x7x1248-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1296-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1344-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1392-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1440-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1488-192k1s1+relu") return stack<direct, schedule<{.tile = {1, 4, 3}}>, target>{};
        else if constexpr (layer == "7x7x1536-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1584-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1632-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1680-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1728-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1776-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1824-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1872-192k1s1+relu") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1920-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1968-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x2016-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x2064-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x2112-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x2160-192k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x2208-1000k1s1") return stack<direct, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
