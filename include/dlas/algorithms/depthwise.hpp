// Depthwise convolution: channels in the vector, a row of output pixels in registers. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>

namespace dlas {

/// Whether bands of rows can run through a depthwise layer (separable.hpp): each band of its output needs as many new rows of input.
constexpr bool runs_in_bands(const conv2d_layer& depthwise) {
    return depthwise.in.height == depthwise.out().height * depthwise.stride.height && depthwise.dilation.height == 1 &&
           depthwise.kernel.height - depthwise.stride.height - depthwise.padding.top >= 0;
}

/// One sum for each channel. Each input pixel is loaded once for a row of the window and serves all output pixels that see it.
struct depthwise {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "depthwise";

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (!layer.depthwise()) return "depthwise: the layer mixes channels (groups differ from the channels)";
        if (layer.kernel.width > Target::vector_registers - 3) return "depthwise: a row of the window does not fit the target's registers";
        if (layer.gated) return gate_refusal(layer);
        if (schedule.inputs != by_rule || schedule.channels != by_rule || schedule.pixels != by_rule || schedule.prefetch != by_rule)
            return "schedule: depthwise has a register tile and no blocks";
        if (schedule.tile.rows > 1 || schedule.tile.vectors > 1) return "schedule: depthwise has register tiles of one row and one vector";
        if (schedule.tile.columns > layer.out().width) return "schedule: the register tile is larger than the output";
        if (schedule.tile.columns > Target::vector_registers - layer.kernel.width - 2) return "schedule: the register tile needs more registers than the target has";
        if (schedule.fused_rows > 0 && !runs_in_bands(layer)) return "schedule: bands need a depthwise layer whose rows are its output's times the stride";
        if (schedule.fused_rows > 0 && layer.out().height % schedule.fused_rows != 0) return "schedule: bands of rows must divide the output's height";
        return schedule_refusal<Target>(schedule);
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr extent window = layer.kernel;
        using vector = simd<float, Target>;
        using batch = typename vector::batch;

        /// Output pixels in registers beside one row of the window and one input: the fewest passes over a row, then the smallest.
        static constexpr int tile = [] {
            if (Key.schedule.tile.columns > 0) return Key.schedule.tile.columns;
            const int most = Target::vector_registers - window.width - 2;
            const int bound = most < 1 ? 1 : most > 14 ? 14 : most;
            return ceil_divide(out.width, ceil_divide(out.width, bound));
        }();
        static constexpr int block = vector::lanes * (1 + window.area());  ///< bias and window of one vector of channels
        static constexpr std::int64_t packed_elements = std::int64_t{block} * ceil_divide(layer.channels, vector::lanes);
        static constexpr std::int64_t workspace_bytes = 0;

        static void pack(const float* filter, const float* bias, float* packed) {
            for (int channel = 0; channel < round_up(layer.channels, vector::lanes); ++channel) {
                const bool exists = channel < layer.channels;
                float* to = packed + channel / vector::lanes * block + channel % vector::lanes;
                to[0] = exists ? bias[channel] : 0.0f;
                for (int at = 0; at < window.area(); ++at)
                    to[(1 + at) * vector::lanes] = exists ? filter[channel * window.area() + at] : 0.0f;
            }
        }

        template <int Lanes>
        static void run_tile(const float* in, const float* weights, const float* residual, float* output) {
            batch sums[tile];
            const batch bias = vector::load(weights);
#pragma GCC unroll 32
            for (int p = 0; p < tile; ++p) sums[p] = bias;
#pragma GCC unroll 1
            for (int r = 0; r < window.height; ++r) {
                weights += vector::lanes;
                batch row[window.width];
#pragma GCC unroll 32
                for (int c = 0; c < window.width; ++c) row[c] = vector::load(weights + c * vector::lanes);
                weights += (window.width - 1) * vector::lanes;
                const float* from = in + r * layer.dilation.height * Key.in.row_stride;
                constexpr int pixels = (tile - 1) * layer.stride.width + layer.reach().width;
#pragma GCC unroll 64
                for (int x = 0; x < pixels; ++x) {
                    if (!seen(x)) continue;
                    const batch value = load_lanes<Lanes, vector>(from + x * Key.in.pixel_stride);
#pragma GCC unroll 32
                    for (int c = 0; c < window.width; ++c) {
                        const int start = x - c * layer.dilation.width;
                        if (start >= 0 && start % layer.stride.width == 0 && start / layer.stride.width < tile)
                            sums[start / layer.stride.width] = vector::multiply_add(value, row[c], sums[start / layer.stride.width]);
                    }
                }
            }
#pragma GCC unroll 32
            for (int p = 0; p < tile; ++p) {
                batch sum = sums[p];
                if constexpr (layer.residual) sum = vector::add(sum, load_lanes<Lanes, vector>(residual + p * Key.residual.pixel_stride));
                store_lanes<Lanes, vector>(output + p * Key.out.pixel_stride, activated<layer.activation, vector>(sum));
            }
        }

        static void run(const kernel_arguments& a) {
            const float* in = first_window<Key>(a);
            const range rows = share_of(out.height, a.part, a.parts);
            for (int row = rows.begin; row < rows.end; ++row)
                for (int t = 0; t < ceil_divide(out.width, tile); ++t) {
                    const int column = tile_begin(t, tile, out.width);
                    const float* from = in + row * layer.stride.height * Key.in.row_stride + column * layer.stride.width * Key.in.pixel_stride;
                    const float* residual = static_cast<const float*>(a.second) + row * Key.residual.row_stride + column * Key.residual.pixel_stride;
                    float* to = static_cast<float*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                    for_each_vector<layer.channels, vector>([&]<int Lanes>(int channel) {
                        run_tile<Lanes>(from + channel, static_cast<const float*>(a.weights) + channel / vector::lanes * block,
                                        layer.residual ? residual + channel : nullptr, to + channel);
                    });
                }
        }

    private:
        /// Whether an output pixel of the tile needs input column x.
        static constexpr bool seen(int x) {
            for (int c = 0; c < window.width; ++c) {
                const int start = x - c * layer.dilation.width;
                if (start >= 0 && start % layer.stride.width == 0 && start / layer.stride.width < tile) return true;
            }
            return false;
        }
    };
};

}  // namespace dlas
