// The micro-kernel that the convolution algorithms share: a tile of pixels by channels that stays in registers
// while it sums over the filter's window. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/kernel.hpp>
#include <dlas/algorithms/tiling.hpp>

namespace dlas {

/// A sum as three nested loops over the input; strides in elements.
struct reduction {
    struct level {
        int count = 1;
        int stride = 0;
        constexpr bool operator==(const level&) const = default;
    };
    level outer, middle, inner;

    constexpr bool operator==(const reduction&) const = default;
    constexpr int terms() const { return outer.count * middle.count * inner.count; }

    /// The same sum with levels joined where they are contiguous: fewer and longer inner loops.
    constexpr reduction merged() const {
        reduction r = *this;
        if (r.middle.count == 1 || r.middle.stride == r.inner.count * r.inner.stride) {
            r.inner.count *= r.middle.count;
            r.middle = r.outer;
            r.outer = {};
        }
        if (r.middle.count == 1 || r.middle.stride == r.inner.count * r.inner.stride) {
            r.inner.count *= r.middle.count;
            r.middle = r.outer;
            r.outer = {};
        }
        return r;
    }
};

/// Whether one pixel's sum is cut into parts that are summed up beside each other: its weights are read once and from far away, and a core's
/// own prefetching brings several streams sooner than one.
template <class Target>
constexpr bool streams_sum(int pixels, reduction sum) {
    sum = sum.merged();
    return Target::prefetch_bytes > 0 && pixels == 1 && sum.outer.count * sum.middle.count == 1 && sum.inner.count >= 16 * most_streams;
}

/// Asks the second-level cache for bytes that will be read, a line at a time.
template <int Bytes>
[[gnu::always_inline]] inline void prefetch(const void* from) {
#pragma GCC unroll 32
    for (int i = 0; i < Bytes; i += 64) __builtin_prefetch(static_cast<const std::byte*>(from) + i, 0, 2);
}

/// Everything that the code of a register tile depends on.
struct tile_key {
    int rows = 1;        ///< pixels of the tile: rows x columns
    int columns = 1;
    int vectors = 1;     ///< vectors of output channels
    int last_lanes = 1;  ///< lanes of the last vector that are channels
    placement in;        ///< strides between the inputs of neighbouring output pixels
    placement out;
    placement residual;
    reduction sum;
    bool adds_residual = false;
    bool adds_bias = true;  ///< the panel begins with a bias for each channel
    bool continues = false; ///< starts from the sums that the output holds
    element weights = element::f32;
    int weight_bits = 8;    ///< of quantized weights: how large they may be
    int scale_group = 0;    ///< terms that share a scale, where weights alone have scales
    int ahead_bytes = 0;    ///< weights that are asked for with each term, for later use
    activation function = activation::none;

    constexpr bool operator==(const tile_key&) const = default;
};

/// From a tile's first pixel to another one's, in elements.
constexpr int tile_offset(const tile_key& key, placement map, int pixel) {
    return pixel / key.columns * map.row_stride + pixel % key.columns * map.pixel_stride;
}

/// What a float tile has to be told beside its pointers.
struct nothing {};

/// Turns the sum of a pixel's vector of channels, a float each, into output elements.
template <tile_key Key, int Lanes, class Target>
[[gnu::always_inline]] inline void finish_floats(typename simd<float, Target>::batch sum, [[maybe_unused]] const element_type<Key.residual.type>* residual,
                                                 element_type<Key.out.type>* out, int p, int v,
                                                 const activation_function<Key.function, simd<float, Target>>& activate) {
    using vector = simd<float, Target>;
    if constexpr (Key.adds_residual)
        sum = vector::add(sum, load_elements<Lanes, Target>(residual + tile_offset(Key, Key.residual, p) + v * vector::lanes));
    store_elements<Lanes, Target>(out + tile_offset(Key, Key.out, p) + v * vector::lanes, activate(sum));
}

/// Ends a tile: all its sums become output elements.
template <tile_key Key, class Target, int Pixels>
[[gnu::always_inline]] inline void finish_tile(const typename simd<float, Target>::batch (&sums)[Pixels][Key.vectors],
                                               const element_type<Key.residual.type>* residual, element_type<Key.out.type>* out) {
    using vector = simd<float, Target>;
    const activation_function<Key.function, vector> activate;
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p) {
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors - 1; ++v) finish_floats<Key, vector::lanes, Target>(sums[p][v], residual, out, p, v, activate);
        finish_floats<Key, Key.last_lanes, Target>(sums[p][Key.vectors - 1], residual, out, p, Key.vectors - 1, activate);
    }
}

/// Computes one tile: out[pixel][channel] = activation(bias + sum(in * panel) [+ residual]).
/// The panel holds, after the biases, one row of `vectors` vectors of weights for each term of the sum.
template <tile_key Key, class Target>
struct register_tile {
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    static constexpr int pixels = Key.rows * Key.columns;
    static constexpr int width = Key.vectors * vector::lanes;

    // What the loops around a tile ask of its kind.
    using input = float;
    using second = element_type<Key.residual.type>;
    using output = element_type<Key.out.type>;
    using weight = element_type<Key.weights>;
    using context = nothing;
    using setting = nothing;
    using unfinished = nothing;
    static constexpr int header = Key.adds_bias ? width * 4 / element_bytes(Key.weights) : 0;  ///< elements of a panel before its rows: floats
    static constexpr int row = width;                         ///< elements for each term
    static constexpr int rows = Key.sum.terms();
    static constexpr int panel_size = round_up(header + row * rows, 4 / element_bytes(Key.weights));

    static constexpr int streams = [] {
        if (!streams_sum<Target>(pixels, Key.sum)) return 1;
        const int fitting = (Target::vector_registers - 1) / Key.vectors - 1;
        return fitting < 1 ? 1 : fitting > most_streams ? most_streams : fitting;
    }();

    /// `ahead`: the first of the weights that are asked for.
    [[gnu::always_inline]] static inline void run(const float* in, const weight* panel, [[maybe_unused]] const weight* ahead,
                                                  [[maybe_unused]] const second* residual, output* out, context) {
        batch sums[pixels][Key.vectors];
        if constexpr (Key.continues) {
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 32
                for (int v = 0; v < Key.vectors - 1; ++v) sums[p][v] = vector::load(out + tile_offset(Key, Key.out, p) + v * vector::lanes);
                sums[p][Key.vectors - 1] = load_lanes<Key.last_lanes, vector>(out + tile_offset(Key, Key.out, p) + (Key.vectors - 1) * vector::lanes);
            }
        } else {
#pragma GCC unroll 32
            for (int v = 0; v < Key.vectors; ++v) {
                const batch first = Key.adds_bias ? vector::load(reinterpret_cast<const float*>(panel) + v * vector::lanes) : vector::broadcast(0.0f);
#pragma GCC unroll 32
                for (int p = 0; p < pixels; ++p) sums[p][v] = first;
            }
        }
        panel += header;
        if constexpr (streams > 1) {
            sum_streams(in, panel, ahead, sums[0]);
        } else {
            sum_terms(in, panel, ahead, sums);
        }

        finish_tile<Key, Target>(sums, residual, out);
    }

private:
    [[gnu::always_inline]] static inline void sum_terms(const float* in, const weight* panel, [[maybe_unused]] const weight* ahead, batch (&sums)[pixels][Key.vectors]) {
        for (int o = 0; o < Key.sum.outer.count; ++o)
            for (int m = 0; m < Key.sum.middle.count; ++m) {
                const float* terms = in + o * Key.sum.outer.stride + m * Key.sum.middle.stride;
#pragma GCC unroll 1
                for (int i = 0; i < Key.sum.inner.count; ++i) {
                    // Where windows overlap g++ would keep inputs in registers for the terms that read them again, and spill the sums.
                    asm volatile("" ::: "memory");
                    batch weights[Key.vectors];
#pragma GCC unroll 32
                    for (int v = 0; v < Key.vectors; ++v) weights[v] = load_elements<vector::lanes, Target>(panel + v * vector::lanes);
                    if constexpr (Key.ahead_bytes > 0) {
                        prefetch<Key.ahead_bytes>(ahead);
                        ahead += Key.ahead_bytes / element_bytes(Key.weights);
                    }
#pragma GCC unroll 32
                    for (int p = 0; p < pixels; ++p) {
                        const batch x = vector::broadcast(terms[tile_offset(Key, Key.in, p)]);
#pragma GCC unroll 32
                        for (int v = 0; v < Key.vectors; ++v) sums[p][v] = vector::multiply_add(x, weights[v], sums[p][v]);
                    }
                    panel += width;
                    terms += Key.sum.inner.stride;
                }
            }
    }

    [[gnu::always_inline]] static inline void sum_streams(const float* in, const weight* panel, [[maybe_unused]] const weight* ahead, batch (&sums)[Key.vectors]) {
        constexpr reduction sum = Key.sum.merged();
        constexpr int terms = sum.inner.count / streams, stride = sum.inner.stride;
        batch parts[streams][Key.vectors];
#pragma GCC unroll 4
        for (int s = 0; s < streams; ++s) {
#pragma GCC unroll 32
            for (int v = 0; v < Key.vectors; ++v) parts[s][v] = s == 0 ? sums[v] : vector::broadcast(0.0f);
        }
        auto add_term = [&](const float* x, const weight* of_term, batch(&to)[Key.vectors]) __attribute__((always_inline)) {
            const batch value = vector::broadcast(*x);
#pragma GCC unroll 32
            for (int v = 0; v < Key.vectors; ++v)
                to[v] = vector::multiply_add(value, load_elements<vector::lanes, Target>(of_term + v * vector::lanes), to[v]);
        };
#pragma GCC unroll 1
        for (int i = 0; i < terms; ++i) {
            asm volatile("" ::: "memory");  // one row at a time
#pragma GCC unroll 4
            for (int s = 0; s < streams; ++s) {
                add_term(in + (s * terms + i) * stride, panel + (s * terms + i) * width, parts[s]);
                if constexpr (Key.ahead_bytes > 0) prefetch<Key.ahead_bytes>(ahead + (s * terms + i) * (Key.ahead_bytes / element_bytes(Key.weights)));
            }
        }
        for (int i = streams * terms; i < sum.inner.count; ++i) add_term(in + i * stride, panel + i * width, parts[0]);
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) {
            sums[v] = parts[0][v];
#pragma GCC unroll 4
            for (int s = 1; s < streams; ++s) sums[v] = vector::add(sums[v], parts[s][v]);
        }
    }
};

}  // namespace dlas
