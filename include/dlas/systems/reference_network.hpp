// A network run operation by operation as its definition says, nothing fused, nothing shared, weights by name: what compiled networks
// are compared with. It knows nothing of the passes in program.hpp. Systems Software; hosted. Slow on purpose.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>
#include <dlas/algorithms/reference.hpp>
#include <dlas/core/error.hpp>
#include <dlas/models/graph.hpp>
#include <dlas/systems/safetensors.hpp>

namespace dlas {

/// A graph of any size: so that code that runs on hosts is compiled once for all of them.
struct graph_view {
    std::span<const node> nodes;
    const char* names = nullptr;

    template <int N, int C>
    constexpr graph_view(const graph<N, C>& g)  // NOLINT: a graph is seen as one
        : nodes(g.nodes.begin(), g.nodes.end()), names(g.names.begin()) {}

    constexpr std::string_view name(const node& n) const { return {names + n.name_begin, static_cast<std::size_t>(n.name_length)}; }
    constexpr const node& operator[](int index) const { return nodes[static_cast<std::size_t>(index)]; }
    constexpr int size() const { return static_cast<int>(nodes.size()); }
};

/// A tensor of a weight file that a network needs.
struct stored_tensor {
    std::string name;
    std::vector<std::int64_t> shape;
    int node = 0;  ///< the first operation that uses it

    std::int64_t elements() const {
        std::int64_t product = 1;
        for (const std::int64_t dimension : shape) product *= dimension;
        return product;
    }
};

/// All tensors that a network needs, as PyTorch's state_dict has them, in the order of its operations; each name once.
inline std::vector<stored_tensor> stored_tensors(graph_view g) {
    std::vector<stored_tensor> tensors;
    for (int i = 0; i < g.size(); ++i) {
        const node& n = g[i];
        auto add = [&](std::string_view parameter, std::vector<std::int64_t> extents) {
            std::string name = std::string(g.name(n)).append(".").append(parameter);
            if (std::ranges::find(tensors, name, &stored_tensor::name) == tensors.end()) tensors.push_back({std::move(name), std::move(extents), i});
        };
        if (n.op == operation::conv2d) {
            if (n.linear) add("weight", {n.conv.channels, n.conv.in.elements()});
            else add("weight", {n.conv.channels, n.conv.group_in(), n.conv.kernel.height, n.conv.kernel.width});
            if (n.bias) add("bias", {n.conv.channels});
        }
        if (n.op == operation::batch_norm)
            for (const char* parameter : {"weight", "bias", "running_mean", "running_var"}) add(parameter, {n.out.channels});
    }
    return tensors;
}

namespace reference {

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias.
inline void batch_norm(shape map, double epsilon, const float* input, const float* weight, const float* bias, const float* mean,
                       const float* variance, double* output) {
    for (int i = 0; i < map.elements(); ++i) {
        const int channel = i % map.channels;
        output[i] = (double{input[i]} - double{mean[channel]}) / std::sqrt(double{variance[channel]} + epsilon) * double{weight[channel]} +
                    double{bias[channel]};
    }
}

/// The result of one operation in double precision; `parameter(name)` gives the elements of one of its tensors.
template <class Parameter>
std::vector<double> run_operation(const node& n, std::span<const float> a, std::span<const float> b, shape in, int first_channels, Parameter parameter) {
    std::vector<double> result(static_cast<std::size_t>(n.out.elements()));
    switch (n.op) {
    case operation::input:
        std::ranges::copy(a, result.begin());
        break;
    case operation::conv2d:
        conv2d(n.conv, a.data(), parameter("weight"), n.bias ? parameter("bias") : nullptr, nullptr, result.data());
        break;
    case operation::batch_norm:
        batch_norm(n.out, double{n.epsilon}, a.data(), parameter("weight"), parameter("bias"), parameter("running_mean"),
                   parameter("running_var"), result.data());
        break;
    case operation::activate:
        std::ranges::transform(a, result.begin(), [&n](float x) { return activated(n.function, double{x}); });
        break;
    case operation::add:
        std::ranges::transform(a, b, result.begin(), [](float x, float y) { return double{x} + double{y}; });
        break;
    case operation::multiply:
        for (std::size_t i = 0; i < result.size(); ++i) result[i] = double{a[i]} * double{b[i % b.size()]};
        break;
    case operation::pool2d:
        pool2d(n.pool, a.data(), result.data());
        break;
    case operation::global_average_pool:
        global_average_pool(in, a.data(), result.data());
        break;
    case operation::subsample:
        subsample(in, n.out, n.stride, n.channels_before, a.data(), result.data());
        break;
    case operation::concatenate:
        for (std::size_t i = 0; i < result.size(); ++i) {
            const int pixel = static_cast<int>(i) / n.out.channels, channel = static_cast<int>(i) % n.out.channels;
            const int second_channels = n.out.channels - first_channels;
            result[i] = double{channel < first_channels ? a[static_cast<std::size_t>(pixel * first_channels + channel)]
                                                        : b[static_cast<std::size_t>(pixel * second_channels + channel - first_channels)]};
        }
        break;
    }
    return result;
}

}  // namespace reference

/// The operations of a network for a file whose normalizations were folded before it was written: such a file has a convolution's
/// bias where the network has none, and nothing for the normalization that follows, which then does nothing. For any other file
/// these are the network's own.
inline std::vector<node> operations_for(graph_view g, const safetensors& weights) {
    std::vector<node> nodes(g.nodes.begin(), g.nodes.end());
    auto has = [&](const node& n, const char* parameter) { return weights.find(std::string(g.name(n)).append(parameter)) != nullptr; };
    for (node& n : nodes) {
        if (n.op != operation::batch_norm || has(n, ".weight")) continue;
        node& before = nodes[static_cast<std::size_t>(n.inputs[0])];
        if (before.op != operation::conv2d || before.bias || !has(before, ".bias")) continue;
        before.bias = true;
        n.op = operation::activate;
        n.function = activation::none;
    }
    return nodes;
}

/// Runs a network on one image (NHWC, preprocessed). Every operation computes in double precision; the tensors between
/// operations are rounded to float, once each. Throws dlas::error where a tensor is missing or of another shape.
inline std::vector<double> reference_run(graph_view g, const safetensors& weights, std::span<const float> image) {
    const std::vector<node> nodes = operations_for(g, weights);
    g.nodes = nodes;
    for (const stored_tensor& wanted : stored_tensors(g)) {
        const safetensors::tensor* found = weights.find(wanted.name);
        if (found == nullptr || found->shape != wanted.shape)
            throw error(weights.origin() + ": tensor '" + wanted.name + (found == nullptr ? "' is missing" : "' has another shape than the network's"));
    }
    std::vector<std::vector<float>> tensors;
    std::vector<double> result;
    for (const node& n : g.nodes) {
        const int first = n.inputs[0], second = n.inputs[1];
        auto tensor = [&](int index) { return index < 0 ? image : std::span<const float>(tensors[static_cast<std::size_t>(index)]); };
        auto parameter = [&](std::string_view name) {
            return weights.find(std::string(g.name(n)).append(".").append(name))->f32().data();
        };
        const shape in = first < 0 ? n.out : g[first].out;
        result = reference::run_operation(n, tensor(first), second < 0 ? std::span<const float>() : tensor(second), in, in.channels, parameter);
        std::vector<float>& rounded = tensors.emplace_back(result.size());
        std::ranges::transform(result, rounded.begin(), [](double x) { return static_cast<float>(x); });
    }
    return result;
}

namespace reference {

/// Mean square of each tensor under seeded_weights(), roughly: what its weights are scaled by, so that no depth makes values vanish
/// or overflow. Convolutions and normalizations bring it back to `usual`; sums and pools move it.
inline constexpr double usual_mean_square = 4;  // large enough that ReLU6 has something to cut off

inline std::vector<double> mean_squares(graph_view g) {
    std::vector<double> squares;
    for (const node& n : g.nodes) {
        auto of = [&](int input) { return squares[static_cast<std::size_t>(n.inputs[input])]; };
        auto channels = [&](int input) { return double(g[n.inputs[input]].out.channels); };
        double square = 1;
        switch (n.op) {
        case operation::input: break;
        case operation::conv2d: square = usual_mean_square; break;
        case operation::batch_norm: square = usual_mean_square; break;
        case operation::activate: square = n.function == activation::sigmoid ? 0.35 : of(0) / 2; break;
        case operation::add: square = of(0) + of(1); break;
        case operation::multiply: square = of(0) * of(1); break;
        case operation::pool2d: square = of(0) * (n.pool.maximum ? 1.5 : 0.5); break;
        case operation::global_average_pool: square = of(0) * 0.3; break;
        case operation::subsample: square = of(0) * channels(0) / n.out.channels; break;
        case operation::concatenate: square = (of(0) * channels(0) + of(1) * channels(1)) / n.out.channels; break;
        }
        squares.push_back(square);
    }
    return squares;
}

}  // namespace reference

/// Made-up weights with exactly the tensors that a network needs: He's initialization, normalizations with statistics that
/// fit. Values stay of order one through any depth. The same seed gives the same weights.
inline safetensors seeded_weights(graph_view g, std::uint64_t seed) {
    const std::vector<stored_tensor> wanted = stored_tensors(g);
    const std::vector<double> squares = reference::mean_squares(g);
    std::vector<std::vector<float>> values;
    std::vector<safetensors::tensor> tensors;
    for (const stored_tensor& tensor : wanted) {
        std::uint64_t hash = seed;
        for (const char c : tensor.name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        seeded_numbers numbers(hash);
        const node& n = g[tensor.node];
        const double in = squares[static_cast<std::size_t>(n.inputs[0])], usual = reference::usual_mean_square;
        const std::string_view parameter = std::string_view(tensor.name).substr(tensor.name.rfind('.') + 1);
        std::vector<float>& elements = values.emplace_back(static_cast<std::size_t>(tensor.elements()));
        for (float& element : elements) {
            double x = 0;
            if (parameter == "bias") x = numbers.centered(std::sqrt(0.1 * usual));
            else if (parameter == "running_mean") x = numbers.centered(std::sqrt(0.1 * in));
            else if (parameter == "running_var") x = in * numbers.between(0.6, 1.5);
            else if (n.op == operation::batch_norm) x = std::sqrt(usual) * numbers.between(0.5, 1.3) * (numbers.bits() % 8 == 0 ? -1 : 1);
            else x = numbers.centered(std::sqrt(0.9 * usual / (in * static_cast<double>(n.conv.filter_elements() / n.conv.channels))));
            element = static_cast<float>(x);
        }
        tensors.push_back({tensor.name, "F32", tensor.shape, std::as_bytes(std::span(elements))});
    }
    return safetensors::parse(safetensors::serialize({}, tensors), "seeded weights");
}

}  // namespace dlas
