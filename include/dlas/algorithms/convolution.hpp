// What every convolution algorithm is told and how its weights are packed. Algorithms & Data Formats.
//
// An algorithm is a policy (see direct.hpp for the shortest one):
//   refuses<Target>(layer, schedule)  why it cannot run the layer so; empty where it can
//   kernel<Key, Format, Target>       workspace_bytes, packed_elements, pack(filter, bias, packed), run(arguments)
// Contract of run(): the input has a halo of at least the layer's padding, filled with zeros; the output's halo is left alone.
#pragma once

#include <cstdint>
#include <string_view>

#include <dlas/algorithms/kernel.hpp>
#include <dlas/algorithms/register_tile.hpp>
#include <dlas/algorithms/schedule.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>

namespace dlas {

/// A convolution, where its feature maps lie and how it is scheduled: layers that agree in this share one kernel.
struct conv2d_key {
    conv2d_layer layer;
    placement in;
    placement out;
    placement residual;
    schedule_options schedule = {};

    constexpr bool operator==(const conv2d_key&) const = default;
    constexpr conv2d_key scheduled(const schedule_options& by) const { return {layer, in, out, residual, by}; }
};

/// Order in which the terms of a window are summed and its weights are packed.
enum class term_order : std::uint8_t {
    rows_columns_channels,  ///< as the pixels of NHWC lie
    channels_rows_columns,  ///< as in a packed tile with pixels innermost
};

/// Weights in panels: for each group and each block of `vectors` vectors of output channels, the biases, then one row for each term,
/// block of input channels after block. The last panel of a group has as many vectors as remain; channels are rounded up to whole
/// vectors, filled with zeros.
struct panel_layout {
    int lanes = 1;
    int vectors = 1;
    term_order order = term_order::rows_columns_channels;
    int block_inputs = 1 << 30;  ///< input channels whose terms are summed before the next ones'

    constexpr std::int64_t elements(const conv2d_layer& layer) const {
        const std::int64_t terms = std::int64_t{layer.group_in()} * layer.kernel.area();
        return layer.groups * std::int64_t{round_up(layer.group_out(), lanes)} * (1 + terms);
    }
    /// Position of a term among those of its panel.
    constexpr int term(const conv2d_layer& layer, int input, int at) const {
        const int inputs = layer.group_in(), area = layer.kernel.area();
        if (order == term_order::channels_rows_columns) return input * area + at;
        const int block = block_inputs < inputs ? block_inputs : inputs;
        const int first = input / block * block;
        const int width = first + block <= inputs ? block : inputs - first;
        return first * area + at * width + input - first;
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
                packed[lane] = first + lane < outputs ? bias[channel] : 0.0f;
            }
            packed += width;
            for (int i = 0; i < inputs; ++i)
                for (int at = 0; at < area; ++at) {
                    float* row = packed + std::int64_t{panels.term(layer, i, at)} * width;
                    for (int lane = 0; lane < width; ++lane) {
                        const std::int64_t channel = group * outputs + first + lane;
                        row[lane] = first + lane < outputs ? filter[(channel * inputs + i) * area + at] : 0.0f;
                    }
                }
            packed += std::int64_t{width} * inputs * area;
        }
}

/// First row or column of tile `index`: the last tile moves back to end where the output ends.
/// It then overlaps its neighbour; what is computed twice is the same, bit by bit, and two threads may do so.
constexpr int tile_begin(int index, int tile, int extent) {
    const int begin = index * tile;
    return begin + tile <= extent ? begin : extent - tile;
}

/// The loops around a register tile. Counted in tiles and channels of one group.
struct tile_loops {
    int rows = 1;  ///< output pixels
    int columns = 1;
    int channels = 1;  ///< output channels
    int block_tiles = 1 << 30;
    int block_panels = 1 << 30;
    int block_inputs = 1 << 30;  ///< of the innermost level of the sum
    int prefetch = by_rule;      ///< see schedule_options
    int packed_tile = 0;         ///< elements between the inputs of neighbouring tiles; 0: where the tile's placement says

    constexpr bool operator==(const tile_loops&) const = default;
};

/// Which of a convolution's tiles and panels a thread computes.
struct tile_share {
    range tiles;
    range panels;
};

/// One group of a convolution as register tiles over a rows x columns output whose inputs lie at constant strides.
template <tile_key Key, tile_loops Loops, class Target>
struct tiled_gemm {
    static constexpr int lanes = simd<float, Target>::lanes;
    static constexpr int vectors = ceil_divide(Loops.channels, lanes);
    static constexpr int panels = ceil_divide(vectors, Key.vectors);
    static constexpr int tile_columns = ceil_divide(Loops.columns, Key.columns);
    static constexpr int tiles = tile_columns * ceil_divide(Loops.rows, Key.rows);
    static constexpr int panel_floats = Key.vectors * lanes * ((Key.adds_bias ? 1 : 0) + Key.sum.terms());
    static constexpr int block_tiles = Loops.block_tiles < tiles ? Loops.block_tiles : tiles;
    static constexpr int block_panels = Loops.block_panels < panels ? Loops.block_panels : panels;
    static_assert(Key.rows <= Loops.rows && Key.columns <= Loops.columns, "[dlas] schedule: the register tile is larger than the output");

    /// Threads share the panels where weights are most of the memory that is read, else the pixels.
    static tile_share share(int part, int parts) {
        if (parts == 1) return {{0, tiles}, {0, panels}};
        const std::int64_t by_panels = std::int64_t{ceil_divide(panels, parts)} * tiles, by_tiles = std::int64_t{ceil_divide(tiles, parts)} * panels;
        constexpr bool weights_dominate = std::int64_t{Key.sum.terms()} * Loops.channels > std::int64_t{Loops.rows} * Loops.columns * (Loops.channels + Key.sum.terms());
        if (weights_dominate ? by_panels <= by_tiles + by_tiles / 8 : by_panels < by_tiles) return {{0, tiles}, share_of(panels, part, parts)};
        return {share_of(tiles, part, parts), {0, panels}};
    }

    static void run(const float* in, const float* weights, const float* residual, float* out, const tile_share& share) {
        for (int panel = share.panels.begin; panel < share.panels.end; panel += block_panels) {
            const int panel_end = panel + block_panels < share.panels.end ? panel + block_panels : share.panels.end;
            for (int tile = share.tiles.begin; tile < share.tiles.end; tile += block_tiles) {
                const range block = {tile, tile + block_tiles < share.tiles.end ? tile + block_tiles : share.tiles.end};
                // All panels but the last are alike.
                int i = panel;
                for (; i < panel_end && i < alike; ++i) run_panel<panel_key(Key.vectors, lanes)>(i, block, in, weights, residual, out);
                if constexpr (alike < panels)
                    if (i < panel_end) run_panel<panel_key(vectors - alike * Key.vectors, last_lanes)>(i, block, in, weights, residual, out);
            }
        }
    }

private:
    static constexpr int last_lanes = Loops.channels % lanes == 0 ? lanes : Loops.channels % lanes;
    static constexpr int alike = vectors % Key.vectors == 0 && last_lanes == lanes ? panels : panels - 1;

    static constexpr tile_key panel_key(int of_vectors, int of_lanes) {
        tile_key key = Key;
        key.vectors = of_vectors;
        key.last_lanes = of_lanes;
        return key;
    }

    template <tile_key Panel>
    static void run_panel(int index, range block, const float* in, const float* weights, const float* residual, float* out) {
        constexpr int inputs = Key.sum.inner.count;
        constexpr int block_inputs = Loops.block_inputs < inputs ? Loops.block_inputs : inputs;
        constexpr int input_blocks = ceil_divide(inputs, block_inputs);
        const float* panel = weights + std::int64_t{index} * panel_floats;
        out += index * Key.vectors * lanes;
        if constexpr (Key.adds_residual) residual += index * Key.vectors * lanes;
        if constexpr (input_blocks == 1) {
            run_tiles<input_block(Panel, inputs, true, true)>(block, in, panel, residual, out);
        } else {
            static_assert(Loops.rows % Key.rows == 0 && Loops.columns % Key.columns == 0,
                          "[dlas] schedule: blocks of input channels need register tiles that cut the output evenly");
            constexpr int width = Panel.vectors * lanes, terms = Key.sum.terms() / inputs * block_inputs;
            run_tiles<input_block(Panel, block_inputs, true, false)>(block, in, panel, residual, out);
            if constexpr (Key.adds_bias) panel += width;
            for (int i = 1; i < input_blocks - 1; ++i) {
                in += block_inputs * Key.sum.inner.stride;
                panel += width * terms;
                run_tiles<input_block(Panel, block_inputs, false, false)>(block, in, panel, residual, out);
            }
            run_tiles<input_block(Panel, inputs - (input_blocks - 1) * block_inputs, false, true)>(
                block, in + block_inputs * Key.sum.inner.stride, panel + width * terms, residual, out);
        }
    }

    static constexpr tile_key input_block(tile_key key, int inputs, bool first, bool last) {
        key.sum.inner.count = inputs;
        key.sum = key.sum.merged();
        if (!first) {
            key.adds_bias = false;
            key.continues = true;
        }
        if (!last) {
            key.adds_residual = false;
            key.function = activation::none;
        }
        return key;
    }

    /// Weights come from far caches: while the tiles of a block use those of one panel, the next one's are asked for bit by bit.
    /// Where there is one tile, or two panels are too much for the second-level cache, the distance is constant instead.
    template <tile_key Block>
    static void run_tiles(range block, const float* in, const float* panel, const float* residual, float* out) {
        constexpr int width = Block.vectors * lanes;
        constexpr int floats = width * ((Block.adds_bias ? 1 : 0) + Block.sum.terms());
        constexpr bool spread = Loops.prefetch == by_rule && block_tiles > 1 && 4 * floats <= Target::l2_bytes / 2;
        constexpr int distance = Loops.prefetch == by_rule ? Target::prefetch_bytes : Loops.prefetch;
        constexpr int share = ceil_divide(floats, block_tiles);
        constexpr bool at_once = spread && share <= 8 * 16;
        constexpr tile_key tile = [] {
            tile_key key = Block;
            key.ahead_floats = distance == 0 || at_once ? 0 : spread ? ceil_divide(width, block_tiles) : width;
            return key;
        }();
        const float* ahead = panel + (spread ? floats : distance / 4);
        for (int t = block.begin; t < block.end; ++t) {
            const int row = tile_begin(t / tile_columns, Key.rows, Loops.rows), column = tile_begin(t % tile_columns, Key.columns, Loops.columns);
            if constexpr (distance != 0 && at_once) prefetch<share>(ahead);
            const float* from = Loops.packed_tile > 0 ? in + t * Loops.packed_tile : in + row * Key.in.row_stride + column * Key.in.pixel_stride;
            register_tile<tile, Target>::run(from, panel, ahead, residual + row * Key.residual.row_stride + column * Key.residual.pixel_stride,
                                             out + row * Key.out.row_stride + column * Key.out.pixel_stride);
            if constexpr (spread) ahead += at_once ? share : tile.ahead_floats * Block.sum.terms();
        }
    }
};

/// The tile's key of a layer whose input is addressed by `in` (between output pixels) and `sum`.
constexpr tile_key layer_tile(const conv2d_key& key, tiling tile, placement in, reduction sum) {
    return {.rows = tile.rows, .columns = tile.columns, .vectors = tile.vectors, .last_lanes = 0, .in = in, .out = key.out,
            .residual = key.residual, .sum = sum, .adds_residual = key.layer.residual, .adds_bias = true,
            .function = key.layer.activation};
}

/// The loops that a schedule asks for. `block_pixels` is the rule's block of pixels where the schedule states none.
template <class Target>
constexpr tile_loops scheduled_loops(const schedule_options& schedule, tiling tile, extent map, int channels, int block_pixels) {
    const int tiles = ceil_divide(map.height, tile.rows) * ceil_divide(map.width, tile.columns);
    const int pixels = schedule.pixels == by_rule ? block_pixels : schedule.pixels;
    const int most_tiles = pixels / (tile.rows * tile.columns);
    const int panel = tile.vectors * float_lanes<Target>;
    tile_loops loops = {.rows = map.height, .columns = map.width, .channels = channels};
    // Blocks of nearly equal size.
    loops.block_tiles = ceil_divide(tiles, ceil_divide(tiles, most_tiles < 1 ? 1 : most_tiles));
    if (schedule.channels != by_rule) loops.block_panels = schedule.channels < panel ? 1 : schedule.channels / panel;
    if (schedule.inputs != by_rule) loops.block_inputs = schedule.inputs;
    loops.prefetch = schedule.prefetch;
    return loops;
}

/// The register tile that a schedule states, or the rule's.
template <class Target>
consteval tiling scheduled_tile(const schedule_options& schedule, extent map, int channels) {
    if (schedule.tile.rows > 0) return schedule.tile;
    return choose_tiling<Target>(map.height, map.width, channels);
}

/// The input of a layer's first window: as far before the first pixel as the padding reaches into the halo.
template <conv2d_key Key>
const float* first_window(const kernel_arguments& a) {
    return static_cast<const float*>(a.input) - Key.layer.padding.top * Key.in.row_stride - Key.layer.padding.left * Key.in.pixel_stride;
}

/// Calls visit(first window, panels, residual, output) for each group of a layer.
template <conv2d_key Key, class Visit>
[[gnu::always_inline]] inline void for_each_group(const kernel_arguments& a, std::int64_t packed_elements, Visit visit) {
    const float* in = first_window<Key>(a);
    const float* panels = static_cast<const float*>(a.weights);
    const float* residual = static_cast<const float*>(a.second);
    float* out = static_cast<float*>(a.output);
    for (int group = 0; group < Key.layer.groups; ++group) {
        visit(in, panels, residual, out);
        in += Key.layer.group_in();
        panels += packed_elements / Key.layer.groups;
        out += Key.layer.group_out();
        if constexpr (Key.layer.residual) residual += Key.layer.group_out();
    }
}

}  // namespace dlas
