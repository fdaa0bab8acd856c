// A layer in a few characters: how plans, caches and benchmarks name it. Core.
#pragma once

#include <dlas/core/layer.hpp>
#include <dlas/core/text.hpp>

namespace dlas {

/// "56x56x64-128k3s2p1+add+relu": input, output channels, window, stride, dilation, padding, groups, gate, what the epilogue does.
/// Different layers have different texts. Unequal sides are spelled out: k3x5, s1x2, p0.1.0.1 (top, bottom, left, right).
constexpr text<96> layer_text(const conv2d_layer& layer) {
    text<96> spelled;
    auto both = [&spelled](std::string_view what, extent e) {
        spelled.append(what);
        spelled.append(e.height);
        if (e.width == e.height) return;
        spelled.append("x");
        spelled.append(e.width);
    };
    spelled.append(layer.in.height);
    spelled.append("x");
    spelled.append(layer.in.width);
    spelled.append("x");
    spelled.append(layer.in.channels);
    spelled.append("-");
    spelled.append(layer.channels);
    both("k", layer.kernel);
    both("s", layer.stride);
    if (layer.dilation != extent(1)) both("d", layer.dilation);
    const border& p = layer.padding;
    if (!p.empty()) {
        spelled.append("p");
        spelled.append(p.top);
        if (p != border(p.top))
            for (const int side : {p.bottom, p.left, p.right}) {
                spelled.append(".");
                spelled.append(side);
            }
    }
    if (layer.groups != 1) {
        spelled.append("g");
        spelled.append(layer.groups);
    }
    if (layer.gated) spelled.append("+gate");
    if (layer.residual) spelled.append("+add");
    if (layer.activation != activation::none) {
        spelled.append("+");
        spelled.append(activation_name(layer.activation));
    }
    return spelled;
}

}  // namespace dlas
