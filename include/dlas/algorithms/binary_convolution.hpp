// Direct convolution of one-bit inputs by one-bit weights: bits are counted, not products summed. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>
#include <dlas/hardware/bit_products.hpp>

namespace dlas {

/// Threads first find the layer's threshold together, then the bits of all inputs and what they stand for, then the outputs. What they add up
/// for each other is a number for each row, so that the result does not depend on how many they are.
///
/// The bits of a window are one line, of pixel after pixel, those of a group's channels rounded up to bytes. With low and high what inputs
/// stand for, alpha what weights do, n the input bits of a window that are set, k those whose weight is positive, too:
/// output = bias + alpha * (low * (sum of all signs) + (high - low) * (2 k - n)).
template <conv2d_key Key, class Target>
struct binary_convolution {
    static constexpr conv2d_layer layer = Key.layer;
    static constexpr shape out = layer.out();
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    using bits = bit_products<Target>;
    using operand = typename bits::operand;
    using input = element_type<Key.in.type>;
    using second = element_type<Key.residual.type>;
    using output = element_type<Key.out.type>;
    static_assert(Key.in.type == element::f32);

    static constexpr int map_rows = layer.in.height + layer.padding.top + layer.padding.bottom;
    static constexpr int map_columns = layer.in.width + layer.padding.left + layer.padding.right;
    static constexpr int group_bytes = ceil_divide(layer.group_in(), 8);
    static constexpr int pixel_bytes = layer.groups * group_bytes;
    static constexpr int row_bytes = map_columns * pixel_bytes;
    static constexpr int words = ceil_divide(layer.kernel.area() * group_bytes, 8);  ///< of a window

    static constexpr int vectors = vector::lanes / bits::lanes;
    static_assert(vector::lanes % bits::lanes == 0);
    static constexpr int pixels = [] {
        const int most = vectors < bits::most_sums ? bits::most_sums / vectors : 1;
        return out.pixels() < most ? out.pixels() : most;
    }();
    static constexpr int tiles = ceil_divide(out.pixels(), pixels);
    static constexpr int panels = ceil_divide(layer.group_out(), vector::lanes);

    // For each lane of a panel what weights stand for, the sum of their signs and the bias, as floats, then the bits word by word.
    static constexpr int header = 3 * vector::lanes;
    static constexpr std::int64_t panel_elements = header + std::int64_t{2} * words * vector::lanes;
    static constexpr std::int64_t packed_elements = layer.groups * panels * panel_elements;

    /// What each row of the map adds to the threshold and to what bits stand for.
    struct row_sums {
        float all;
        float above;  ///< of the distances of inputs above the threshold
        float below;
        std::int32_t ones;
    };
    static constexpr bool shares_workspace = true;
    static constexpr std::int64_t rows_bytes = std::int64_t{sizeof(row_sums)} * layer.in.height;
    static constexpr std::int64_t workspace_bytes = rows_bytes + (std::int64_t{map_rows} * row_bytes + 3) / 4 * 4;

    static void pack(const float* filter, const float* bias, float* packed) {
        constexpr int inputs = layer.group_in(), area = layer.kernel.area(), terms = inputs * area;
        for (int group = 0; group < layer.groups; ++group)
            for (int first = 0; first < panels * vector::lanes; first += vector::lanes, packed += panel_elements)
                for (int lane = 0; lane < vector::lanes; ++lane) {
                    const bool exists = first + lane < layer.group_out();
                    const std::int64_t channel = group * layer.group_out() + first + lane;
                    double magnitudes = 0;
                    int positive = 0;
                    for (int i = 0; exists && i < terms; ++i) {
                        const float weight = filter[channel * terms + i];
                        magnitudes += double{__builtin_fabsf(weight)};
                        positive += weight >= 0;
                    }
                    packed[lane] = exists ? static_cast<float>(magnitudes / terms) : 0.0f;
                    packed[lane + vector::lanes] = exists ? static_cast<float>(2 * positive - terms) : 0.0f;
                    packed[lane + 2 * vector::lanes] = exists ? bias[channel] : 0.0f;
                    for (int w = 0; w < words; ++w) {
                        std::uint64_t word = 0;
                        for (int i = 0; exists && i < 64; ++i) {
                            const int byte = 8 * w + i / 8, at = byte / group_bytes, channel_in = byte % group_bytes * 8 + i % 8;
                            if (at < area && channel_in < inputs && filter[(channel * inputs + channel_in) * area + at] >= 0)
                                word |= std::uint64_t{1} << i;
                        }
                        __builtin_memcpy(packed + header + 2 * (w * vector::lanes + bits::position(lane)), &word, sizeof word);
                    }
                }
    }

    static void run(const kernel_arguments& a) {
        auto* rows = static_cast<row_sums*>(a.workspace);
        auto* map = static_cast<std::byte*>(a.workspace) + rows_bytes;
        const input* const first_pixel = static_cast<const input*>(a.input);
        const range own_rows = share_of(layer.in.height, a.part, a.parts);
        for (int row = own_rows.begin; row < own_rows.end; ++row) rows[row].all = sum_row(first_pixel + std::int64_t{row} * Key.in.row_stride);
        a.meet();

        double sum = 0;
        for (int row = 0; row < layer.in.height; ++row) sum += double{rows[row].all};
        const auto threshold = static_cast<float>(sum / layer.in.elements());
        const range own_map_rows = share_of(map_rows, a.part, a.parts);
        for (int row = own_map_rows.begin; row < own_map_rows.end; ++row) pack_row(first_window<Key>(a), row, threshold, rows, map);
        a.meet();

        const levels stand_for = find_levels(rows, threshold);
        // Whichever leaves the busiest thread less to do.
        if (ceil_divide(tiles, a.parts) * panels <= tiles * ceil_divide(panels, a.parts))
            run_tiles(a, map, stand_for, share_of(tiles, a.part, a.parts), {0, panels});
        else
            run_tiles(a, map, stand_for, {0, tiles}, share_of(panels, a.part, a.parts));
    }

private:
    struct levels {
        float low;
        float step;  ///< from low to high
    };

    /// Sums of so many neighbours are added up apart, whatever the target's vectors, so that all targets find the same bits.
    static constexpr int sums_apart = 32;
    static constexpr int batches_apart = sums_apart / vector::lanes;

    using partial_sums = batch[batches_apart];
    [[gnu::always_inline]] static inline float total(const partial_sums& sums) {
        float apart[sums_apart], sum = 0;
        for (int i = 0; i < batches_apart; ++i) vector::store(apart + i * vector::lanes, sums[i]);
        for (const float s : apart) sum += s;
        return sum;
    }

    /// Calls visit(x, index of the partial sums) for all elements of a row. What there is not is `neutral`.
    template <class Visit>
    [[gnu::always_inline]] static inline void visit_row(const input* from, float neutral, Visit visit) {
        if constexpr (Key.in.pixel_stride == layer.in.channels)
            visit_run<layer.in.width * layer.in.channels>(from, neutral, visit);
        else
            for (int column = 0; column < layer.in.width; ++column) visit_run<layer.in.channels>(from + column * Key.in.pixel_stride, neutral, visit);
    }
    template <int Count, class Visit>
    [[gnu::always_inline]] static inline void visit_run(const input* from, float neutral, Visit visit) {
        constexpr int rest = Count % sums_apart;
        for (int at = 0; at < Count - rest; at += sums_apart)
#pragma GCC unroll 32
            for (int i = 0; i < batches_apart; ++i) visit(vector::load(from + at + i * vector::lanes), i);
        if constexpr (rest > 0) {
            float last[sums_apart];
            for (float& x : last) x = neutral;
            __builtin_memcpy(last, from + Count - rest, rest * sizeof(float));
#pragma GCC unroll 32
            for (int i = 0; i < batches_apart; ++i) visit(vector::load(last + i * vector::lanes), i);
        }
    }

    static float sum_row(const input* from) {
        partial_sums sums;
        for (batch& s : sums) s = vector::broadcast(0.0f);
        visit_row(from, 0.0f, [&](batch x, int i) __attribute__((always_inline)) { sums[i] = vector::add(sums[i], x); });
        return total(sums);
    }

    /// The bits of a row of the map with its halo and, if it is one of the input, what it adds to the levels.
    static void pack_row(const input* from, int row, float threshold, row_sums* rows, std::byte* map) {
        const batch limit = vector::broadcast(threshold), zero = vector::broadcast(0.0f);
        from += std::int64_t{row} * Key.in.row_stride;
        std::byte* to = map + std::int64_t{row} * row_bytes;
        int ones = 0;
        for (int column = 0; column < map_columns; ++column) {
            int of_pixel = 0;
            for (int group = 0; group < layer.groups; ++group) {
                of_pixel += pack_pixel(from + column * Key.in.pixel_stride + group * layer.group_in(), limit, to);
                to += group_bytes;
            }
            if (column >= layer.padding.left && column < layer.padding.left + layer.in.width) ones += of_pixel;
        }
        row -= layer.padding.top;
        if (row < 0 || row >= layer.in.height) return;

        partial_sums above, below;
        for (batch& s : above) s = zero;
        for (batch& s : below) s = zero;
        visit_row(from + layer.padding.left * Key.in.pixel_stride, threshold, [&](batch x, int i) __attribute__((always_inline)) {
            const batch distance = vector::subtract(x, limit);
            above[i] = vector::add(above[i], vector::max(distance, zero));
            below[i] = vector::subtract(below[i], vector::min(distance, zero));
        });
        rows[row].above = total(above);
        rows[row].below = total(below);
        rows[row].ones = ones;
    }

    /// One group of a pixel; returns how many bits are set.
    [[gnu::always_inline]] static inline int pack_pixel(const input* from, batch limit, std::byte* to) {
        constexpr int channels = layer.group_in(), whole = channels / 64 * 64;
        int ones = 0;
        for (int channel = 0; channel < whole; channel += 64) {
            std::uint64_t word = 0;
#pragma GCC unroll 16
            for (int i = 0; i < 64; i += vector::lanes) word |= std::uint64_t{vector::above(vector::load(from + channel + i), limit)} << i;
            __builtin_memcpy(to + channel / 8, &word, sizeof word);
            ones += __builtin_popcountll(word);
        }
        if constexpr (channels > whole) {
            std::uint64_t word = 0;
            for_each_vector<channels - whole, vector>([&]<int Lanes>(int i) __attribute__((always_inline)) {
                const unsigned mask = vector::above(load_lanes<Lanes, vector>(from + whole + i), limit);
                word |= (mask & ((std::uint64_t{1} << Lanes) - 1)) << i;
            });
            __builtin_memcpy(to + whole / 8, &word, group_bytes - whole / 8);
            ones += __builtin_popcountll(word);
        }
        return ones;
    }

    static levels find_levels(const row_sums* rows, float threshold) {
        double above = 0, below = 0;
        std::int64_t ones = 0;
        for (int row = 0; row < layer.in.height; ++row) {
            above += double{rows[row].above};
            below += double{rows[row].below};
            ones += rows[row].ones;
        }
        const std::int64_t zeros = layer.in.elements() - ones;
        if (ones == 0 || zeros == 0) return {threshold, 0};  // all are the same
        const auto low = static_cast<float>(double{threshold} - below / static_cast<double>(zeros));
        const auto high = static_cast<float>(double{threshold} + above / static_cast<double>(ones));
        return {low, high - low};
    }

    /// The window of an output pixel as a column of `windows`; returns how many bits are set.
    [[gnu::always_inline]] static inline int gather(const std::byte* map, int row, int column, operand* windows) {
        std::uint64_t line[words];
        line[words - 1] = 0;
        auto* to = reinterpret_cast<std::byte*>(line);
        const std::byte* from = map + row * layer.stride.height * row_bytes + column * layer.stride.width * pixel_bytes;
        for (int r = 0; r < layer.kernel.height; ++r, from += layer.dilation.height * row_bytes) {
            if constexpr (layer.dilation.width == 1 && layer.groups == 1) {
                __builtin_memcpy(to, from, layer.kernel.width * group_bytes);
                to += layer.kernel.width * group_bytes;
            } else {
                for (int c = 0; c < layer.kernel.width; ++c, to += group_bytes)
                    __builtin_memcpy(to, from + c * layer.dilation.width * pixel_bytes, group_bytes);
            }
        }
        int ones = 0;
        for (int w = 0; w < words; ++w) {
            windows[w * pixels] = bits::prepare(line[w]);
            ones += __builtin_popcountll(line[w]);
        }
        return ones;
    }

    /// What the channels of a tile have in common.
    struct tile_inputs {
        operand windows[words][pixels];
        float ones[pixels];
        std::int64_t residual[pixels], out[pixels];  ///< offsets of the pixels in the two maps
    };

    static void run_tiles(const kernel_arguments& a, const std::byte* map, levels stand_for, range own_tiles, range own_panels) {
        tile_inputs inputs;
        for (int group = 0; group < layer.groups; ++group) {
            const float* const weights = static_cast<const float*>(a.weights) + group * panels * panel_elements;
            const int first = group * layer.group_out();
            for (int t = own_tiles.begin; t < own_tiles.end; ++t) {
                for (int p = 0; p < pixels; ++p) {
                    const int pixel = tile_begin(t, pixels, out.pixels()) + p, row = pixel / out.width, column = pixel % out.width;
                    inputs.ones[p] = static_cast<float>(gather(map + group * group_bytes, row, column, inputs.windows[0] + p));
                    inputs.residual[p] = row * Key.residual.row_stride + column * Key.residual.pixel_stride + first;
                    inputs.out[p] = row * Key.out.row_stride + column * Key.out.pixel_stride + first;
                }
                for (int panel = own_panels.begin; panel < own_panels.end; ++panel) {
                    constexpr int last_lanes = (layer.group_out() - 1) % vector::lanes + 1;
                    const float* of_panel = weights + panel * panel_elements;
                    if (panel < panels - 1)
                        run_tile<vector::lanes>(a, inputs, of_panel, stand_for, panel * vector::lanes);
                    else
                        run_tile<last_lanes>(a, inputs, of_panel, stand_for, panel * vector::lanes);
                }
            }
        }
    }

    template <int Lanes>
    [[gnu::always_inline]] static inline void run_tile(const kernel_arguments& a, const tile_inputs& inputs, const float* panel, levels stand_for,
                                                       int channel) {
        using integers = simd<std::int8_t, Target>;
        typename integers::sums totals[pixels] = {};
        const float* from = panel + header;
        for (int begin = 0; begin < words; begin += bits::most_words) {
            const int end = words - begin < bits::most_words ? words : begin + bits::most_words;
            typename bits::sum sums[pixels][vectors];
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 32
                for (int v = 0; v < vectors; ++v) sums[p][v] = bits::zero();
#pragma GCC unroll 1
            for (int w = begin; w < end; ++w) {
                typename bits::weights weights[vectors];
#pragma GCC unroll 32
                for (int v = 0; v < vectors; ++v) weights[v] = bits::load_weights(from + 2 * v * bits::lanes);
#pragma GCC unroll 32
                for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 32
                    for (int v = 0; v < vectors; ++v) sums[p][v] = bits::count(inputs.windows[w][p], weights[v], sums[p][v]);
                from += 2 * vector::lanes;
            }
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p) totals[p] = integers::add(totals[p], bits::totals(sums[p]));
        }

        const batch scale = vector::load(panel), bias = vector::load(panel + 2 * vector::lanes), step = vector::broadcast(stand_for.step);
        const batch low = vector::rounded(vector::multiply(vector::broadcast(stand_for.low), vector::load(panel + vector::lanes)));
        const activation_function<layer.activation, vector> activate;
#pragma GCC unroll 32
        for (int p = 0; p < pixels; ++p) {
            const batch both = integers::to_float(totals[p]);
            const batch signs = vector::subtract(vector::add(both, both), vector::broadcast(inputs.ones[p]));
            batch sum = vector::add(low, vector::rounded(vector::multiply(step, signs)));
            sum = vector::add(vector::rounded(vector::multiply(scale, sum)), bias);
            if constexpr (layer.residual)
                sum = vector::add(sum, load_elements<Lanes, Target>(static_cast<const second*>(a.second) + inputs.residual[p] + channel));
            store_elements<Lanes, Target>(static_cast<output*>(a.output) + inputs.out[p] + channel, activate(sum));
        }
    }
};

}  // namespace dlas
