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
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (layer.depthwise()) return "im2col: in a depthwise layer each channel would be a matrix product with a single column";
        if (schedule.pixels != by_rule) return "schedule: im2col's blocks of pixels are the rows that its matrix holds, by rule";
        if (schedule.tile.columns > layer.out().width) return "schedule: im2col's register tile is larger than a row of the output";
        if (layer.gated) return gate_refusal(layer);
        return tiled_schedule_refusal<Target>(layer, schedule);
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr bool in_place = layer.kernel == extent(1) && layer.stride == extent(1) && layer.padding.empty();
        static constexpr int terms = layer.group_in() * layer.kernel.area();
        static constexpr int block_rows = [] {
            const int fitting = Target::l2_bytes / 2 / (4 * terms * out.width);
            const int tile_rows = Key.schedule.tile.rows > 0 ? Key.schedule.tile.rows : 1;
            return in_place || fitting > out.height ? out.height : fitting < tile_rows ? tile_rows : fitting / tile_rows * tile_rows;
        }();
        static constexpr extent map = {block_rows, out.width};
        static constexpr tiling tile = scheduled_tile<Target>(Key.schedule, map, layer.group_out());
        static constexpr tile_loops loops = scheduled_loops<Target>(Key.schedule, tile, map, layer.group_out(), map.area());
        static constexpr panel_layout panels = {float_lanes<Target>, tile.vectors};
        static constexpr std::int64_t packed_elements = panels.elements(layer);
        static constexpr std::int64_t workspace_bytes = in_place ? 0 : std::int64_t{4} * block_rows * out.width * terms;

        static constexpr tile_key key =
            layer_tile(Key, tile, in_place ? Key.in : placement{out.width * terms, terms}, {{}, {}, {terms, 1}});

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_panels<Target>(layer, panels, filter, bias, packed);
        }

        /// Rows of the matrix: one window each, rows x columns x channels.
        static void rearrange(const float* in, range rows, float* matrix) {
            matrix += std::int64_t{rows.begin} * out.width * terms;
            for (int row = rows.begin; row < rows.end; ++row)
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
            using gemm = tiled_gemm<key, loops, Target>;
            const tile_share share = gemm::share(a.part, a.parts);
            float* matrix = static_cast<float*>(a.workspace);
            for_each_group<Key>(a, packed_elements, [&](const float* in, const float* weights, const float* residual, float* output) {
                for (int block = 0; block < ceil_divide(out.height, block_rows); ++block) {
                    const int row = tile_begin(block, block_rows, out.height);
                    if constexpr (!in_place) {
                        rearrange(in + row * layer.stride.height * Key.in.row_stride, share_of(block_rows, a.part, a.parts), matrix);
                        a.meet();
                    }
                    gemm::run(in_place ? in + row * Key.in.row_stride : matrix, weights, residual + row * Key.residual.row_stride,
                              output + row * Key.out.row_stride, share);
                    if constexpr (!in_place) a.meet();
                }
            });
        }
    };
};

}  // namespace dlas
