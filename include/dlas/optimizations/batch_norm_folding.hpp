// Batch normalization folded into the convolution before it. Model Optimizations.
#pragma once

#include <cstdint>

#include <dlas/models/graph.hpp>

namespace dlas {

/// How many operations read each tensor; the network's output counts as read once more.
template <int N, int C>
constexpr list<int, N> count_readers(const graph<N, C>& g) {
    list<int, N> readers;
    for (int i = 0; i < g.nodes.size(); ++i) readers.push(0);
    for (const node& n : g.nodes)
        for (int i = 0; i < n.input_count(); ++i) ++readers[n.inputs[i]];
    ++readers[g.nodes.size() - 1];
    return readers;
}

/// The only operation that reads a tensor, or -1.
template <int N, int C>
constexpr int only_reader(const graph<N, C>& g, const list<int, N>& readers, int tensor) {
    if (readers[tensor] != 1) return -1;
    for (int i = tensor + 1; i < g.nodes.size(); ++i)
        for (int k = 0; k < g.nodes[i].input_count(); ++k)
            if (g.nodes[i].inputs[k] == tensor) return i;
    return -1;
}

/// The batch normalization that folds into convolution `conv`: the only reader of its output. -1 where there is none.
template <int N, int C>
constexpr int foldable_batch_norm(const graph<N, C>& g, const list<int, N>& readers, int conv) {
    const int reader = only_reader(g, readers, conv);
    return reader >= 0 && g.nodes[reader].op == operation::batch_norm ? reader : -1;
}

/// Stored statistics of one batch normalization, one element a channel.
struct batch_norm_parameters {
    const float* weight;
    const float* bias;
    const float* running_mean;
    const float* running_var;
    float epsilon;
};

/// Scale and shift that a batch normalization applies to channel c: weight / sqrt(variance + epsilon), bias - mean * scale.
/// `square_root` is the caller's, so that this header needs no libm.
template <class SquareRoot>
void batch_norm_scale(const batch_norm_parameters& p, int channel, double& scale, double& shift, SquareRoot square_root) {
    scale = double{p.weight[channel]} / square_root(double{p.running_var[channel]} + double{p.epsilon});
    shift = double{p.bias[channel]} - double{p.running_mean[channel]} * scale;
}

/// Folds scale and shift into filters (OIHW, `filter_elements` for each channel) and biases, in double precision.
template <class SquareRoot>
void fold_batch_norm(const batch_norm_parameters& p, int channels, std::int64_t filter_elements, float* filter, float* bias,
                     SquareRoot square_root) {
    for (int channel = 0; channel < channels; ++channel) {
        double scale, shift;
        batch_norm_scale(p, channel, scale, shift, square_root);
        for (std::int64_t i = 0; i < filter_elements; ++i) {
            float& weight = filter[channel * filter_elements + i];
            weight = static_cast<float>(double{weight} * scale);
        }
        bias[channel] = static_cast<float>(double{bias[channel]} * scale + shift);
    }
}

}  // namespace dlas
