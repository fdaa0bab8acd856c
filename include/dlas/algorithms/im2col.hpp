// Convolution as one matrix product over rearranged windows. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>

namespace dlas {

/// Copies the windows of a block of output rows into the rows of a matrix, then multiplies (Chellapilla et al., 2006).
/// Blocks keep the matrix in the second-level cache. A 1x1 window of stride 1 is multiplied where it lies.
struct im2col {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "im2col";

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        if (layer.depthwise()) return "im2col: in a depthwise layer each channel would be a matrix product with a single column";
        return {};
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr bool in_place = layer.kernel == extent(1) && layer.stride == extent(1) && layer.padding.empty();
        static constexpr int terms = layer.group_in() * layer.kernel.area();
        static constexpr int block_rows = [] {
            const int fitting = Target::l2_bytes / 2 / (4 * terms * out.width);
            return fitting < 1 ? 1 : fitting < out.height && !in_place ? fitting : out.height;
        }();
        static constexpr tiling tile = choose_tiling<Target>(block_rows, out.width, layer.group_out());
        static constexpr panel_layout panels = {float_lanes<Target>, tile.vectors};
        static constexpr std::int64_t packed_elements = panels.elements(layer);
        static constexpr std::int64_t workspace_bytes = in_place ? 0 : std::int64_t{4} * block_rows * out.width * terms;

        static constexpr tile_key key =
            layer_tile(Key, tile, in_place ? Key.in : placement{out.width * terms, terms}, {{}, {}, {terms, 1}});

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_panels<Target>(layer, panels, filter, bias, packed);
        }

        /// Rows of the matrix: one window each, rows x columns x channels.
        static void rearrange(const float* in, int first_row, float* matrix) {
            for (int row = first_row; row < first_row + block_rows; ++row)
                for (int column = 0; column < out.width; ++column) {
                    const float* window = in + row * layer.stride.height * Key.in.row_stride + column * layer.stride.width * Key.in.pixel_stride;
                    for (int r = 0; r < layer.kernel.height; ++r)
                        for (int c = 0; c < layer.kernel.width; ++c) {
                            const float* from = window + r * layer.dilation.height * Key.in.row_stride + c * layer.dilation.width * Key.in.pixel_stride;
                            __builtin_memcpy(matrix, from, sizeof(float) * layer.group_in());
                            matrix += layer.group_in();
                        }
                }
        }

        static void run(const kernel_arguments& a) {
            const float* in = static_cast<const float*>(a.input) - layer.padding.top * Key.in.row_stride - layer.padding.left * Key.in.pixel_stride;
            const float* residual = static_cast<const float*>(a.second);
            float* output = static_cast<float*>(a.output);
            float* matrix = static_cast<float*>(a.workspace);
            for (int group = 0; group < layer.groups; ++group) {
                const float* panel = static_cast<const float*>(a.weights) + group * (packed_elements / layer.groups);
                for (int block = 0; block < ceil_divide(out.height, block_rows); ++block) {
                    const int row = tile_begin(block, block_rows, out.height);
                    if constexpr (!in_place) rearrange(in, row, matrix);
                    tiled_gemm<key, block_rows, out.width, layer.group_out(), Target>::run(
                        in_place ? in + row * Key.in.row_stride : matrix, panel, residual + row * Key.residual.row_stride,
                        output + row * Key.out.row_stride);
                }
                in += layer.group_in();
                output += layer.group_out();
                if constexpr (layer.residual) residual += layer.group_out();
            }
        }
    };
};

}  // namespace dlas
