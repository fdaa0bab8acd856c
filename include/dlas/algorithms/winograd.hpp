// Winograd's minimal filtering for 3x3 windows. Algorithms & Data Formats.
#pragma once

#include <concepts>

#include <dlas/algorithms/convolution.hpp>
#include <dlas/algorithms/integer_winograd.hpp>
#include <dlas/algorithms/winograd_transform.hpp>
#include <dlas/formats/f32.hpp>
#include <dlas/formats/quantized.hpp>

namespace dlas {

/// F(Outputs x Outputs, 3 x 3): (Outputs + 2)^2 products for Outputs^2 results of nine terms each, by that many small matrix products
/// over a block of tiles that stays in the second-level cache.
template <int Outputs>
struct winograd {
    static_assert(Outputs == 2 || Outputs == 4 || Outputs == 6, "[dlas] winograd<M>: transforms exist for M = 2, 4 and 6");
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = Outputs == 2 ? "winograd2" : Outputs == 4 ? "winograd4" : "winograd6";
    static constexpr bool runs_bytes = Outputs == 2;

    template <class Format, class Target>
    static constexpr std::string_view refuses_in(const conv2d_layer& layer, const schedule_options& schedule) {
        if (const std::string_view never = Format::template refuses<winograd>(layer); !never.empty()) return never;
        if (!std::same_as<Format, f32> && layer.in.channels > integer_winograd_most_inputs)
            return "winograd: sums of so many input channels of integers may overflow 32 bits";
        return refuses<Target>(layer, schedule);
    }
    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (layer.kernel != extent(3)) return "winograd: the window is not 3x3";
        if (layer.stride != extent(1)) return "winograd: the stride is not 1";
        if (layer.dilation != extent(1)) return "winograd: the window is dilated";
        if (layer.gated) return gate_refusal(layer);
        if (layer.groups != 1) return "winograd: the layer is grouped";
        if (layer.out().height < Outputs || layer.out().width < Outputs) return "winograd: the output is smaller than one tile";
        if (schedule.tile.columns > block_tiles<Target>(layer, schedule)) return "schedule: winograd's register tile is larger than its block of tiles";
        if (schedule.tile.rows > 1) return "schedule: winograd's register tiles have one row, of Winograd tiles";
        if (schedule.fused_rows != by_rule) return "schedule: depthwise layers alone run in bands with those around them";
        if (schedule.inputs != by_rule) return "schedule: winograd sums all input channels of a register tile at once";
        return schedule_refusal<Target>(schedule);
    }

    template <class Target>
    static constexpr int block_tiles(const conv2d_layer& layer, const schedule_options& schedule) {
        return winograd_transform::block_tiles<Outputs, Target>(layer, schedule, 4);
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        using vector = simd<float, Target>;
        using batch = typename vector::batch;
        static constexpr int points = Outputs + 2;
        static constexpr int products = points * points;
        static constexpr int tile_rows = ceil_divide(out.height, Outputs);
        static constexpr int tile_columns = ceil_divide(out.width, Outputs);
        static constexpr int tiles = tile_rows * tile_columns;
        static constexpr int in_width = round_up(layer.in.channels, vector::lanes);
        static constexpr int out_width = round_up(layer.channels, vector::lanes);

        static constexpr int block = block_tiles<Target>(layer, Key.schedule);
        static constexpr tiling tile = scheduled_tile<Target>(Key.schedule, {1, block}, layer.channels);
        static constexpr tile_loops loops = [] {
            tile_loops all_tiles = scheduled_loops<Target>(Key.schedule, tile, {1, block}, out_width, block);
            all_tiles.block_tiles = block;  // of register tiles, which are no more
            return all_tiles;
        }();
        static constexpr panel_layout panels = {vector::lanes, tile.vectors};
        static constexpr std::int64_t product_elements = std::int64_t{layer.in.channels} * out_width;
        static constexpr std::int64_t packed_elements = out_width + products * product_elements;
        static constexpr std::int64_t workspace_bytes = std::int64_t{4} * products * block * (in_width + out_width);

        static constexpr tile_key key = {.rows = 1, .columns = tile.columns, .vectors = tile.vectors, .last_lanes = 0,
                                         .in = {0, in_width}, .out = {0, out_width}, .residual = {},
                                         .sum = {{}, {}, {layer.in.channels, 1}}, .adds_residual = false, .adds_bias = false,
                                         .function = activation::none};
        using gemm = tiled_gemm<key, loops, Target>;

        static void pack(const float* filter, const float* bias, float* packed) {
            for (int channel = 0; channel < out_width; ++channel) packed[channel] = channel < layer.channels ? bias[channel] : 0.0f;
            packed += out_width;
            for (int panel = 0; panel < gemm::panels; ++panel) {
                const int first = gemm::cut.first(panel) * vector::lanes, width = gemm::cut.width_of(panel) * vector::lanes;
                for (int channel = first; channel < first + width; ++channel)
                    for (int i = 0; i < layer.in.channels; ++i) {
                        float transformed[products];
                        transform_filter(channel < layer.channels ? filter + (std::int64_t{channel} * layer.in.channels + i) * 9 : nullptr, transformed);
                        float* to = packed + std::int64_t{first} * layer.in.channels + i * width + channel - first;
                        for (int product = 0; product < products; ++product) to[product * product_elements] = transformed[product];
                    }
            }
        }

        /// A 3x3 filter of one input channel; of none where it is null.
        static void transform_filter(const float* filter, float* to) {
            double g[3][3] = {}, rows[points][3];
            if (filter != nullptr)
                for (int at = 0; at < 9; ++at) g[at / 3][at % 3] = double{filter[at]};
            constexpr auto& matrix = winograd_transform::filter_matrix<Outputs>;
            for (int p = 0; p < points; ++p)
                for (int c = 0; c < 3; ++c) rows[p][c] = matrix[p][0] * g[0][c] + matrix[p][1] * g[1][c] + matrix[p][2] * g[2][c];
            for (int p = 0; p < points; ++p)
                for (int q = 0; q < points; ++q)
                    to[p * points + q] = static_cast<float>(rows[p][0] * matrix[q][0] + rows[p][1] * matrix[q][1] + rows[p][2] * matrix[q][2]);
        }

        template <int Lanes>
        static void transform_input(const float* in, float* to) {
            batch rows[points][points];
#pragma GCC unroll 8
            for (int c = 0; c < points; ++c) {
                batch d[points], v[points];
#pragma GCC unroll 8
                for (int r = 0; r < points; ++r) d[r] = load_lanes<Lanes, vector>(in + r * Key.in.row_stride + c * Key.in.pixel_stride);
                winograd_transform::input<Outputs, vector>(d, v);
#pragma GCC unroll 8
                for (int r = 0; r < points; ++r) rows[r][c] = v[r];
            }
#pragma GCC unroll 8
            for (int r = 0; r < points; ++r) {
                batch v[points];
                winograd_transform::input<Outputs, vector>(rows[r], v);
#pragma GCC unroll 8
                for (int c = 0; c < points; ++c) vector::store(to + (r * points + c) * (block * in_width), v[c]);
            }
        }

        template <int Lanes>
        static void transform_output(const float* from, const float* bias, const float* residual, float* to) {
            batch columns[Outputs][points];
#pragma GCC unroll 8
            for (int c = 0; c < points; ++c) {
                batch m[points], y[Outputs];
#pragma GCC unroll 8
                for (int r = 0; r < points; ++r) m[r] = vector::load(from + (r * points + c) * (block * out_width));
                winograd_transform::output<Outputs, vector>(m, y);
#pragma GCC unroll 8
                for (int r = 0; r < Outputs; ++r) columns[r][c] = y[r];
            }
            const batch added = vector::load(bias);
            const activation_function<layer.activation, vector> activate;
#pragma GCC unroll 8
            for (int r = 0; r < Outputs; ++r) {
                batch y[Outputs];
                winograd_transform::output<Outputs, vector>(columns[r], y);
#pragma GCC unroll 8
                for (int c = 0; c < Outputs; ++c) {
                    batch sum = vector::add(y[c], added);
                    if constexpr (layer.residual)
                        sum = vector::add(sum, load_lanes<Lanes, vector>(residual + r * Key.residual.row_stride + c * Key.residual.pixel_stride));
                    store_lanes<Lanes, vector>(to + r * Key.out.row_stride + c * Key.out.pixel_stride, activate(sum));
                }
            }
        }

        static void transform_inputs(const float* in, range of_map, float* transformed) {
            for (int t = of_map.begin; t < of_map.end; ++t, transformed += in_width) {
                const int row = tile_begin(t / tile_columns, Outputs, out.height);
                const int column = tile_begin(t % tile_columns, Outputs, out.width);
                const float* from = in + row * Key.in.row_stride + column * Key.in.pixel_stride;
                for_each_vector<layer.in.channels, vector>(
                    [&]<int Lanes>(int channel) { transform_input<Lanes>(from + channel, transformed + channel); });
            }
        }

        static void multiply(const float* transformed, const float* filters, const tile_share& share, float* sums) {
            for (int p = 0; p < products; ++p, filters += product_elements)
                gemm::run(transformed + p * (block * in_width), filters, nullptr, sums + p * (block * out_width), share, {}, filters + product_elements);
        }

        static void transform_outputs(const float* sums, const kernel_arguments& a, range of_map, const tile_share& share) {
            const float* bias = static_cast<const float*>(a.weights);
            for (int t = of_map.begin; t < of_map.end; ++t, sums += out_width) {
                const int row = tile_begin(t / tile_columns, Outputs, out.height);
                const int column = tile_begin(t % tile_columns, Outputs, out.width);
                const float* residual = static_cast<const float*>(a.second) + row * Key.residual.row_stride + column * Key.residual.pixel_stride;
                float* to = static_cast<float*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                const range of_panels = share.panels_of(t);
                for_each_vector<layer.channels, vector>({gemm::cut.first(of_panels.begin), gemm::cut.first(of_panels.end)}, [&]<int Lanes>(int channel) {
                    transform_output<Lanes>(sums + channel, bias + channel, layer.residual ? residual + channel : nullptr, to + channel);
                });
            }
        }

        /// Threads have tiles or output channels of their own, and a workspace.
        static void run(const kernel_arguments& a) {
            const float* in = first_window<Key>(a);
            const float* filters = static_cast<const float*>(a.weights) + out_width;
            float* transformed = reinterpret_cast<float*>(a.own_workspace());
            float* sums = transformed + products * block * in_width;
            winograd_transform::for_own_blocks<Outputs, Target>(a, out, block, gemm::cut, [&](range of_map, const tile_share& share) {
                transform_inputs(in, of_map, transformed);
                multiply(transformed, filters, winograd_transform::in_rows(of_map, share, tile.columns), sums);
                transform_outputs(sums, a, of_map, share);
            });
        }
    };

    template <conv2d_key Key, int WeightBits, class Target>
    struct kernel<Key, quantized<WeightBits, 8>, Target> : integer_winograd<Key, Target> {};
};

}  // namespace dlas
