// Winograd's minimal filtering of integers: F(2x2, 3x3), exact. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>
#include <dlas/algorithms/winograd_transform.hpp>

namespace dlas {

/// Four times the sum of nine products of a byte and a weight fits 32 bits for so many input channels.
inline constexpr int integer_winograd_most_inputs = (1 << 29) / (9 * 255 * 128);

/// The input's transform adds and subtracts: of bytes it fits 16 bits. With 2 G in place of G filters are integers, too, and sums are four
/// times the convolution's: they wrap on the way, but the result fits. Products of 16 bits are as many for each instruction as those of
/// bytes that have to be widened, and 4/9 as many.
template <conv2d_key Key, class Target>
struct integer_winograd {
    static constexpr conv2d_layer layer = Key.layer;
    static constexpr shape out = layer.out();
    using vector = simd<float, Target>;
    using shorts = simd<std::int16_t, Target>;
    using integers = simd<std::int8_t, Target>;
    using input = element_type<Key.in.type>;
    using second = element_type<Key.residual.type>;
    using output = element_type<Key.out.type>;
    static constexpr int outputs = 2, points = outputs + 2, products = points * points;
    static constexpr int tile_columns = ceil_divide(out.width, outputs);
    static constexpr int tiles = ceil_divide(out.height, outputs) * tile_columns;
    static constexpr int in_width = round_up(layer.in.channels, shorts::lanes);
    static constexpr int out_width = round_up(layer.channels, vector::lanes);

    static constexpr int block = winograd_transform::block_tiles<outputs, Target>(layer, Key.schedule, 2);
    static constexpr tiling tile = scheduled_tile<Target>(Key.schedule, {1, block}, layer.channels);
    static constexpr tile_loops loops = [] {
        tile_loops all_tiles = scheduled_loops<Target>(Key.schedule, tile, {1, block}, out_width, block);
        all_tiles.block_tiles = block;  // of register tiles, which are no more
        return all_tiles;
    }();
    static constexpr tile_key key = {.rows = 1, .columns = tile.columns, .vectors = tile.vectors, .in = {0, in_width, element::s16},
                                     .out = {0, out_width, element::s32}, .residual = {}, .sum = {{}, {}, {layer.in.channels, 1}},
                                     .adds_bias = false, .weights = element::s16, .weight_bits = 16};
    using gemm = tiled_gemm<key, loops, Target>;

    static constexpr dot_panels panels = panels_of<Target>(key);
    static constexpr std::int64_t product_bytes = panels.bytes(layer.channels);
    static constexpr std::int64_t header_bytes = requantization_bytes + std::int64_t{8} * out_width;  ///< then biases and multipliers
    static constexpr std::int64_t packed_elements = (header_bytes + products * product_bytes) / 4;
    static constexpr std::int64_t sums_offset = (std::int64_t{2} * products * block * in_width + 63) / 64 * 64;
    static constexpr std::int64_t workspace_bytes = sums_offset + std::int64_t{4} * products * block * out_width;

    static void pack_quantized(const quantized_parameters& p, float* packed) {
        pack_requantization<Target>(requantization_of<Target>(p, Key.in.type, Key.residual.type, Key.out.type, layer.activation), packed);
        auto* to = reinterpret_cast<std::byte*>(packed);
        const std::int32_t zero = p.input.zero + stored_offset(Key.in.type);
        auto filter = [&](int channel, int in_channel, int at) -> std::int32_t {
            return p.filter[(std::int64_t{channel} * layer.in.channels + in_channel) * 9 + at];
        };
        for (int channel = 0; channel < out_width; ++channel) {
            const bool exists = channel < layer.channels;
            std::int32_t total = 0;
            for (int i = 0; exists && i < layer.in.channels; ++i)
                for (int at = 0; at < 9; ++at) total += filter(channel, i, at);
            const std::int32_t bias = exists ? p.bias[channel] - zero * total : 0;
            const float multiplier = exists ? p.multiplier(channel, Key.out.type) : 0.0f;
            __builtin_memcpy(to + requantization_bytes + 4 * channel, &bias, 4);
            __builtin_memcpy(to + requantization_bytes + 4 * (out_width + channel), &multiplier, 4);
        }
        constexpr conv2d_layer pointwise = {.in = {1, 1, layer.in.channels}, .channels = layer.channels};
        constexpr auto& matrix = winograd_transform::filter_matrix<outputs>;
        for (int product = 0; product < products; ++product) {
            std::int32_t factors[9];  // 2 G is of integers
            for (int at = 0; at < 9; ++at) factors[at] = static_cast<std::int32_t>(4 * matrix[product / points][at / 3] * matrix[product % points][at % 3]);
            pack_dot_panels<Target>(
                pointwise, panels, all_channels, to + header_bytes + product * product_bytes, [](int, std::byte*, int) {},
                [&](int channel, int i) {
                    std::int32_t sum = 0;
                    for (int at = 0; at < 9; ++at) sum += factors[at] * filter(channel, i, at);
                    return static_cast<std::uint32_t>(sum) & 0xffffu;
                });
        }
    }

    static void run(const kernel_arguments& a) {
        const requantizer<Target> finish(a.weights);
        auto* transformed = reinterpret_cast<std::int16_t*>(a.own_workspace());
        auto* sums = reinterpret_cast<std::int32_t*>(a.own_workspace() + sums_offset);
        winograd_transform::for_own_blocks<outputs, Target>(a, out, block, gemm::cut, [&](range of_map, const tile_share& share) {
            transform_inputs(a, of_map, transformed);
            multiply(a, transformed, winograd_transform::in_rows(of_map, share, tile.columns), sums);
            transform_outputs(a, sums, of_map, share, finish);
        });
    }

private:
    static void multiply(const kernel_arguments& a, const std::int16_t* transformed, const tile_share& share, std::int32_t* sums) {
        const auto* filters = static_cast<const std::int8_t*>(a.weights) + header_bytes;
        for (int p = 0; p < products; ++p, filters += product_bytes)
            gemm::run(transformed + p * (block * in_width), filters, nullptr, sums + p * (block * out_width), share, {}, filters + product_bytes);
    }

    static void transform_inputs(const kernel_arguments& a, range of_map, std::int16_t* to) {
        const input* in = first_window<Key>(a);
        for (int t = of_map.begin; t < of_map.end; ++t, to += in_width) {
            const int row = tile_begin(t / tile_columns, outputs, out.height);
            const int column = tile_begin(t % tile_columns, outputs, out.width);
            const input* from = in + row * Key.in.row_stride + column * Key.in.pixel_stride;
            for_each_vector<layer.in.channels, shorts>([&]<int Lanes>(int channel) { transform_input<Lanes>(from + channel, to + channel); });
        }
    }
    template <int Lanes>
    static void transform_input(const input* in, std::int16_t* to) {
        typename shorts::batch rows[points][points];
#pragma GCC unroll 4
        for (int c = 0; c < points; ++c) {
            typename shorts::batch d[points], v[points];
#pragma GCC unroll 4
            for (int r = 0; r < points; ++r) d[r] = shorts::template load_bytes<Lanes>(in + r * Key.in.row_stride + c * Key.in.pixel_stride);
            winograd_transform::input<outputs, shorts>(d, v);
#pragma GCC unroll 4
            for (int r = 0; r < points; ++r) rows[r][c] = v[r];
        }
#pragma GCC unroll 4
        for (int r = 0; r < points; ++r) {
            typename shorts::batch v[points];
            winograd_transform::input<outputs, shorts>(rows[r], v);
#pragma GCC unroll 4
            for (int c = 0; c < points; ++c) shorts::store(to + (r * points + c) * (block * in_width), v[c]);
        }
    }

    static void transform_outputs(const kernel_arguments& a, const std::int32_t* sums, range of_map, const tile_share& share, const requantizer<Target>& finish) {
        const std::byte* parameters = static_cast<const std::byte*>(a.weights) + requantization_bytes;
        for (int t = of_map.begin; t < of_map.end; ++t, sums += out_width) {
            const int row = tile_begin(t / tile_columns, outputs, out.height);
            const int column = tile_begin(t % tile_columns, outputs, out.width);
            const second* residual = static_cast<const second*>(a.second) + row * Key.residual.row_stride + column * Key.residual.pixel_stride;
            output* to = static_cast<output*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
            const range of_panels = share.panels_of(t);
            for_each_vector<layer.channels, vector>({gemm::cut.first(of_panels.begin), gemm::cut.first(of_panels.end)}, [&]<int Lanes>(int channel) {
                transform_output<Lanes>(sums + channel, parameters + 4 * channel, layer.residual ? residual + channel : nullptr,
                                        to + channel, finish);
            });
        }
    }
    template <int Lanes>
    static void transform_output(const std::int32_t* from, const std::byte* parameters, const second* residual, output* to,
                                 const requantizer<Target>& finish) {
        typename integers::sums columns[outputs][points];
#pragma GCC unroll 4
        for (int c = 0; c < points; ++c) {
            typename integers::sums m[points], y[outputs];
#pragma GCC unroll 4
            for (int r = 0; r < points; ++r) m[r] = integers::load_sums(from + (r * points + c) * (block * out_width));
            winograd_transform::output<outputs, integers>(m, y);
#pragma GCC unroll 2
            for (int r = 0; r < outputs; ++r) columns[r][c] = y[r];
        }
        const auto bias = integers::load_sums(reinterpret_cast<const std::int32_t*>(parameters));
        const auto multiplier = vector::load(reinterpret_cast<const float*>(parameters + 4 * out_width));
#pragma GCC unroll 2
        for (int r = 0; r < outputs; ++r) {
            typename integers::sums sums[outputs];
            winograd_transform::output<outputs, integers>(columns[r], sums);
#pragma GCC unroll 2
            for (int c = 0; c < outputs; ++c) {
                const auto sum = integers::add(integers::template shift_right<2>(sums[c]), bias);
                auto y = vector::rounded(vector::multiply(integers::to_float(sum), multiplier));
                if constexpr (layer.residual)
                    y = vector::add(y, finish.second(load_elements<Lanes, Target>(residual + r * Key.residual.row_stride + c * Key.residual.pixel_stride)));
                finish.template store<Lanes>(to + r * Key.out.row_stride + c * Key.out.pixel_stride, y);
            }
        }
    }
};

}  // namespace dlas
