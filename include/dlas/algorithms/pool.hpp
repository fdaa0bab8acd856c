// Pooling: windows that cut off at the border of the map, channels in the vector. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/requantize.hpp>

namespace dlas {

struct pool2d_key {
    pool2d_layer layer;
    placement in;
    placement out;

    constexpr bool operator==(const pool2d_key&) const = default;
};

/// Maximum or average of each window. The halo of the input is not read.
template <pool2d_key Key, class Target>
struct pool2d_kernel {
    static constexpr pool2d_layer layer = Key.layer;
    static constexpr shape out = layer.out();
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    using input = element_type<Key.in.type>;
    using output = element_type<Key.out.type>;
    /// A maximum of integers is one of them: input and output share scale and zero point, unless the output is real.
    static constexpr bool requantizes = is_quantized(Key.in.type) && (!layer.maximum || Key.in.type != Key.out.type);
    /// The largest integer is that of what is stored, too: four times as many bytes as floats fit a vector.
    static constexpr bool compares_stored = is_quantized(Key.in.type) && layer.maximum && !requantizes;

    static void run(const kernel_arguments& a) {
        const input* in = static_cast<const input*>(a.input);
        const range rows = share_of(out.height, a.part, a.parts);
        for (int row = rows.begin; row < rows.end; ++row)
            for (int column = 0; column < out.width; ++column) {
                const int top = row * layer.stride.height - layer.padding.top;
                const int left = column * layer.stride.width - layer.padding.left;
                const int first_row = top < 0 ? 0 : top;
                const int first_column = left < 0 ? 0 : left;
                const int last_row = top + layer.kernel.height < layer.in.height ? top + layer.kernel.height : layer.in.height;
                const int last_column = left + layer.kernel.width < layer.in.width ? left + layer.kernel.width : layer.in.width;
                const int counted = layer.count_padding ? layer.kernel.area() : (last_row - first_row) * (last_column - first_column);
                output* to = static_cast<output*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                if constexpr (compares_stored) {
                    constexpr int elements = vector::lanes * 4 / int{sizeof(input)};
                    store_maxima<elements>({first_row, last_row}, {first_column, last_column}, in, to);
                    continue;
                }
                for_each_vector<layer.in.channels, vector>([&]<int Lanes>(int channel) {
                    const input* from = in + first_row * Key.in.row_stride + first_column * Key.in.pixel_stride + channel;
                    batch result = layer.maximum ? load_elements<Lanes, Target>(from) : vector::broadcast(0.0f);
                    for (int r = first_row; r < last_row; ++r)
                        for (int c = first_column; c < last_column; ++c) {
                            const batch x = load_elements<Lanes, Target>(in + r * Key.in.row_stride + c * Key.in.pixel_stride + channel);
                            result = layer.maximum ? vector::max(result, x) : vector::add(result, x);
                        }
                    if constexpr (requantizes && layer.maximum) {
                        const requantizer<Target> finish(a.weights);
                        finish.template store<Lanes>(to + channel, finish.first(result));
                    } else if constexpr (requantizes) {
                        const requantizer<Target> finish(a.weights);
                        const auto inside = static_cast<float>((last_row - first_row) * (last_column - first_column));
                        result = vector::subtract(result, vector::multiply(finish.first_zero, vector::broadcast(inside)));
                        result = vector::multiply(result, vector::multiply(finish.first_scale, vector::broadcast(1.0f / static_cast<float>(counted))));
                        finish.template store<Lanes>(to + channel, result);
                    } else {
                        if constexpr (!layer.maximum) result = vector::multiply(result, vector::broadcast(1.0f / static_cast<float>(counted)));
                        store_elements<Lanes, Target>(to + channel, result);
                    }
                });
            }
    }

private:
    /// Of all channels from the `First`th on, `Elements` at a time, a power of two, and fewer where fewer remain.
    template <int Elements, int First = 0>
    [[gnu::always_inline]] static inline void store_maxima(range rows, range columns, const input* in, output* to) {
        using block [[gnu::vector_size(Elements * sizeof(input))]] = input;
        constexpr int end = layer.in.channels - (layer.in.channels - First) % Elements;
        for (int channel = First; channel < end; channel += Elements) {
            block result;
            __builtin_memcpy(&result, in + rows.begin * Key.in.row_stride + columns.begin * Key.in.pixel_stride + channel, sizeof result);
            for (int r = rows.begin; r < rows.end; ++r)
                for (int c = columns.begin; c < columns.end; ++c) {
                    block x;
                    __builtin_memcpy(&x, in + r * Key.in.row_stride + c * Key.in.pixel_stride + channel, sizeof x);
                    result = result > x ? result : x;
                }
            __builtin_memcpy(to + channel, &result, sizeof result);
        }
        if constexpr (end < layer.in.channels) store_maxima<Elements / 2, end>(rows, columns, in, to);
    }
};

struct global_pool_key {
    shape map;
    placement in;
    element out = element::f32;

    constexpr bool operator==(const global_pool_key&) const = default;
};

/// Mean over all pixels of each channel. Sums run along rows, row after row, so that long maps lose no more than a row's rounding.
template <global_pool_key Key, class Target>
struct global_average_pool_kernel {
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    using input = element_type<Key.in.type>;
    using output = element_type<Key.out>;
    static constexpr bool requantizes = is_quantized(Key.in.type) || is_quantized(Key.out);

    static void run(const kernel_arguments& a) {
        constexpr int at_once = 8;  // so many sums hide the latency of an addition
        constexpr int whole = Key.map.channels / vector::lanes, rest = Key.map.channels % vector::lanes;
        const input* in = static_cast<const input*>(a.input);
        output* out = static_cast<output*>(a.output);
        const range blocks = share_of(whole / at_once, a.part, a.parts);
        for (int b = blocks.begin; b < blocks.end; ++b)
            average<at_once, vector::lanes>(in + b * at_once * vector::lanes, out + b * at_once * vector::lanes, a.weights);
        if (a.part != 0) return;
        constexpr int first = whole / at_once * at_once * vector::lanes;
        if constexpr (whole % at_once > 0) average<whole % at_once, vector::lanes>(in + first, out + first, a.weights);
        if constexpr (rest > 0) average<1, rest>(in + whole * vector::lanes, out + whole * vector::lanes, a.weights);
    }

private:
    template <int Vectors, int Lanes>
    static void average(const input* in, output* out, [[maybe_unused]] const void* parameters) {
        batch totals[Vectors];
        for (batch& total : totals) total = vector::broadcast(0.0f);
        for (int r = 0; r < Key.map.height; ++r) {
            batch sums[Vectors];
            for (batch& sum : sums) sum = vector::broadcast(0.0f);
            const input* from = in + r * Key.in.row_stride;
            for (int c = 0; c < Key.map.width; ++c, from += Key.in.pixel_stride)
#pragma GCC unroll 8
                for (int v = 0; v < Vectors; ++v) sums[v] = vector::add(sums[v], load_elements<Lanes, Target>(from + v * vector::lanes));
            for (int v = 0; v < Vectors; ++v) totals[v] = vector::add(totals[v], sums[v]);
        }
        const batch reciprocal = vector::broadcast(1.0f / static_cast<float>(Key.map.pixels()));
        if constexpr (requantizes) {
            static_assert(Key.map.pixels() < (1 << 16), "[dlas] global_average_pool: the map is too large for exact sums of integers");
            const requantizer<Target> finish(parameters);
            const batch zero = vector::multiply(finish.first_zero, vector::broadcast(static_cast<float>(Key.map.pixels())));
            const batch scale = vector::multiply(finish.first_scale, reciprocal);
            for (int v = 0; v < Vectors; ++v)
                finish.template store<Lanes>(out + v * vector::lanes, vector::multiply(vector::subtract(totals[v], zero), scale));
        } else {
            for (int v = 0; v < Vectors; ++v) store_elements<Lanes, Target>(out + v * vector::lanes, vector::multiply(totals[v], reciprocal));
        }
    }
};

}  // namespace dlas
