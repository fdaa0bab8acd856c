// Spatial-pack convolution: TVM's tiling for CPUs. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>

namespace dlas {

/// Packs the input window of each tile of output pixels as [channel][row][column], so that a register tile reads
/// neighbouring pixels from neighbouring addresses (Zheng et al., TVM's conv2d_spatial_pack).
struct spatial_pack {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "spatial_pack";

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (layer.depthwise()) return "spatial_pack: a depthwise layer has one input channel for each output channel, nothing to reuse a packed tile for";
        if (schedule.inputs != by_rule) return "schedule: spatial_pack sums all input channels of a packed tile at once";
        if (schedule.tile.columns > layer.out().width) return "schedule: spatial_pack's register tile is larger than a row of the output";
        if (layer.gated) return gate_refusal(layer);
        return tiled_schedule_refusal<Target>(layer, schedule);
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr extent map = {out.height, out.width};
        static constexpr tiling tile = scheduled_tile<Target>(Key.schedule, map, layer.group_out());
        static constexpr int packed_rows = (tile.rows - 1) * layer.stride.height + layer.reach().height;
        static constexpr int packed_columns = (tile.columns - 1) * layer.stride.width + layer.reach().width;
        static constexpr int packed_tile = packed_rows * packed_columns * layer.group_in();
        static constexpr int tile_rows = ceil_divide(out.height, tile.rows);
        static constexpr int tile_columns = ceil_divide(out.width, tile.columns);
        static constexpr tile_loops loops = [] {
            tile_loops packed = scheduled_loops<Target>(Key.schedule, tile, map, layer.group_out(), out.pixels());
            packed.packed_tile = packed_tile;
            return packed;
        }();
        static constexpr panel_layout panels = {float_lanes<Target>, tile.vectors, term_order::channels_rows_columns};
        static constexpr std::int64_t packed_elements = panels.elements(layer);
        static constexpr std::int64_t workspace_bytes = std::int64_t{4} * packed_tile * tile_rows * tile_columns;

        static constexpr tile_key key =
            layer_tile(Key, tile, {layer.stride.height * packed_columns, layer.stride.width},
                       {{layer.group_in(), packed_rows * packed_columns},
                        {layer.kernel.height, layer.dilation.height * packed_columns},
                        {layer.kernel.width, layer.dilation.width}});

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_panels<Target>(layer, panels, filter, bias, packed);
        }

        static void pack_input(const float* in, range tiles, float* packed) {
            packed += std::int64_t{tiles.begin} * packed_tile;
            for (int t = tiles.begin; t < tiles.end; ++t) {
                const float* window = in + tile_begin(t / tile_columns, tile.rows, out.height) * layer.stride.height * Key.in.row_stride +
                                      tile_begin(t % tile_columns, tile.columns, out.width) * layer.stride.width * Key.in.pixel_stride;
                for (int row = 0; row < packed_rows; ++row)
                    for (int column = 0; column < packed_columns; ++column)
                        for (int channel = 0; channel < layer.group_in(); ++channel)
                            packed[(channel * packed_rows + row) * packed_columns + column] =
                                window[row * Key.in.row_stride + column * Key.in.pixel_stride + channel];
                packed += packed_tile;
            }
        }

        static void run(const kernel_arguments& a) {
            using gemm = tiled_gemm<key, loops, Target>;
            const tile_share share = gemm::share(a.part, a.parts);
            float* packed = static_cast<float*>(a.workspace);
            for_each_group<Key>(a, packed_elements, [&](const float* in, const float* weights, const float* residual, float* output) {
                pack_input(in, share_of(tile_rows * tile_columns, a.part, a.parts), packed);
                a.meet();
                gemm::run(packed, weights, residual, output, share);
                a.meet();
            });
        }
    };
};

}  // namespace dlas
