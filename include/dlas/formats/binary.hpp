// One bit for each weight and each input of a convolution, everything else in floats. Data Formats.
#pragma once

#include <string_view>

#include <dlas/core/element.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>
#include <dlas/formats/any.hpp>

namespace dlas {

/// As XNOR-Net (Rastegari et al., arXiv 1603.05279), for inputs behind a ReLU. A weight is its sign, 0 counts as positive, times the mean
/// magnitude of its output channel's weights. An input, or a zero of the padding, is the mean of those of the layer's inputs that are above
/// the mean of all of them, or the mean of the others; both are found anew for each image. Sums of one layer are the same on every target.
/// Nothing has to be calibrated, but a network has to be trained for it. Depthwise layers stay as they are.
struct binary {
    static constexpr policy_kind kind = policy_kind::format;
    static constexpr std::string_view name = "w1a1";

    /// In memory.
    template <class Target>
    static constexpr element activations = element::f32;

    template <class Algorithm>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        if (!bit_counting_algorithm<Algorithm>) return "format: of the algorithms direct alone counts bits";
        if (const std::string_view never = float_sums_refusal<Algorithm>(layer); !never.empty()) return never;
        if (layer.in.elements() >= 1 << 24 || layer.group_in() * layer.kernel.area() >= 1 << 24)
            return "format: so many inputs may not be counted by a float";
        return {};
    }
};

}  // namespace dlas
