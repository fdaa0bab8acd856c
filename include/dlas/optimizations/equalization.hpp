// Weights moved between layers, so that the channels of each layer have weights of like size. Model Optimizations; hosted.
//
// Where f(x / s) = f(x) / s, what a channel holds between two convolutions may be divided by s if the weights that read it are multiplied by s
// (Nagel et al., 2019). Here s is a power of two: nothing but exponents changes, so that the network computes the same bits as before.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <dlas/core/layer.hpp>

namespace dlas {

/// Which powers of two a channel may be divided by. The bounds of all are far from where floats end.
struct exponent_bounds {
    int least = -32;
    int most = 32;
};

/// The bounds of a channel of which values up to `channel` were observed behind the activation, in a map of values up to `map`, both without
/// signs. A smaller divisor would give the map a wider range, or have ReLU6 cut off values of the channel that it let pass. Where it did cut
/// values off it has to go on doing so at the same place.
inline exponent_bounds bounds_of_channel(activation function, float channel, float map) {
    const float most = function == activation::relu6 ? 6.0f : map;
    if (function == activation::relu6 && channel >= most) return {0, 0};
    exponent_bounds bounds;
    while (bounds.least < 0 && std::ldexp(most, bounds.least) < channel) ++bounds.least;
    return bounds;
}

/// The power of two nearest to what makes weights of up to `before` and `after` the same, sqrt(before / after).
inline int equalizing_exponent(float before, float after) { return (std::ilogb(double{before} / double{after}) + 1) >> 1; }

/// The filter of a convolution.
struct equalized_filter {
    conv2d_layer layer;
    std::vector<float> weights;  ///< OIHW
};

/// Two convolutions, the second of which alone reads what the first makes.
struct equalized_pair {
    int first = 0;
    int second = 0;
    std::vector<exponent_bounds> bounds;  ///< of the channels between them
    std::vector<int> exponents;           ///< channels are divided by these powers of two
};

/// Visits the weights that make an output channel.
template <class Visit>
void for_each_weight_to(int channel, const conv2d_layer& layer, std::span<float> weights, Visit visit) {
    const auto elements = static_cast<std::size_t>(layer.filter_elements() / layer.channels);
    for (float& weight : weights.subspan(static_cast<std::size_t>(channel) * elements, elements)) visit(weight);
}

/// Visits the weights that read an input channel.
template <class Visit>
void for_each_weight_from(int channel, const conv2d_layer& layer, std::span<float> weights, Visit visit) {
    const int group = channel / layer.group_in(), area = layer.kernel.area();
    for (int to = group * layer.group_out(); to < (group + 1) * layer.group_out(); ++to) {
        const int first = (to * layer.group_in() + channel % layer.group_in()) * area;
        for (float& weight : weights.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(area))) visit(weight);
    }
}

/// Equalizes the filters of pairs until no channel gains, chains of pairs from the front again and again; states the exponents.
inline void equalize_filters(std::span<equalized_filter> filters, std::span<equalized_pair> pairs) {
    constexpr int most_sweeps = 100;  // a few are enough
    bool changed = true;
    for (int sweep = 0; changed && sweep < most_sweeps; ++sweep) {
        changed = false;
        for (equalized_pair& pair : pairs) {
            equalized_filter& first = filters[static_cast<std::size_t>(pair.first)];
            equalized_filter& second = filters[static_cast<std::size_t>(pair.second)];
            pair.exponents.resize(pair.bounds.size());
            for (std::size_t c = 0; c < pair.bounds.size(); ++c) {
                const int channel = static_cast<int>(c);
                float before = 0, after = 0;
                for_each_weight_to(channel, first.layer, first.weights, [&](float w) { before = std::fmax(before, std::fabs(w)); });
                for_each_weight_from(channel, second.layer, second.weights, [&](float w) { after = std::fmax(after, std::fabs(w)); });
                if (before == 0 || after == 0) continue;
                const int old = pair.exponents[c];
                const int exponent = std::clamp(old + equalizing_exponent(before, after), pair.bounds[c].least, pair.bounds[c].most);
                if (exponent == old) continue;
                changed = true;
                pair.exponents[c] = exponent;
                for_each_weight_to(channel, first.layer, first.weights, [&](float& w) { w = std::ldexp(w, old - exponent); });
                for_each_weight_from(channel, second.layer, second.weights, [&](float& w) { w = std::ldexp(w, exponent - old); });
            }
        }
    }
}

}  // namespace dlas
