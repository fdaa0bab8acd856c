// Direct convolution: register tiles read the feature map where it lies. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>

namespace dlas {

/// Sums over the window in place, without a transformed or rearranged input. Any kernel, stride and dilation; groups of more than one channel.
struct direct {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "direct";

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        if (layer.depthwise()) return "direct: in a depthwise layer each channel is a sum of its own, which leaves one lane of a vector busy";
        return {};
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        /// 1x1 windows over maps without a halo: the pixels of all rows are one long row.
        static constexpr bool one_row = layer.kernel == extent(1) && layer.stride == extent(1) &&
                                        Key.in.row_stride == out.width * Key.in.pixel_stride &&
                                        Key.out.row_stride == out.width * Key.out.pixel_stride &&
                                        (!layer.residual || Key.residual.row_stride == out.width * Key.residual.pixel_stride);
        static constexpr int rows = one_row ? 1 : out.height;
        static constexpr int columns = one_row ? out.pixels() : out.width;
        static constexpr tiling tile = choose_tiling<Target>(rows, columns, layer.group_out());
        /// Pixels that all channels are computed for before the next ones: their input stays in the first-level cache, the weights in the
        /// second-level one, and the output is written once and in order. Where the weights are too large for that they lead instead.
        static constexpr extent block = [] {
            const std::int64_t weights = 4 * layer.filter_elements() / layer.groups;
            if (weights > Target::l2_bytes / 2 || ceil_divide(layer.group_out(), float_lanes<Target>) <= tile.vectors) return extent(rows, columns);
            const int pixels = Target::l1_bytes / 2 / (4 * layer.in.channels * layer.stride.area());
            if (rows > 1) return extent(whole_tiles(rows, tile.rows, pixels / columns), columns);
            return extent(1, whole_tiles(columns, tile.columns, pixels));
        }();
        static constexpr panel_layout panels = {float_lanes<Target>, tile.vectors};
        static constexpr std::int64_t packed_elements = panels.elements(layer);
        static constexpr std::int64_t workspace_bytes = 0;

        static constexpr tile_key key = layer_tile(
            Key, tile, {layer.stride.height * Key.in.row_stride, layer.stride.width * Key.in.pixel_stride},
            {{layer.kernel.height, layer.dilation.height * Key.in.row_stride},
             {layer.kernel.width, layer.dilation.width * Key.in.pixel_stride},
             {layer.group_in(), 1}});

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_panels<Target>(layer, panels, filter, bias, packed);
        }

        static void run(const kernel_arguments& a) {
            const float* in = static_cast<const float*>(a.input) - layer.padding.top * Key.in.row_stride - layer.padding.left * Key.in.pixel_stride;
            for (int group = 0; group < layer.groups; ++group)
                for (int r = 0; r < ceil_divide(rows, block.height); ++r) {
                    const int row = tile_begin(r, block.height, rows);
                    for (int c = 0; c < ceil_divide(columns, block.width); ++c) {
                        const int column = tile_begin(c, block.width, columns);
                        tiled_gemm<key, block.height, block.width, layer.group_out(), Target>::run(
                            in + group * layer.group_in() + row * key.in.row_stride + column * key.in.pixel_stride,
                            static_cast<const float*>(a.weights) + group * (packed_elements / layer.groups),
                            static_cast<const float*>(a.second) + (layer.residual ? group * layer.group_out() : 0) +
                                row * key.residual.row_stride + column * key.residual.pixel_stride,
                            static_cast<float*>(a.output) + group * layer.group_out() + row * key.out.row_stride + column * key.out.pixel_stride);
                    }
                }
        }
    };
};

}  // namespace dlas
