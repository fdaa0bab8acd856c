// What every convolution algorithm is told and how its weights are packed. Algorithms & Data Formats.
//
// An algorithm is a policy (see direct.hpp for the shortest one):
//   refuses<Target>(layer)            why it cannot run the layer; empty where it can
//   kernel<Key, Format, Target>       workspace_bytes, packed_elements, pack(filter, bias, packed), run(arguments)
// Contract of run(): the input has a halo of at least the layer's padding, filled with zeros; the output's halo is left alone.
#pragma once

#include <cstdint>
#include <string_view>

#include <dlas/algorithms/kernel.hpp>
#include <dlas/algorithms/register_tile.hpp>
#include <dlas/algorithms/tiling.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>

namespace dlas {

/// A convolution and where its feature maps lie: layers that agree in this share one kernel.
struct conv2d_key {
    conv2d_layer layer;
    placement in;
    placement out;
    placement residual;

    constexpr bool operator==(const conv2d_key&) const = default;
};

/// Order in which the terms of a window are summed and its weights are packed.
enum class term_order : std::uint8_t {
    rows_columns_channels,  ///< as the pixels of NHWC lie
    channels_rows_columns,  ///< as in a packed tile with pixels innermost
};

/// Weights in panels: for each group and each block of `vectors` vectors of output channels, the biases, then one row for each term.
/// The last block of a group has as many vectors as remain; channels are rounded up to whole vectors, filled with zeros.
struct panel_layout {
    int lanes = 1;
    int vectors = 1;
    term_order order = term_order::rows_columns_channels;

    constexpr std::int64_t elements(const conv2d_layer& layer) const {
        const std::int64_t terms = std::int64_t{layer.group_in()} * layer.kernel.area();
        return layer.groups * std::int64_t{round_up(layer.group_out(), lanes)} * (1 + terms);
    }
};

/// Packs OIHW filters into panels. `Target` marks the copy of the code; nothing in it depends on the ISA.
template <class Target>
void pack_panels(const conv2d_layer& layer, const panel_layout& panels, const float* filter, const float* bias, float* packed) {
    const int inputs = layer.group_in();
    const int outputs = layer.group_out();
    const int area = layer.kernel.area();
    const int block = panels.lanes * panels.vectors;
    for (int group = 0; group < layer.groups; ++group)
        for (int first = 0; first < outputs; first += block) {
            const int remaining = round_up(outputs - first, panels.lanes);
            const int width = remaining < block ? remaining : block;
            for (int lane = 0; lane < width; ++lane) {
                const int channel = group * outputs + first + lane;
                const bool exists = first + lane < outputs;
                packed[lane] = exists ? bias[channel] : 0.0f;
                for (int i = 0; i < inputs; ++i)
                    for (int at = 0; at < area; ++at) {
                        const int term = panels.order == term_order::rows_columns_channels ? at * inputs + i : i * area + at;
                        packed[(1 + term) * width + lane] =
                            exists ? filter[(std::int64_t{channel} * inputs + i) * area + at] : 0.0f;
                    }
            }
            packed += std::int64_t{width} * (1 + inputs * area);
        }
}

/// Visits the blocks of output channels of one group. Blocks are outermost, so that each panel of weights is read from memory once.
/// `visit.template operator()<BlockKey>(panel, residual, out)` gets the tile's key completed for the block.
template <tile_key Key, int Channels, class Target, class Visit>
void for_each_block(const float* panel, const float* residual, float* out, Visit visit) {
    constexpr int lanes = simd<float, Target>::lanes;
    constexpr int vectors = ceil_divide(Channels, lanes);
    constexpr int rest = vectors % Key.vectors;
    constexpr bool whole_lanes = Channels % lanes == 0;
    constexpr int plain_blocks = vectors / Key.vectors - (rest == 0 && !whole_lanes ? 1 : 0);
    constexpr int width = Key.vectors * lanes;
    constexpr auto block = [](int block_vectors, int last) {
        tile_key key = Key;
        key.vectors = block_vectors;
        key.last_lanes = last;
        return key;
    };
    for (int i = 0; i < plain_blocks; ++i) {
        visit.template operator()<block(Key.vectors, lanes)>(panel, residual, out);
        panel += std::int64_t{width} * ((Key.adds_bias ? 1 : 0) + Key.sum.terms());
        out += width;
        if constexpr (Key.adds_residual) residual += width;
    }
    if constexpr (rest != 0) visit.template operator()<block(rest, whole_lanes ? lanes : Channels % lanes)>(panel, residual, out);
    else if constexpr (!whole_lanes) visit.template operator()<block(Key.vectors, Channels % lanes)>(panel, residual, out);
}

/// First row or column of tile `index`: the last tile moves back to end where the output ends.
/// It then overlaps its neighbour; what is computed twice is the same.
constexpr int tile_begin(int index, int tile, int extent) {
    const int begin = index * tile;
    return begin + tile <= extent ? begin : extent - tile;
}

/// One group of a convolution as register tiles over a rows x columns output whose inputs lie at constant strides.
template <tile_key Key, int Rows, int Columns, int Channels, class Target>
struct tiled_gemm {
    static void run(const float* in, const float* panel, const float* residual, float* out) {
        for_each_block<Key, Channels, Target>(
            panel, residual, out, [in]<tile_key Block>(const float* weights, const float* added, float* to) {
                for (int r = 0; r < ceil_divide(Rows, Block.rows); ++r) {
                    const int row = tile_begin(r, Block.rows, Rows);
                    for (int c = 0; c < ceil_divide(Columns, Block.columns); ++c) {
                        const int column = tile_begin(c, Block.columns, Columns);
                        register_tile<Block, Target>::run(in + row * Block.in.row_stride + column * Block.in.pixel_stride, weights,
                                                          added + row * Block.residual.row_stride + column * Block.residual.pixel_stride,
                                                          to + row * Block.out.row_stride + column * Block.out.pixel_stride);
                    }
                }
            });
    }
};

/// The tile's key of a layer whose input is addressed by `in` (between output pixels) and `sum`.
constexpr tile_key layer_tile(const conv2d_key& key, tiling tile, placement in, reduction sum) {
    return {.rows = tile.rows, .columns = tile.columns, .vectors = tile.vectors, .last_lanes = 0, .in = in, .out = key.out,
            .residual = key.residual, .sum = sum.merged(), .adds_residual = key.layer.residual, .adds_bias = true,
            .function = key.layer.activation};
}

}  // namespace dlas
