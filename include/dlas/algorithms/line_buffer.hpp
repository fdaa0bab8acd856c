// Convolution from a buffer of input rows, by sums of bytes one channel at a time: the algorithm of microcontrollers, and of all targets
// where integers are scaled by fixed-point numbers. Algorithms & Data Formats.
// Maps need no halo, and the output may lie over the input: a row is written when the rows that it was computed from are buffered.
#pragma once

#include <string_view>

#include <dlas/algorithms/convolution.hpp>
#include <dlas/algorithms/fixed_point.hpp>
#include <dlas/algorithms/line_depthwise.hpp>
#include <dlas/algorithms/line_ring.hpp>
#include <dlas/formats/quantized.hpp>
#include <dlas/hardware/byte_products.hpp>

namespace dlas {

/// 1x1 windows see one pixel: the pixels of all rows are cut into longer or shorter rows, of so many values at most.
constexpr conv2d_key with_even_rows(const conv2d_key& key, int pixels_at_a_time, int most_values) {
    const conv2d_layer& layer = key.layer;
    const shape in = layer.in;
    const bool one_row = layer.kernel == extent(1) && layer.stride == extent(1) && layer.padding.empty() &&
                         key.in.row_stride == in.width * key.in.pixel_stride && key.out.row_stride == in.width * key.out.pixel_stride &&
                         (!layer.residual || key.residual.row_stride == in.width * key.residual.pixel_stride);
    if (!one_row) return key;
    int best = 0;
    for (int width = 1; width <= in.pixels() && (width <= pixels_at_a_time || width * in.channels <= most_values); ++width)
        if (in.pixels() % width == 0 && (width % pixels_at_a_time == 0 || best % pixels_at_a_time != 0 || best == 0)) best = width;
    if (best == 0) return key;
    conv2d_key even = key;
    even.layer.in = {in.pixels() / best, best, in.channels};
    even.in.row_stride = best * key.in.pixel_stride;
    even.out.row_stride = best * key.out.pixel_stride;
    even.residual.row_stride = best * key.residual.pixel_stride;
    return even;
}

/// With `EvenRows` the rows of 1x1 windows are cut anew.
template <conv2d_key Given, int Bits, scaling Scaling, class Target, bool EvenRows = true>
struct line_convolution {
    using products = byte_products<Target, Bits>;
    using vector = words<Target>;
    using value = typename products::value;
    static constexpr conv2d_key key = EvenRows ? with_even_rows(Given, products::most_pixels, 1024) : Given;
    static constexpr conv2d_layer layer = key.layer;
    static constexpr shape out = layer.out();
    static constexpr int channels = products::channels < vector::lanes ? vector::lanes : products::channels;  ///< of a register tile
    static constexpr int pixels = [] {
        for (int p = products::most_pixels; 2 * p > products::most_pixels; --p)
            if (out.width % p == 0) return p;
        return products::most_pixels < out.width ? products::most_pixels : out.width;
    }();

    /// Values that lie side by side in a line: a row of the window where its columns touch and one group reads all channels, else a pixel.
    static constexpr bool whole_rows = layer.dilation.width == 1 && layer.groups == 1;
    static constexpr int runs = whole_rows ? 1 : layer.kernel.width;  ///< of a row of the window
    static constexpr int run_values = whole_rows ? layer.kernel.width * layer.in.channels : layer.group_in();
    static constexpr int dots = ceil_divide(run_values, products::terms);
    static constexpr int weight_step = products::terms * Bits / 8;
    static constexpr int group_blocks = ceil_divide(layer.group_out(), channels);
    static constexpr int blocks = layer.groups * group_blocks;
    static constexpr int block_bytes = channels * layer.kernel.height * runs * dots * weight_step;
    static constexpr int rounded_channels = blocks * channels;
    using begins = packed_channels<Scaling>;
    static constexpr std::int64_t bytes =
        fixed_parameter_bytes + std::int64_t{4} * begins::arrays * rounded_channels + std::int64_t{blocks} * block_bytes;
    static constexpr std::int64_t packed_elements = (bytes + 3) / 4;
    using ring = line_ring<layer, key.in, products, products::terms>;
    static constexpr bool adds_residual = layer.residual && !adds_rows<layer, Scaling>;
    static constexpr std::int64_t workspace_bytes = ring::bytes;
    static constexpr std::int64_t in_place_distance = ring::distance(key.out.row_stride, out.height);
    /// A row is written before all of its residual is read: an output over the residual begins a row before it or, where each element is
    /// added as it is written, exactly where it does.
    static constexpr std::int64_t residual_distance = layer.residual ? key.out.row_stride : 0;
    static constexpr bool begins_with_residual = !adds_rows<layer, Scaling>;
    static constexpr bool aligned = layer.in.channels % products::terms == 0 && layer.group_in() % products::terms == 0;
    static constexpr bool whole = layer.group_out() % channels == 0;  ///< all words have all of their channels
    static constexpr bool above_zero = layer.activation != activation::none;
    static constexpr bool result_above_zero = above_zero && !layer.residual;
    static constexpr int whole_tiles = out.width / pixels;
    static constexpr int left_pixels = out.width % pixels;
    using scaler = channel_scaler<Scaling, Target>;

    static void pack_quantized(const quantized_parameters& p, float* packed) {
        auto* to = reinterpret_cast<std::byte*>(packed);
        pack_fixed_parameters<Target>(fixed_parameters_of(p, p.sum, Scaling, layer.residual, layer.activation), to);
        auto* biases = reinterpret_cast<std::int32_t*>(to + fixed_parameter_bytes);
        auto* weights = reinterpret_cast<std::uint8_t*>(biases + begins::arrays * rounded_channels);
        __builtin_memset(biases, 0, static_cast<unsigned>(bytes - fixed_parameter_bytes));
        begins{biases, rounded_channels}.fill();
        const int area = layer.kernel.area();
        for (int block = 0; block < blocks; ++block)
            for (int lane = 0; lane < channels; ++lane) {
                const int in_group = block % group_blocks * channels + lane;
                if (in_group >= layer.group_out()) continue;
                const int channel = block / group_blocks * layer.group_out() + in_group, at = block * channels + lane;
                const std::int8_t* filter = p.filter + std::int64_t{channel} * layer.group_in() * area;
                std::int32_t total = 0;
                bool any = false;
                for (int row = 0; row < layer.kernel.height; ++row)
                    for (int r = 0; r < runs; ++r)
                        for (int term = 0; term < run_values; ++term) {
                            const int column = whole_rows ? term / layer.in.channels : r, input = whole_rows ? term % layer.in.channels : term;
                            const int weight = filter[input * area + row * layer.kernel.width + column];
                            total += weight;
                            any = any || weight != 0;
                            const int dot = ((block * layer.kernel.height + row) * runs + r) * dots + term / products::terms;
                            const int position = products::position(term % products::terms) * Bits;
                            const auto bits = static_cast<unsigned>(weight) & ((1u << Bits) - 1);
                            weights[(dot * channels + lane) * weight_step + position / 8] |= static_cast<std::uint8_t>(bits << position % 8);
                        }
                begins{biases, rounded_channels}.pack(at, p, channel, total, any, layer.residual);
            }
    }

    static void run(const kernel_arguments& a) { line_layer<line_convolution, Scaling, Target>::run(a); }

#if defined(__arm__) && !defined(__clang__)
    __attribute__((optimize("no-schedule-insns")))  // g++ moves loads far ahead otherwise, and then spills the sums
#endif
    static void compute_row(const value* const (&window)[layer.kernel.height], const void* packed, const fixed_parameters& f, const std::int8_t* residual,
                std::int8_t* to) {
        const auto* biases = reinterpret_cast<const std::int32_t*>(static_cast<const std::byte*>(packed) + fixed_parameter_bytes);
        const auto* weights = reinterpret_cast<const std::int8_t*>(biases + begins::arrays * rounded_channels);
        for (int block = 0; block < blocks; ++block) {
            const int group = layer.groups == 1 ? 0 : block / group_blocks;
            const int first = group * layer.group_out() + (block - group * group_blocks) * channels;
            const int exist = (group + 1) * layer.group_out() - first;  // of the block's channels, or more
            const std::int32_t zero = zero_of_result<Scaling>(f, layer.residual);
            auto tile = [&]<int Pixels>(int column) __attribute__((always_inline)) {
                run_tile<Pixels>(window, group * layer.group_in() + column * layer.stride.width * layer.in.channels, weights, biases, f, zero,
                                 adds_residual ? residual + column * key.residual.pixel_stride + first : nullptr,
                                 to + column * key.out.pixel_stride + first, exist);
            };
            for (int column = 0; column < whole_tiles * pixels; column += pixels) tile.template operator()<pixels>(column);
            if constexpr (left_pixels > 0) tile.template operator()<left_pixels>(whole_tiles * pixels);
            weights += block_bytes;
            biases += channels;
        }
    }

private:
    template <int Pixels>
    [[gnu::always_inline]] static inline void run_tile(const value* const (&window)[layer.kernel.height], int offset, const std::int8_t* weights,
                                                       const std::int32_t* biases, const fixed_parameters& f, std::int32_t zero,
                                                       const std::int8_t* residual, std::int8_t* to, int exist) {
        typename products::sum sums[Pixels][channels];
        for (int p = 0; p < Pixels; ++p)
            for (int c = 0; c < channels; ++c) sums[p][c] = products::start(biases[c]);
#pragma GCC unroll 1
        for (int row = 0; row < layer.kernel.height; ++row)
#pragma GCC unroll 1
            for (int r = 0; r < runs; ++r) {
                const value* at = window[row] + offset + r * layer.dilation.width * layer.in.channels;
                // g++ 12 vectorizes this loop into wrong sums of 4-bit weights where these are shifted next (-O2 -mavx2): not beside an asm.
                if constexpr (Scaling == scaling::power_of_two) asm("" : "+r"(at));
                auto one_dot = [&]() __attribute__((always_inline)) {
                    typename products::weights w[channels];
#pragma GCC unroll 8
                    for (int c = 0; c < channels; ++c) w[c] = products::load_weights(weights + c * weight_step);
#pragma GCC unroll 8
                    for (int p = 0; p < Pixels; ++p) {
                        const auto x = products::template load_pixel<aligned>(at, p * layer.stride.width * layer.in.channels);
#pragma GCC unroll 8
                        for (int c = 0; c < channels; ++c) sums[p][c] = products::dot(x, w[c], sums[p][c]);
                    }
                    weights += channels * weight_step;
                    at += products::terms;
                };
                constexpr int unroll = products::unroll < dots ? products::unroll : dots;
#pragma GCC unroll 1
                for (int turn = 0; turn < dots / unroll; ++turn)
#pragma GCC unroll 8
                    for (int u = 0; u < unroll; ++u) one_dot();
#pragma GCC unroll 8
                for (int u = 0; u < dots % unroll; ++u) one_dot();
            }
#pragma GCC unroll 8
        for (int c = 0; c < channels; c += vector::lanes) {
            if (!whole && vector::lanes == 1 && c >= exist) break;
            const scaler scale(biases + c, rounded_channels, f, zero);
#pragma GCC unroll 8
            for (int p = 0; p < Pixels; ++p) {
                std::int32_t totals[vector::lanes];
                for (int lane = 0; lane < vector::lanes; ++lane) totals[lane] = products::total(sums[p][c + lane]);
                const auto sum = vector::from(totals);
                typename vector::word y;
                if constexpr (adds_residual)
                    y = scale.template add<above_zero, whole>(sum, residual + p * key.residual.pixel_stride + c, exist - c);
                else
                    y = scale.template apply<result_above_zero>(sum);
                vector::template store_bytes<whole>(to + p * key.out.pixel_stride + c, vector::saturated(y), exist - c);
            }
        }
    }
};

/// Convolution of any window, stride, dilation and groups, depthwise layers too, from buffered rows.
struct line_buffer {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "line_buffer";
    static constexpr bool runs_fixed_point = true;
    static constexpr bool buffers_rows = true;  ///< maps that it reads need no halo

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer&, const schedule_options& schedule = {}) {
        if (schedule != schedule_options{}) return "schedule: line_buffer runs by rule";
        return {};
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel;
    template <conv2d_key Key, int WeightBits, scaling Scaling, class Target>
    struct kernel<Key, quantized<WeightBits, 8, Scaling>, Target>
        : std::conditional_t<Key.layer.depthwise(), line_depthwise<Key, Scaling, Target>,
                             line_convolution<Key, stored_weight_bits(WeightBits), Scaling, Target>> {};

    /// The kernel in a chain of kernels, row by row (line_chain.hpp).
    template <conv2d_key Key, class Format, class Target>
    struct chained_kernel;
    template <conv2d_key Key, int WeightBits, scaling Scaling, class Target>
    struct chained_kernel<Key, quantized<WeightBits, 8, Scaling>, Target>
        : std::conditional_t<Key.layer.depthwise(), line_depthwise<Key, Scaling, Target>,
                             line_convolution<Key, stored_weight_bits(WeightBits), Scaling, Target, false>> {
    };
};

}  // namespace dlas
