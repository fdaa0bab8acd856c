// The micro-kernel of convolutions whose weights alone have few bits: as register_tile.hpp's, with weights that become floats as they are
// loaded. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/register_tile.hpp>

namespace dlas {

/// Panels of `vectors` vectors of output channels, as panel_layout's: the biases as floats, then for each group of terms a scale for each
/// channel as a float and the weights, byte by byte of each channel; a byte of two weights has the first in its lower bits.
struct scaled_panels {
    int lanes = 1;
    int vectors = 1;
    int bits = 8;
    int group = 0;  ///< terms that share a scale, at most; 0: those of a run
    reduction sum;  ///< of one group of channels, merged

    constexpr int run() const { return sum.inner.count; }
    constexpr int group_terms() const { return group == 0 || group > run() ? run() : group; }
    /// Bytes of one channel's scale and weights, rounded up to where the next scales may be read as floats.
    constexpr int group_bytes(int terms) const { return 4 + round_up(ceil_divide(terms * bits, 8), lanes % 4 == 0 ? 1 : 4); }
    constexpr int run_bytes() const {
        const int rest = run() % group_terms();
        return run() / group_terms() * group_bytes(group_terms()) + (rest > 0 ? group_bytes(rest) : 0);
    }
    constexpr std::int64_t panel_bytes(int width) const {
        return (std::int64_t{width} * (4 + run_bytes() * sum.outer.count * sum.middle.count) + 3) / 4 * 4;
    }
    /// Bytes of one group's panels.
    constexpr std::int64_t bytes(int outputs) const {
        return cut(outputs).total([&](int width) { return panel_bytes(lanes * width); });
    }
    constexpr panel_cut cut(int outputs) const { return {ceil_divide(outputs, lanes), vectors}; }
};

/// The integer of `bits` bits that a weight becomes.
[[gnu::always_inline]] inline std::int32_t weight_steps(float weight, float scale, int bits) {
    const std::int32_t most = (1 << (bits - 1)) - 1;
    const float steps = weight / scale;
    const auto nearest = static_cast<std::int32_t>(steps < 0 ? steps - 0.5f : steps + 0.5f);
    return nearest > most ? most : nearest < -most ? -most : nearest;
}

/// The scale of `count` weights at which rounding them to `bits` bits costs the least: that of the largest one; where there are few bits,
/// perhaps less. `Target` marks the copy of the code.
template <class Target, class Weight>
float weight_scale(Weight weight, int count, int bits) {
    const auto most = static_cast<float>((1 << (bits - 1)) - 1);
    float largest = 0;
    for (int i = 0; i < count; ++i) largest = largest < __builtin_fabsf(weight(i)) ? __builtin_fabsf(weight(i)) : largest;
    if (largest == 0) return 1;
    const float all = largest / most;
    float best = all, best_error = __builtin_huge_valf();
    for (int step = 0; step < (bits == 8 ? 1 : 8); ++step) {
        const float scale = all * (1 - 0.05f * static_cast<float>(step));
        float error = 0;
        for (int i = 0; i < count; ++i) {
            const float lost = weight(i) - scale * static_cast<float>(weight_steps(weight(i), scale, bits));
            error += lost * lost;
        }
        if (error < best_error) {
            best = scale;
            best_error = error;
        }
    }
    return best;
}

/// Packs an OIHW filter.
template <class Target>
void pack_scaled_panels(const conv2d_layer& layer, const scaled_panels& panels, const float* filter, const float* bias, std::byte* packed) {
    const int inputs = layer.group_in(), area = layer.kernel.area(), outputs = layer.group_out();
    const panel_cut cut = panels.cut(outputs);
    const int terms_of_byte = 8 / panels.bits;
    for (int group = 0; group < layer.groups; ++group)
        for (int panel = 0; panel < cut.count(); ++panel) {
            const int first = cut.first(panel) * panels.lanes, width = cut.width_of(panel) * panels.lanes;
            for (int lane = 0; lane < width; ++lane) {
                const bool exists = first + lane < outputs;
                const std::int64_t channel = group * outputs + first + lane;
                auto weight = [&](int term) { return exists ? filter[(channel * inputs + term % inputs) * area + term / inputs] : 0.0f; };
                const float sum = exists ? bias[channel] : 0.0f;
                __builtin_memcpy(packed + 4 * lane, &sum, 4);
                std::byte* to = packed + 4 * width;
                for (int begin = 0; begin < inputs * area; begin += panels.run())
                    for (int at = 0; at < panels.run(); at += panels.group_terms()) {
                        const int count = panels.run() - at < panels.group_terms() ? panels.run() - at : panels.group_terms();
                        const float scale = weight_scale<Target>([&](int i) { return weight(begin + at + i); }, count, panels.bits);
                        __builtin_memcpy(to + 4 * lane, &scale, 4);
                        std::byte* row = to + 4 * width + lane;
                        for (int i = 0; i < count; i += terms_of_byte) {
                            std::uint32_t byte = 0;
                            for (int k = 0; k < terms_of_byte && i + k < count; ++k)
                                byte |= (static_cast<std::uint32_t>(weight_steps(weight(begin + at + i + k), scale, panels.bits)) &
                                         ((1u << panels.bits) - 1))
                                        << (k * panels.bits);
                            *row = static_cast<std::byte>(byte);
                            row += width;
                        }
                        to += panels.group_bytes(count) * width;
                    }
            }
            packed += panels.panel_bytes(width);
        }
}

/// Computes one tile.
template <tile_key Key, class Target>
struct scaled_tile {
    using vector = simd<float, Target>;
    using integers = simd<std::int8_t, Target>;
    using batch = typename vector::batch;
    using input = float;
    using second = element_type<Key.residual.type>;
    using output = element_type<Key.out.type>;
    using weight = std::int8_t;
    using context = nothing;
    using setting = nothing;
    using unfinished = nothing;
    static constexpr int pixels = Key.rows * Key.columns;
    static constexpr scaled_panels panels = {vector::lanes, Key.vectors, Key.weight_bits, Key.scale_group, Key.sum};
    static constexpr int width = Key.vectors * vector::lanes;
    static constexpr int terms_of_byte = 8 / Key.weight_bits;
    static constexpr int run_terms = panels.run();
    static constexpr int group_terms = panels.group_terms();
    // As the loops around a tile count: a row for each byte of a channel.
    static constexpr int header = 4 * width;
    static constexpr int row = width;
    static constexpr int rows = panels.run_bytes() * Key.sum.outer.count * Key.sum.middle.count;
    static constexpr int panel_size = static_cast<int>(panels.panel_bytes(width));
    static_assert(Key.sum.inner.stride == 1 && Key.adds_bias && !Key.continues);

    [[gnu::always_inline]] static inline void run(const float* in, const weight* panel, const weight* ahead, [[maybe_unused]] const second* residual,
                                                  output* out, context) {
        batch sums[pixels][Key.vectors];
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) {
            const batch first = vector::load(reinterpret_cast<const float*>(panel) + v * vector::lanes);
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p) sums[p][v] = first;
        }
        panel += header;
        for (int o = 0; o < Key.sum.outer.count; ++o)
            for (int m = 0; m < Key.sum.middle.count; ++m) {
                const float* terms = in + o * Key.sum.outer.stride + m * Key.sum.middle.stride;
#pragma GCC unroll 1
                for (int first = 0; first < run_terms; first += group_terms) {
                    batch scales[Key.vectors];
#pragma GCC unroll 32
                    for (int v = 0; v < Key.vectors; ++v) scales[v] = vector::load(reinterpret_cast<const float*>(panel) + v * vector::lanes);
                    panel += 4 * width;
                    const int end = run_terms - first < group_terms ? run_terms : first + group_terms;
#pragma GCC unroll 1
                    for (int i = first; i < end; i += terms_of_byte) {
                        asm volatile("" ::: "memory");  // as in register_tile
                        // Half a byte may be left: its neighbour is 0, and must not be multiplied by what is beyond the run.
                        const int step = run_terms % terms_of_byte != 0 && i + 1 == run_terms ? 0 : 1;
                        batch weights[Key.vectors][terms_of_byte];
#pragma GCC unroll 32
                        for (int v = 0; v < Key.vectors; ++v) {
                            integers::template load_reals<Key.weight_bits>(panel + v * vector::lanes, weights[v]);
#pragma GCC unroll 2
                            for (int k = 0; k < terms_of_byte; ++k) weights[v][k] = vector::multiply(weights[v][k], scales[v]);
                        }
                        if constexpr (Key.ahead_bytes > 0) {
                            prefetch<Key.ahead_bytes>(ahead);
                            ahead += Key.ahead_bytes;
                        }
#pragma GCC unroll 2
                        for (int k = 0; k < terms_of_byte; ++k) {
#pragma GCC unroll 32
                            for (int p = 0; p < pixels; ++p) {
                                const batch x = vector::broadcast(terms[tile_offset(Key, Key.in, p) + k * step]);
#pragma GCC unroll 32
                                for (int v = 0; v < Key.vectors; ++v) sums[p][v] = vector::multiply_add(x, weights[v][k], sums[p][v]);
                            }
                        }
                        panel += width;
                        terms += terms_of_byte;
                    }
                    panel += (panels.group_bytes(end - first) - 4 - ceil_divide(end - first, terms_of_byte)) * width;
                }
            }
        finish_tile<Key, Target>(sums, residual, out);
    }
};

}  // namespace dlas
