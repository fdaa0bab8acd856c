// Depthwise convolution: channels in the vector, a row of output pixels in registers. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>
#include <dlas/formats/quantized.hpp>

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
    static constexpr bool runs_any_format = true;
    static constexpr bool counts_bits = true;  // w1a1 leaves depthwise layers as they are

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (!layer.depthwise()) return "depthwise: the layer mixes channels (groups differ from the channels)";
        if (layer.kernel.width > Target::vector_registers - 3) return "depthwise: a row of the window does not fit the target's registers";
        if (layer.gated) return gate_refusal(layer);
        if (schedule.inputs != by_rule || schedule.pixels != by_rule || schedule.prefetch != by_rule)
            return "schedule: depthwise has a register tile and blocks of channels";
        if (schedule.channels > 0 && schedule.channels % float_lanes<Target> != 0) return "schedule: depthwise's blocks of channels are whole vectors";
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
        using input = element_type<Key.in.type>;
        using second = element_type<Key.residual.type>;
        using output = element_type<Key.out.type>;
        using function = activation_function<is_quantized(Key.in.type) ? activation::none : layer.activation, vector>;
        /// Integers are summed up in floats, which is exact as long as no sum reaches 2^24: 9 terms reach 2^18.
        static constexpr bool integers = is_quantized(Key.in.type);
        static_assert(!integers || window.area() * 255 * 128 < 1 << 24, "[dlas] depthwise: the window is too large for exact sums of integers");

        /// Output pixels in registers beside one row of the window and one input: the fewest passes over a row, then the smallest.
        static constexpr int tile = [] {
            if (Key.schedule.tile.columns > 0) return Key.schedule.tile.columns;
            const int most = Target::vector_registers - window.width - 2;
            const int bound = most < 1 ? 1 : most > 14 ? 14 : most;
            return ceil_divide(out.width, ceil_divide(out.width, bound));
        }();
        /// Channels that all pixels are computed for before the next ones: up to four lines, as long as the first-level cache holds a window's
        /// rows and the weights. All where that is less than two lines, or where the map comes from far caches, which want it in order.
        static constexpr int block_channels = [] {
            if (Key.schedule.channels != by_rule) return Key.schedule.channels < layer.channels ? Key.schedule.channels : layer.channels;
            const int bytes = element_bytes(Key.in.type), line = 64 / bytes;
            if (std::int64_t{bytes} * layer.in.elements() > 2 * Target::l2_bytes) return layer.channels;
            const int channel = bytes * layer.reach().height * (layer.in.width + layer.padding.left + layer.padding.right) + 4 * (window.area() + 1);
            for (int lines = 4; lines >= 2; --lines)
                if (std::int64_t{lines * line} * channel <= Target::l1_bytes * 3 / 4) return whole_tiles(layer.channels, line, lines * line);
            return layer.channels;
        }();
        static constexpr int before_window = integers ? 2 : 1;                          ///< bias; of integers, multipliers too
        static constexpr int block = vector::lanes * (before_window + window.area());  ///< of one vector of channels
        static constexpr int header = integers ? requantization_bytes / 4 : 0;
        static constexpr std::int64_t packed_elements = header + std::int64_t{block} * ceil_divide(layer.channels, vector::lanes);
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

        static void pack_quantized(const quantized_parameters& parameters, float* packed) {
            pack_requantization<Target>(requantization_of<Target>(parameters, Key.in.type, Key.residual.type, Key.out.type, layer.activation), packed);
            const std::int32_t zero = parameters.input.zero + stored_offset(Key.in.type);
            for (int channel = 0; channel < round_up(layer.channels, vector::lanes); ++channel) {
                const bool exists = channel < layer.channels;
                float* to = packed + header + channel / vector::lanes * block + channel % vector::lanes;
                std::int32_t total = 0;
                for (int at = 0; at < window.area(); ++at) {
                    const int weight = exists ? parameters.filter[channel * window.area() + at] : 0;
                    to[(before_window + at) * vector::lanes] = static_cast<float>(weight);
                    total += weight;
                }
                const std::int32_t bias = exists ? parameters.bias[channel] - zero * total : 0;
                __builtin_memcpy(to, &bias, 4);
                to[vector::lanes] = exists ? parameters.multiplier(channel, Key.out.type) : 0.0f;
            }
        }

        template <int Lanes>
        static void run_tile(const input* in, const float* weights, const second* residual, output* to, const requantizer<Target>* finish,
                             [[maybe_unused]] const function& activate) {
            const float* const parameters = weights;
            batch sums[tile];
            const batch bias = integers ? vector::broadcast(0.0f) : vector::load(weights);
            weights += (before_window - 1) * vector::lanes;
#pragma GCC unroll 32
            for (int p = 0; p < tile; ++p) sums[p] = bias;
#pragma GCC unroll 1
            for (int r = 0; r < window.height; ++r) {
                weights += vector::lanes;
                batch row[window.width];
#pragma GCC unroll 32
                for (int c = 0; c < window.width; ++c) row[c] = vector::load(weights + c * vector::lanes);
                weights += (window.width - 1) * vector::lanes;
                const input* from = in + r * layer.dilation.height * Key.in.row_stride;
                constexpr int pixels = (tile - 1) * layer.stride.width + layer.reach().width;
#pragma GCC unroll 64
                for (int x = 0; x < pixels; ++x) {
                    if (!seen(x)) continue;
                    const batch value = load_elements<Lanes, Target>(from + x * Key.in.pixel_stride);
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
                if constexpr (integers) {
                    using words = simd<std::int8_t, Target>;
                    const auto biases = words::load_sums(reinterpret_cast<const std::int32_t*>(parameters));
                    sum = vector::rounded(vector::multiply(words::to_float(words::add(words::to_sums(sum), biases)), vector::load(parameters + vector::lanes)));
                    if constexpr (layer.residual) sum = vector::add(sum, finish->second(load_elements<Lanes, Target>(residual + p * Key.residual.pixel_stride)));
                    finish->template store<Lanes>(to + p * Key.out.pixel_stride, sum);
                } else {
                    if constexpr (layer.residual) sum = vector::add(sum, load_elements<Lanes, Target>(residual + p * Key.residual.pixel_stride));
                    store_elements<Lanes, Target>(to + p * Key.out.pixel_stride, activate(sum));
                }
            }
        }

        static void run(const kernel_arguments& a) {
            if constexpr (integers) {
                const requantizer<Target> finish(a.weights);
                run_rows(a, &finish);
            } else {
                run_rows(a, nullptr);
            }
        }

    private:
        static void run_rows(const kernel_arguments& a, const requantizer<Target>* finish) {
            const input* in = first_window<Key>(a);
            const function activate;
            const range rows = share_of(out.height, a.part, a.parts);
            constexpr int whole = layer.channels / vector::lanes * vector::lanes, rest = layer.channels - whole;
            for (int first = 0; first < layer.channels; first += block_channels) {
                const bool last = first + block_channels >= layer.channels;
                const int end = last ? whole : first + block_channels;
                for (int row = rows.begin; row < rows.end; ++row)
                    for (int t = 0; t < ceil_divide(out.width, tile); ++t) {
                        const int column = tile_begin(t, tile, out.width);
                        const input* from = in + row * layer.stride.height * Key.in.row_stride + column * layer.stride.width * Key.in.pixel_stride;
                        const second* residual = static_cast<const second*>(a.second) + row * Key.residual.row_stride + column * Key.residual.pixel_stride;
                        output* to = static_cast<output*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                        auto run_vector = [&]<int Lanes>(int channel) __attribute__((always_inline)) {
                            run_tile<Lanes>(from + channel, static_cast<const float*>(a.weights) + header + channel / vector::lanes * block,
                                            layer.residual ? residual + channel : nullptr, to + channel, finish, activate);
                        };
                        for (int channel = first; channel < end; channel += vector::lanes) run_vector.template operator()<vector::lanes>(channel);
                        if constexpr (rest > 0)
                            if (last) run_vector.template operator()<rest>(whole);
                    }
            }
        }

        /// Whether an output pixel of the tile needs input column x.
        static constexpr bool seen(int x) {
            for (int c = 0; c < window.width; ++c) {
                const int start = x - c * layer.dilation.width;
                if (start >= 0 && start % layer.stride.width == 0 && start / layer.stride.width < tile) return true;
            }
            return false;
        }
    };

    /// Of 16-bit integers two positions of the window are multiplied and added at a time.
    template <conv2d_key Key, int WeightBits, class Target>
    struct kernel<Key, quantized<WeightBits, 16>, Target> {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        using vector = simd<float, Target>;
        using shorts = simd<std::int16_t, Target>;
        using integers = simd<std::int8_t, Target>;
        using second = element_type<Key.residual.type>;
        using output = element_type<Key.out.type>;
        static_assert(Key.in.type == element::s16);

        static constexpr int area = layer.kernel.area(), pairs = ceil_divide(area, 2);
        static constexpr int tile = out.width < 4 ? out.width : 4;
        /// Of one vector of channels: biases, multipliers, a row of weights for each pair.
        static constexpr int block_bytes = 4 * vector::lanes * (2 + pairs);
        static constexpr int vectors = ceil_divide(layer.channels, vector::lanes);
        static constexpr std::int64_t packed_elements = (requantization_bytes + std::int64_t{vectors} * block_bytes) / 4;
        static constexpr std::int64_t workspace_bytes = 0;

        static void pack_quantized(const quantized_parameters& p, float* packed) {
            pack_requantization<Target>(requantization_of<Target>(p, Key.in.type, Key.residual.type, Key.out.type, layer.activation), packed);
            for (int channel = 0; channel < vectors * vector::lanes; ++channel) {
                const bool exists = channel < layer.channels;
                std::byte* to = reinterpret_cast<std::byte*>(packed) + requantization_bytes + channel / vector::lanes * block_bytes + channel % vector::lanes * 4;
                const std::int32_t bias = exists ? p.bias[channel] : 0;
                const float multiplier = exists ? p.multiplier(channel, Key.out.type) : 0.0f;
                __builtin_memcpy(to, &bias, 4);
                __builtin_memcpy(to + 4 * vector::lanes, &multiplier, 4);
                for (int pair = 0; pair < pairs; ++pair) {
                    std::int16_t weights[2] = {};
                    for (int k = 0; k < 2 && exists; ++k)
                        if (2 * pair + k < area) weights[k] = p.filter[channel * area + 2 * pair + k];
                    __builtin_memcpy(to + 4 * vector::lanes * (2 + pair), weights, 4);
                }
            }
        }

        static void run(const kernel_arguments& a) {
            const requantizer<Target> finish(a.weights);
            const std::int16_t* in = first_window<Key>(a);
            const range rows = share_of(out.height, a.part, a.parts);
            for (int row = rows.begin; row < rows.end; ++row)
                for (int t = 0; t < ceil_divide(out.width, tile); ++t) {
                    const int column = tile_begin(t, tile, out.width);
                    const std::int16_t* from = in + row * layer.stride.height * Key.in.row_stride + column * layer.stride.width * Key.in.pixel_stride;
                    const second* residual = static_cast<const second*>(a.second) + row * Key.residual.row_stride + column * Key.residual.pixel_stride;
                    output* to = static_cast<output*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                    for_each_vector<layer.channels, vector>([&]<int Lanes>(int channel) {
                        const auto* weights = static_cast<const std::int8_t*>(a.weights) + requantization_bytes + channel / vector::lanes * block_bytes;
                        run_tile<Lanes>(from + channel, weights, layer.residual ? residual + channel : nullptr, to + channel, finish);
                    });
                }
        }

    private:
        static constexpr int position(int at) {
            return at / layer.kernel.width * layer.dilation.height * Key.in.row_stride + at % layer.kernel.width * layer.dilation.width * Key.in.pixel_stride;
        }
        template <int Lanes>
        static void run_tile(const std::int16_t* in, const std::int8_t* weights, const second* residual, output* to, const requantizer<Target>& finish) {
            constexpr int row_bytes = 4 * vector::lanes;
            typename integers::sums sums[tile];
#pragma GCC unroll 4
            for (int p = 0; p < tile; ++p) sums[p] = integers::load_sums(reinterpret_cast<const std::int32_t*>(weights));
            const auto multiplier = vector::load(reinterpret_cast<const float*>(weights + row_bytes));
#pragma GCC unroll 1
            for (int pair = 0; pair < pairs; ++pair) {
                // The last position may have no neighbour: a weight of 0 is that of its own.
                const int first = position(2 * pair), next = position(2 * pair + 1 < area ? 2 * pair + 1 : 2 * pair);
                const auto w = shorts::template load_weights<16>(weights + row_bytes * (2 + pair));
#pragma GCC unroll 4
                for (int p = 0; p < tile; ++p) {
                    const std::int16_t* from = in + p * layer.stride.width * Key.in.pixel_stride;
                    sums[p] = shorts::dot(shorts::template interleave<Lanes>(from + first, from + next), w, sums[p]);
                }
            }
#pragma GCC unroll 4
            for (int p = 0; p < tile; ++p) {
                auto y = vector::rounded(vector::multiply(integers::to_float(sums[p]), multiplier));
                if constexpr (layer.residual) y = vector::add(y, finish.second(load_elements<Lanes, Target>(residual + p * Key.residual.pixel_stride)));
                finish.template store<Lanes>(to + p * Key.out.pixel_stride, y);
            }
        }
    };
};

}  // namespace dlas
