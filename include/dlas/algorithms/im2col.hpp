// Convolution as one matrix product over rearranged windows. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/window_product.hpp>

namespace dlas {

/// Copies the windows of a block of output rows into the rows of a matrix, then multiplies (Chellapilla et al., 2006).
/// Blocks keep the matrix in the second-level cache. A 1x1 window of stride 1 is multiplied where it lies.
struct im2col {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "im2col";
    static constexpr bool runs_any_format = true;

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (layer.depthwise()) return "im2col: in a depthwise layer each channel would be a matrix product with a single column";
        if (schedule.pixels != by_rule) return "schedule: im2col's blocks of pixels are the rows that its matrix holds, by rule";
        if (schedule.tile.columns > layer.out().width) return "schedule: im2col's register tile is larger than a row of the output";
        if (layer.gated) return gate_refusal(layer);
        return tiled_schedule_refusal<Target>(layer, schedule);
    }

    /// A matrix of elements that products of a format read; rows of `terms` elements are the windows.
    template <class Format, class Target>
    struct matrix {
        element type;
        bool in_place;
        int terms;
        int block_rows;  ///< rows of the output whose windows it holds

        explicit constexpr matrix(const conv2d_key& key)
            : type(window_element<Format, Target>(key.in.type)),
              in_place(type == key.in.type && key.layer.kernel == extent(1) && key.layer.stride == extent(1) && key.layer.padding.empty()),
              terms(key.layer.group_in() * key.layer.kernel.area()) {
            const shape out = key.layer.out();
            const int fitting = Target::l2_bytes / 2 / (element_bytes(type) * terms * out.width);
            const int tile_rows = key.schedule.tile.rows > 0 ? key.schedule.tile.rows : 1;
            block_rows = in_place || fitting > out.height ? out.height : fitting < tile_rows ? tile_rows : fitting / tile_rows * tile_rows;
        }
        constexpr std::int64_t bytes(int width) const {
            return std::int64_t{element_bytes(type)} * block_rows * width * terms + (is_quantized(type) ? dot_slack<Target> : 0);
        }
    };

    template <class Format, class Target>
    static consteval window_tiles windows_of(const conv2d_key& key) {
        const matrix<Format, Target> windows(key);
        const int width = key.layer.out().width;
        const extent map = {windows.block_rows, width};
        window_tiles of_matrix = {.in = windows.in_place ? key.in : placement{width * windows.terms, windows.terms, windows.type},
                                  .sum = {{}, {}, {windows.terms, 1}}};
        of_matrix.tile = product_tile<Format, Target>(key.schedule, map, key.layer.group_out(), of_matrix.in, of_matrix.sum, map.area());
        of_matrix.loops = scheduled_loops<Target>(key.schedule, of_matrix.tile, map, key.layer.group_out(), map.area());
        return of_matrix;
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel : window_product<Key, windows_of<Format, Target>(Key), Format, Target> {
        using product = window_product<Key, windows_of<Format, Target>(Key), Format, Target>;
        using gemm = typename product::gemm;
        using input = element_type<Key.in.type>;
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr matrix<Format, Target> windows{Key};
        static constexpr bool shares_workspace = true;
        static constexpr std::int64_t workspace_bytes = windows.in_place ? 0 : windows.bytes(out.width);

        static void run(const kernel_arguments& a) {
            const tile_share share = gemm::share(a.part, a.parts);
            const auto finish = product::finish(a);
            const input* const first = first_window<Key>(a);
            for (int group = 0; group < layer.groups; ++group)
                for (int block = 0; block < ceil_divide(out.height, windows.block_rows); ++block) {
                    const int row = tile_begin(block, windows.block_rows, out.height);
                    const input* from = first + group * layer.group_in() + row * layer.stride.height * Key.in.row_stride;
                    if constexpr (windows.in_place) {
                        product::run(a, from, group, row, share, finish);
                    } else {
                        auto* rearranged = static_cast<typename gemm::input*>(a.workspace);
                        rearrange(from, share_of(windows.block_rows, a.part, a.parts), rearranged);
                        a.meet();
                        product::run(a, rearranged, group, row, share, finish);
                        a.meet();
                    }
                }
        }

    private:
        /// Rows of the matrix: one window each, rows x columns x channels.
        static void rearrange(const input* in, range rows, typename gemm::input* to) {
            to += std::int64_t{rows.begin} * out.width * windows.terms;
            for (int row = rows.begin; row < rows.end; ++row)
                for (int column = 0; column < out.width; ++column) {
                    const input* window = in + row * layer.stride.height * Key.in.row_stride + column * layer.stride.width * Key.in.pixel_stride;
                    for (int r = 0; r < layer.kernel.height; ++r)
                        for (int c = 0; c < layer.kernel.width; ++c) {
                            copy_window_part<layer.group_in(), Target>(
                                window + r * layer.dilation.height * Key.in.row_stride + c * layer.dilation.width * Key.in.pixel_stride, to);
                            to += layer.group_in();
                        }
                }
        }
    };
};

}  // namespace dlas
