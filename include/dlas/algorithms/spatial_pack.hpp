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
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        if (layer.depthwise()) return "spatial_pack: a depthwise layer has one input channel for each output channel, nothing to reuse a packed tile for";
        return {};
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr tiling tile = choose_tiling<Target>(out.height, out.width, layer.group_out());
        static constexpr panel_layout panels = {float_lanes<Target>, tile.vectors, term_order::channels_rows_columns};
        static constexpr int packed_rows = (tile.rows - 1) * layer.stride.height + layer.reach().height;
        static constexpr int packed_columns = (tile.columns - 1) * layer.stride.width + layer.reach().width;
        static constexpr int packed_tile = packed_rows * packed_columns * layer.group_in();
        static constexpr int tile_rows = ceil_divide(out.height, tile.rows);
        static constexpr int tile_columns = ceil_divide(out.width, tile.columns);
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

        static void pack_input(const float* in, float* packed) {
            for (int r = 0; r < tile_rows; ++r)
                for (int c = 0; c < tile_columns; ++c) {
                    const float* window = in + tile_begin(r, tile.rows, out.height) * layer.stride.height * Key.in.row_stride +
                                          tile_begin(c, tile.columns, out.width) * layer.stride.width * Key.in.pixel_stride;
                    for (int row = 0; row < packed_rows; ++row)
                        for (int column = 0; column < packed_columns; ++column)
                            for (int channel = 0; channel < layer.group_in(); ++channel)
                                packed[(channel * packed_rows + row) * packed_columns + column] =
                                    window[row * Key.in.row_stride + column * Key.in.pixel_stride + channel];
                    packed += packed_tile;
                }
        }

        static void run(const kernel_arguments& a) {
            const float* in = static_cast<const float*>(a.input) - layer.padding.top * Key.in.row_stride - layer.padding.left * Key.in.pixel_stride;
            const float* residual = static_cast<const float*>(a.second);
            float* output = static_cast<float*>(a.output);
            float* packed = static_cast<float*>(a.workspace);
            for (int group = 0; group < layer.groups; ++group) {
                pack_input(in, packed);
                for_each_block<key, layer.group_out(), Target>(
                    static_cast<const float*>(a.weights) + group * (packed_elements / layer.groups), residual, output,
                    [packed]<tile_key Block>(const float* panel, const float* added, float* to) {
                        for (int r = 0; r < tile_rows; ++r)
                            for (int c = 0; c < tile_columns; ++c) {
                                const int row = tile_begin(r, tile.rows, out.height);
                                const int column = tile_begin(c, tile.columns, out.width);
                                register_tile<Block, Target>::run(packed + (r * tile_columns + c) * packed_tile, panel,
                                                                  added + row * Block.residual.row_stride + column * Block.residual.pixel_stride,
                                                                  to + row * Block.out.row_stride + column * Block.out.pixel_stride);
                            }
                    });
                in += layer.group_in();
                output += layer.group_out();
                if constexpr (layer.residual) residual += layer.group_out();
            }
        }
    };
};

}  // namespace dlas
