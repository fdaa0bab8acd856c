// Spatial-pack convolution: TVM's tiling for CPUs. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/window_product.hpp>

namespace dlas {

/// Packs the input window of each tile of output pixels as [block of channels][row][column][channel], so that a register tile reads
/// neighbouring pixels from neighbouring addresses (Zheng et al., TVM's conv2d_spatial_pack). A block is as many channels as products sum up
/// at a time: one of floats, those of a dot product, or all where weights have scales for several terms.
struct spatial_pack {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "spatial_pack";
    static constexpr bool runs_any_format = true;

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (layer.depthwise())
            return "spatial_pack: a depthwise layer has one input channel for each output channel, nothing to reuse a packed tile for";
        if (schedule.inputs != by_rule) return "schedule: spatial_pack sums all input channels of a packed tile at once";
        if (schedule.tile.columns > layer.out().width) return "schedule: spatial_pack's register tile is larger than a row of the output";
        if (layer.gated) return gate_refusal(layer);
        return tiled_schedule_refusal<Target>(layer, schedule);
    }

    /// A packed tile.
    template <class Format, class Target>
    struct packing {
        element type;
        int channels;  ///< of a block
        int blocks;
        tiling tile;
        bool spread;  ///< dilated columns are packed side by side for each pixel: a run of channels has no gaps
        int rows;
        int columns;

        explicit constexpr packing(const conv2d_key& key, tiling registers = {})
            : type(window_element<Format, Target>(key.in.type)), tile(registers) {
            const conv2d_layer& layer = key.layer;
            channels = product_has_dots<Format, Target>(type) ? dot_bytes / element_bytes(type) : scaled_format<Format> ? layer.group_in() : 1;
            blocks = ceil_divide(layer.group_in(), channels);
            spread = channels > 1 && layer.dilation.width > 1;
            rows = (tile.rows - 1) * layer.stride.height + layer.reach().height;
            columns = spread ? tile.columns * layer.kernel.width : (tile.columns - 1) * layer.stride.width + layer.reach().width;
        }
        constexpr int elements() const { return blocks * rows * columns * channels; }
        constexpr int column_stride(const conv2d_layer& layer) const { return channels * (spread ? layer.kernel.width : layer.stride.width); }
        /// The column of the tile's window that is packed as the given one.
        constexpr int source(const conv2d_layer& layer, int column) const {
            if (!spread) return column;
            return column / layer.kernel.width * layer.stride.width + column % layer.kernel.width * layer.dilation.width;
        }
        constexpr reduction sum(const conv2d_layer& layer) const {
            const int row = columns * channels;
            const reduction::level of_blocks = {blocks, rows * row}, of_rows = {layer.kernel.height, layer.dilation.height * row};
            if (channels == 1) return {of_blocks, of_rows, {layer.kernel.width, layer.dilation.width}};
            return {of_blocks, of_rows, {layer.kernel.width * channels, 1}};
        }
    };

    template <class Format, class Target>
    static consteval window_tiles windows_of(const conv2d_key& key) {
        const conv2d_layer& layer = key.layer;
        const shape out = layer.out();
        const extent map = {out.height, out.width};
        const packing<Format, Target> one(key);  // terms are as many whatever the tile
        const packing<Format, Target> packed(
            key, product_tile<Format, Target>(key.schedule, map, layer.group_out(), {0, 0, one.type}, one.sum(layer), map.area()));
        window_tiles windows = {.in = {layer.stride.height * packed.columns * packed.channels, packed.column_stride(layer), packed.type},
                                .sum = packed.sum(layer),
                                .channel_block = scaled_format<Format> ? all_channels : packed.channels,
                                .tile = packed.tile};
        windows.loops = scheduled_loops<Target>(key.schedule, packed.tile, map, layer.group_out(), out.pixels());
        windows.loops.packed_tile = packed.elements();
        return windows;
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel : window_product<Key, windows_of<Format, Target>(Key), Format, Target> {
        using product = window_product<Key, windows_of<Format, Target>(Key), Format, Target>;
        using gemm = typename product::gemm;
        using input = element_type<Key.in.type>;
        using packed_element = typename gemm::input;
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr packing<Format, Target> packed{Key, windows_of<Format, Target>(Key).tile};
        static constexpr int tile_rows = ceil_divide(out.height, packed.tile.rows);
        static constexpr int tile_columns = ceil_divide(out.width, packed.tile.columns);
        static constexpr bool shares_workspace = true;
        static constexpr std::int64_t workspace_bytes = std::int64_t{element_bytes(packed.type)} * packed.elements() * tile_rows * tile_columns +
                                                        (is_quantized(packed.type) ? dot_slack<Target> : 0);

        static void run(const kernel_arguments& a) {
            const tile_share share = gemm::share(a.part, a.parts);
            const auto finish = product::finish(a);
            auto* tiles = static_cast<packed_element*>(a.workspace);
            for (int group = 0; group < layer.groups; ++group) {
                pack_input(first_window<Key>(a) + group * layer.group_in(), share_of(tile_rows * tile_columns, a.part, a.parts), tiles);
                a.meet();
                product::run(a, tiles, group, 0, share, finish);
                a.meet();
            }
        }

    private:
        static void pack_input(const input* in, range tiles, packed_element* to) {
            to += std::int64_t{tiles.begin} * packed.elements();
            for (int t = tiles.begin; t < tiles.end; ++t) {
                const input* window = in + tile_begin(t / tile_columns, packed.tile.rows, out.height) * layer.stride.height * Key.in.row_stride +
                                      tile_begin(t % tile_columns, packed.tile.columns, out.width) * layer.stride.width * Key.in.pixel_stride;
                for (int row = 0; row < packed.rows; ++row)
                    for (int column = 0; column < packed.columns; ++column) {
                        const input* pixel = window + row * Key.in.row_stride + packed.source(layer, column) * Key.in.pixel_stride;
                        packed_element* block = to + (row * packed.columns + column) * packed.channels;
                        for (int first = 0; first < layer.group_in(); first += packed.channels) {
                            pack_channels(pixel + first, first, block);
                            block += packed.rows * packed.columns * packed.channels;
                        }
                    }
                to += packed.elements();
            }
        }

        /// The channels of a block from `first` on; beyond the last one there are zeros.
        [[gnu::always_inline]] static inline void pack_channels(const input* from, int first, packed_element* to) {
            constexpr int rest = layer.group_in() % packed.channels;
            if (rest == 0 || first + packed.channels <= layer.group_in()) {
                copy_window_part<packed.channels, Target>(from, to);
            } else {
                copy_window_part<rest, Target>(from, to);
                for (int i = rest; i < packed.channels; ++i) to[i] = {};
            }
        }
    };
};

}  // namespace dlas
