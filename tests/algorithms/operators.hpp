// The pooling and elementwise kernels that are tested, and how the test gets them from units of other flags.
#pragma once

#include <array>
#include <span>

#include <dlas/algorithms/elementwise.hpp>
#include <dlas/algorithms/pool.hpp>
#include <dlas/hardware/targets.hpp>

namespace operators {

using dlas::activation;
using dlas::elementwise;
using dlas::placement;
using dlas::shape;

/// Neighbouring pixels and rows without gaps, and with `gap` channels and `margin` pixels of others between them.
constexpr placement dense(shape map) { return {map.width * map.channels, map.channels}; }
constexpr placement sparse(shape map, int gap, int margin) { return {(map.width + margin) * (map.channels + gap), map.channels + gap}; }

constexpr dlas::pool2d_key dense_pool(const dlas::pool2d_layer& layer) { return {layer, dense(layer.in), dense(layer.out())}; }
constexpr dlas::pool2d_key sparse_pool(const dlas::pool2d_layer& layer) { return {layer, sparse(layer.in, 3, 2), sparse(layer.out(), 1, 1)}; }

inline constexpr dlas::pool2d_key pools[] = {
    dense_pool({.in = {1, 1, 1}, .kernel = 1, .stride = 1}),
    dense_pool({.in = {8, 6, 16}}),
    dense_pool({.in = {7, 5, 3}}),
    // ResNet's stem: windows overlap and begin in the padding.
    dense_pool({.in = {9, 9, 33}, .kernel = 3, .stride = 2, .padding = 1}),
    sparse_pool({.in = {9, 8, 17}, .kernel = 3, .stride = 2, .padding = 1}),
    dense_pool({.in = {6, 11, 5}, .kernel = {2, 4}, .stride = {1, 3}, .padding = {0, 1, 2, 0}}),
    dense_pool({.in = {4, 4, 64}, .kernel = 3, .stride = 1}),
    dense_pool({.in = {8, 6, 16}, .maximum = false}),
    dense_pool({.in = {7, 5, 31}, .kernel = 3, .stride = 2, .padding = 1, .maximum = false}),
    dense_pool({.in = {7, 5, 31}, .kernel = 3, .stride = 2, .padding = 1, .maximum = false, .count_padding = false}),
    sparse_pool({.in = {7, 8, 9}, .kernel = 3, .stride = 2, .padding = {1, 1, 0, 1}, .maximum = false}),
    sparse_pool({.in = {7, 8, 9}, .kernel = 3, .stride = 2, .padding = {1, 1, 0, 1}, .maximum = false, .count_padding = false}),
    dense_pool({.in = {6, 11, 4}, .kernel = {5, 2}, .stride = {1, 2}, .padding = {2, 1}, .maximum = false, .count_padding = false}),
};

/// Maxima of what is stored: the same layers, and parts of vectors of bytes.
template <dlas::element Stored>
inline constexpr auto stored_pools = [] {
    auto of = [](dlas::pool2d_key key) {
        key.in.type = key.out.type = Stored;
        return key;
    };
    return std::array{of(pools[0]), of(pools[1]), of(pools[2]), of(pools[3]), of(pools[4]), of(pools[5]),
                      of(dense_pool({.in = {5, 6, 192}, .kernel = 3, .stride = 2, .padding = 1})), of(sparse_pool({.in = {5, 4, 127}}))};
}();

inline constexpr dlas::global_pool_key global_pools[] = {
    {{1, 1, 1}, {1, 1}},
    {{7, 7, 33}, dense({7, 7, 33})},
    {{4, 6, 16}, sparse({4, 6, 16}, 0, 2)},
    {{5, 3, 15}, sparse({5, 3, 15}, 4, 1)},
    {{1, 90, 8}, dense({1, 90, 8})},
    // More vectors than are summed up at once, and a rest.
    {{3, 5, 275}, sparse({3, 5, 275}, 2, 1)},
};

/// The second operand's map; empty where there is none.
constexpr shape second_map(shape map, elementwise function) {
    return function == elementwise::add ? map : function == elementwise::multiply ? shape{1, 1, map.channels} : shape{};
}
constexpr dlas::elementwise_key dense_maps(shape map, elementwise function, activation after = activation::none) {
    return {map, dense(map), dense(second_map(map, function)), dense(map), function, after};
}
constexpr dlas::elementwise_key sparse_maps(shape map, elementwise function, activation after = activation::none) {
    return {map, sparse(map, 5, 1), sparse(second_map(map, function), 2, 2), sparse(map, 1, 3), function, after};
}

inline constexpr dlas::elementwise_key elementwise_maps[] = {
    dense_maps({1, 1, 1}, elementwise::copy),
    dense_maps({3, 5, 7}, elementwise::copy, activation::relu6),
    sparse_maps({3, 5, 17}, elementwise::copy),
    sparse_maps({4, 3, 8}, elementwise::copy, activation::relu),
    dense_maps({3, 4, 33}, elementwise::add),
    dense_maps({5, 3, 3}, elementwise::add, activation::relu),
    sparse_maps({2, 7, 16}, elementwise::add, activation::relu6),
    sparse_maps({3, 3, 5}, elementwise::add),
    dense_maps({4, 3, 31}, elementwise::affine, activation::relu),
    dense_maps({1, 9, 16}, elementwise::affine),
    sparse_maps({3, 5, 9}, elementwise::affine, activation::relu6),
    dense_maps({5, 4, 19}, elementwise::multiply),
    sparse_maps({3, 5, 48}, elementwise::multiply, activation::relu),
    dense_maps({1, 1, 40}, elementwise::multiply),
    dense_maps({3, 4, 21}, elementwise::copy, activation::silu),
    sparse_maps({3, 2, 18}, elementwise::add, activation::silu),
    dense_maps({4, 3, 31}, elementwise::affine, activation::sigmoid),
    // Rows with margins whose pixels follow each other, and one sparse map among dense ones.
    {{4, 5, 6}, sparse({4, 5, 6}, 0, 2), sparse({4, 5, 6}, 0, 3), sparse({4, 5, 6}, 0, 1), elementwise::add, activation::relu},
    {{4, 5, 6}, dense({4, 5, 6}), sparse({4, 5, 6}, 2, 0), dense({4, 5, 6}), elementwise::add, activation::none},
    {{4, 5, 6}, dense({4, 5, 6}), {}, sparse({4, 5, 6}, 10, 0), elementwise::copy, activation::none},
};

/// As option A of ResNet needs it.
constexpr dlas::subsample_key subsampled(shape in, int stride, int before, int after, bool with_gaps) {
    const shape out = {(in.height + stride - 1) / stride, (in.width + stride - 1) / stride, before + in.channels + after};
    return {in, out, stride, before, with_gaps ? sparse(in, 3, 1) : dense(in), with_gaps ? sparse(out, 2, 2) : dense(out)};
}

inline constexpr dlas::subsample_key subsamples[] = {
    subsampled({8, 8, 16}, 2, 8, 8, false), subsampled({7, 5, 3}, 2, 1, 4, false), subsampled({7, 9, 17}, 3, 5, 0, true),
    subsampled({4, 5, 33}, 1, 0, 7, true),  subsampled({6, 6, 5}, 2, 0, 0, true),
};

template <class Key>
struct kernel {
    Key key;
    void (*run)(const dlas::kernel_arguments&) = nullptr;
};

/// One target's kernels as plain data.
struct kernels {
    std::span<const kernel<dlas::pool2d_key>> pools;
    std::span<const kernel<dlas::pool2d_key>> byte_pools;
    std::span<const kernel<dlas::pool2d_key>> short_pools;
    std::span<const kernel<dlas::global_pool_key>> global_pools;
    std::span<const kernel<dlas::elementwise_key>> elementwise_maps;
    std::span<const kernel<dlas::subsample_key>> subsamples;
    int lanes = 1;
    void (*negated_exp)(const float* from, float* to) = nullptr;  ///< of one vector
    void (*sigmoid)(const float* from, float* to) = nullptr;
    void (*silu)(const float* from, float* to) = nullptr;
};

/// Defined by units compiled for the target.
template <class Target>
const kernels& compiled_kernels();

}  // namespace operators
