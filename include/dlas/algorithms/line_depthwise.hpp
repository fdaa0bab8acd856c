// Depthwise convolution from a buffer of input rows. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>
#include <dlas/algorithms/fixed_point.hpp>
#include <dlas/algorithms/line_ring.hpp>
#include <dlas/hardware/byte_products.hpp>

namespace dlas {

/// Sums of a few neighbouring channels and pixels in registers. Weights stand as they are multiplied, whatever the bits of the format.
template <conv2d_key Given, scaling Scaling, class Target>
struct line_depthwise {
    using products = channel_products<Target>;
    using vector = words<Target>;
    using value = typename products::value;
    using weight = typename products::weight;
    static constexpr conv2d_key key = Given;
    static constexpr conv2d_layer layer = key.layer;
    static constexpr shape out = layer.out();
    static constexpr extent window = layer.kernel;
    static constexpr int lanes = products::lanes;
    static constexpr int blocks = ceil_divide(layer.channels, lanes);
    static constexpr int rounded_channels = blocks * lanes;
    using begins = packed_channels<Scaling>;
    static constexpr int pixels = [] {
        for (int p = products::most_pixels; 2 * p > products::most_pixels; --p)
            if (out.width % p == 0) return p;
        return products::most_pixels < out.width ? products::most_pixels : out.width;
    }();
    static constexpr std::int64_t bytes = fixed_parameter_bytes + std::int64_t{4} * begins::arrays * rounded_channels +
                                          std::int64_t{rounded_channels} * window.area() * static_cast<int>(sizeof(weight));
    static constexpr std::int64_t packed_elements = (bytes + 3) / 4;
    using ring = line_ring<layer, key.in, products, lanes>;
    static constexpr bool adds_residual = layer.residual && !adds_rows<layer, Scaling>;
    static constexpr std::int64_t workspace_bytes = ring::bytes;
    static constexpr std::int64_t in_place_distance = ring::distance(key.out.row_stride, out.height);
    /// A row is written before all of its residual is read: an output over the residual begins a row before it or, where each element is
    /// added as it is written, exactly where it does.
    static constexpr std::int64_t residual_distance = layer.residual ? key.out.row_stride : 0;
    static constexpr bool begins_with_residual = !adds_rows<layer, Scaling>;
    static constexpr bool whole = layer.channels % lanes == 0;  ///< all words have all of their channels
    static constexpr bool above_zero = layer.activation != activation::none;
    static constexpr bool result_above_zero = above_zero && !layer.residual;

    static void pack_quantized(const quantized_parameters& p, float* packed) {
        auto* to = reinterpret_cast<std::byte*>(packed);
        pack_fixed_parameters<Target>(fixed_parameters_of(p, p.sum, Scaling, layer.residual, layer.activation), to);
        auto* biases = reinterpret_cast<std::int32_t*>(to + fixed_parameter_bytes);
        auto* weights = reinterpret_cast<weight*>(biases + begins::arrays * rounded_channels);
        __builtin_memset(biases, 0, static_cast<unsigned>(bytes - fixed_parameter_bytes));
        begins{biases, rounded_channels}.fill();
        for (int channel = 0; channel < layer.channels; ++channel) {
            std::int32_t total = 0;
            bool any = false;
            for (int at = 0; at < window.area(); ++at) {
                const std::int8_t w = p.filter[channel * window.area() + at];
                weights[(channel / lanes * window.area() + at) * lanes + channel % lanes] = w;
                total += w;
                any = any || w != 0;
            }
            begins{biases, rounded_channels}.pack(channel, p, channel, total, any, layer.residual);
        }
    }

    static void run(const kernel_arguments& a) { line_layer<line_depthwise, Scaling, Target>::run(a); }

#if defined(__arm__) && !defined(__clang__)
    __attribute__((optimize("no-schedule-insns")))  // g++ moves loads far ahead otherwise, and then spills the sums
#endif
    static void compute_row(const value* const (&from)[window.height], const void* packed, const fixed_parameters& f, const std::int8_t* residual,
                std::int8_t* to) {
        const auto* biases = reinterpret_cast<const std::int32_t*>(static_cast<const std::byte*>(packed) + fixed_parameter_bytes);
        const auto* weights = reinterpret_cast<const weight*>(biases + begins::arrays * rounded_channels);
        for (int channel = 0; channel < layer.channels; channel += lanes) {
            int column = 0;
            for (; column + pixels <= out.width; column += pixels) run_tile<pixels>(from, channel, column, weights, biases, f, residual, to);
            if constexpr (out.width % pixels > 0) run_tile<out.width % pixels>(from, channel, column, weights, biases, f, residual, to);
            weights += window.area() * lanes;
            biases += lanes;
        }
    }

private:
    template <int Pixels>
    [[gnu::always_inline]] static inline void run_tile(const value* const (&from)[window.height], int channel, int column, const weight* weights,
                                                       const std::int32_t* biases, const fixed_parameters& f, const std::int8_t* residual,
                                                       std::int8_t* to) {
        typename products::sums sums[Pixels];
        for (int p = 0; p < Pixels; ++p) sums[p] = products::start(biases);
#pragma GCC unroll 1
        for (int row = 0; row < window.height; ++row) {
            const value* at = from[row] + column * layer.stride.width * layer.channels + channel;
            typename products::weights w[window.width];
#pragma GCC unroll 16
            for (int c = 0; c < window.width; ++c) w[c] = products::load_weights(weights + c * lanes);
            weights += window.width * lanes;
            constexpr int seen = (Pixels - 1) * layer.stride.width + layer.reach().width;
#pragma GCC unroll 64
            for (int x = 0; x < seen; ++x) {
                if (!used<Pixels>(x)) continue;
                const auto values = products::load_values(at + x * layer.channels);
#pragma GCC unroll 16
                for (int c = 0; c < window.width; ++c) {
                    const int start = x - c * layer.dilation.width;
                    if (start >= 0 && start % layer.stride.width == 0 && start / layer.stride.width < Pixels)
                        sums[start / layer.stride.width] = products::multiply_add(values, w[c], sums[start / layer.stride.width]);
                }
            }
        }
        finish<Pixels, 0>(sums, channel, column, biases, f, residual, to);
    }

    /// The N-th word of each pixel's sums.
    template <int Pixels, int N>
    [[gnu::always_inline]] static inline void finish(const typename products::sums (&sums)[Pixels], int channel, int column,
                                                     const std::int32_t* biases, const fixed_parameters& f, const std::int8_t* residual,
                                                     std::int8_t* to) {
        constexpr int first = N * vector::lanes;
        const int exist = layer.channels - channel - first;
        if (whole || vector::lanes > 1 || exist > 0) {
            const channel_scaler<Scaling, Target> scale(biases + first, rounded_channels, f, zero_of_result<Scaling>(f, layer.residual));
#pragma GCC unroll 16
            for (int p = 0; p < Pixels; ++p) {
                const auto sum = products::template total<N>(sums[p]);
                typename vector::word y;
                if constexpr (adds_residual)
                    y = scale.template add<above_zero, whole>(sum, residual + (column + p) * key.residual.pixel_stride + channel + first, exist);
                else
                    y = scale.template apply<result_above_zero>(sum);
                vector::template store_bytes<whole>(to + (column + p) * key.out.pixel_stride + channel + first, vector::saturated(y), exist);
            }
        }
        if constexpr ((N + 1) * vector::lanes < lanes) finish<Pixels, N + 1>(sums, channel, column, biases, f, residual, to);
    }

    /// Whether an output pixel of the tile needs input column x.
    template <int Pixels>
    static constexpr bool used(int x) {
        for (int c = 0; c < window.width; ++c) {
            const int start = x - c * layer.dilation.width;
            if (start >= 0 && start % layer.stride.width == 0 && start / layer.stride.width < Pixels) return true;
        }
        return false;
    }
};

}  // namespace dlas
