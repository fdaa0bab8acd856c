// The micro-kernel of convolutions of bytes or bf16 on targets that multiply small matrices: rows of pixels by columns of output channels.
// Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/dot_tile.hpp>

namespace dlas {

/// Pixels that one register of inputs holds: neighbours in a row of the output.
constexpr int matrix_pixels(tiling t) {
    int pixels = t.columns < 16 ? t.columns : 16;
    while (t.columns % pixels != 0) --pixels;
    return pixels;
}

/// Whether a tile's sums fit the four registers that are theirs.
constexpr bool fits_matrix_tiles(tiling t) { return t.vectors <= 2 && t.rows * t.columns <= 2 * matrix_pixels(t); }

/// The tile of least time: an instruction multiplies a pixel a cycle, a register is loaded in 8, a pixel's vector of results takes about 4.
template <class Target>
consteval tiling choose_matrix_tiling(extent map, int channels, int steps) {
    const int vectors = ceil_divide(channels, float_lanes<Target>);
    tiling best;
    double best_cost = 1e30;
    for (int rows = 1; rows <= 2 && rows <= map.height; ++rows)
        for (int columns = 1; columns <= 32 && columns <= map.width; ++columns)
            for (int v = 1; v <= 2 && v <= vectors; ++v) {
                const tiling t = {rows, columns, v};
                if (!fits_matrix_tiles(t)) continue;
                const int pixels = rows * columns;
                const double tiles = ceil_divide(map.height, rows) * ceil_divide(map.width, columns) * ceil_divide(vectors, v);
                const double loads = 0.5 * pixels + 8 * v, products = pixels * v;
                const double cost = tiles * ((loads > products ? loads : products) * steps + 4 * pixels * v + 40);
                if (cost < best_cost * 0.999) {
                    best = t;
                    best_cost = cost;
                }
            }
    return best;
}

/// Computes one tile. Of bytes it reads up to a register's row beyond the end of a run, where weights are 0; of bf16, which may be no
/// numbers there, it copies what is left of a run.
template <tile_key Key, class Target>
struct matrix_tile : dot_tile_base<Key, Target> {
    using base = dot_tile_base<Key, Target>;
    using base::header, base::integers, base::panels, base::pixels, base::row, base::width;
    using typename base::input, typename base::output, typename base::second, typename base::weight;
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    using tiles = matrix_tiles<Target>;
    using context = std::conditional_t<base::integers, requantizer<Target>, nothing>;
    static constexpr tiling tile = {Key.rows, Key.columns, Key.vectors};
    static_assert(fits_matrix_tiles(tile),
                  "[dlas] schedule: tiles of matrices hold two vectors of channels and twice so many pixels as divide a row, up to 16");
    static constexpr int line = matrix_pixels(tile);
    static constexpr int lines = pixels / line;
    static constexpr int row_bytes = dot_bytes * Target::dots_at_once;
    static constexpr int row_terms = row_bytes / static_cast<int>(sizeof(input));
    static constexpr int run_length = Key.sum.inner.count;
    static constexpr bool copies = !integers && run_length % row_terms != 0;

    /// Tiles are set up for all panels of a convolution.
    struct setting {
        setting() { tiles::configure(line); }
        ~setting() { tiles::release(); }
        setting(const setting&) = delete;
        setting& operator=(const setting&) = delete;
    };

    [[gnu::always_inline]] static inline void run(const input* in, const weight* panel, const weight* ahead, [[maybe_unused]] const second* residual,
                                                  output* out, const context& finish) {
        const weight* const parameters = panel;
        for_each_sum([]<int L, int V>() __attribute__((always_inline)) { tiles::template zero<2 * L + V>(); });
        panel += header;
        constexpr std::int64_t pixel_bytes = std::int64_t{Key.in.pixel_stride} * static_cast<int>(sizeof(input));
        for (int o = 0; o < Key.sum.outer.count; ++o)
            for (int m = 0; m < Key.sum.middle.count; ++m) {
                const input* terms = in + o * Key.sum.outer.stride + m * Key.sum.middle.stride;
                for (int i = 0; i < panels.run_dots() / Target::dots_at_once - copies; ++i) {
                    multiply(terms, terms + second_line, pixel_bytes, panel, ahead);
                    terms += row_terms;
                }
                if constexpr (copies) {
                    alignas(64) input rest[lines][line][row_terms];
                    for (int l = 0; l < lines; ++l)
                        for (int p = 0; p < line; ++p) {
                            __builtin_memset(static_cast<void*>(rest[l][p]), 0, sizeof rest[l][p]);
                            __builtin_memcpy(static_cast<void*>(rest[l][p]), terms + l * second_line + p * Key.in.pixel_stride,
                                             sizeof(input) * (run_length % row_terms));
                        }
                    multiply(rest[0][0], rest[lines - 1][0], row_bytes, panel, ahead);
                }
            }

        using sum = std::conditional_t<integers, std::int32_t, float>;
        alignas(64) sum sums[lines][Key.vectors][line][vector::lanes];
        for_each_sum([&sums]<int L, int V>() __attribute__((always_inline)) { tiles::template store<2 * L + V>(sums[L][V], row_bytes); });
        finish_vectors<0>(parameters, sums, residual, out, finish);
    }

private:
    /// From the first pixel of the tile to that of its second register.
    static constexpr int second_line = lines == 1 ? 0 : tile_offset(Key, Key.in, line);

    template <class Visit>
    [[gnu::always_inline]] static inline void for_each_sum(Visit visit) {
        visit.template operator()<0, 0>();
        if constexpr (Key.vectors == 2) visit.template operator()<0, 1>();
        if constexpr (lines == 2) visit.template operator()<1, 0>();
        if constexpr (lines == 2 && Key.vectors == 2) visit.template operator()<1, 1>();
    }

    /// One row of each register: sums of as many dot products as an instruction adds.
    [[gnu::always_inline]] static inline void multiply(const input* first, const input* next, std::int64_t pixel_bytes, const weight*& panel,
                                                       const weight*& ahead) {
        tiles::template load<6>(panel, row);
        if constexpr (Key.vectors == 2) tiles::template load<7>(panel + dot_bytes * vector::lanes, row);
        tiles::template load<4>(first, pixel_bytes);
        if constexpr (lines == 2) tiles::template load<5>(next, pixel_bytes);
        for_each_sum([]<int L, int V>() __attribute__((always_inline)) {
            if constexpr (integers)
                tiles::template dot_bytes<2 * L + V, 4 + L, 6 + V>();
            else
                tiles::template dot_bf16<2 * L + V, 4 + L, 6 + V>();
        });
        panel += row * Target::dots_at_once;
        if constexpr (Key.ahead_bytes > 0) {
            prefetch<Key.ahead_bytes * Target::dots_at_once>(ahead);
            ahead += Key.ahead_bytes * Target::dots_at_once;
        }
    }

    template <int V>
    [[gnu::always_inline]] static inline void finish_vectors(const weight* parameters, const auto& sums, const second* residual, output* out,
                                                             const context& finish) {
        constexpr int lanes = V < Key.vectors - 1 ? vector::lanes : Key.last_lanes;
        using dots = simd<std::conditional_t<integers, std::int8_t, bf16_value>, Target>;
        using first_sum = std::conditional_t<integers, std::int32_t, float>;
        const auto bias = dots::load_sums(reinterpret_cast<const first_sum*>(parameters + 4 * V * vector::lanes));
        const activation_function<Key.function, vector> activate;
        batch multiplier = {};
        if constexpr (integers) multiplier = vector::load(reinterpret_cast<const float*>(parameters + 4 * (width + V * vector::lanes)));
        for (int l = 0; l < lines; ++l) {
            output* to = out + tile_offset(Key, Key.out, l * line);
            [[maybe_unused]] const second* from = residual + (Key.adds_residual ? tile_offset(Key, Key.residual, l * line) : 0);
            for (int p = 0; p < line; ++p) {
                const auto found = dots::load_sums(sums[l][V][p]);
                if constexpr (integers)
                    finish_dots<Key, lanes, Target>(dots::add(found, bias), multiplier, from, to, 0, V, finish, activate);
                else
                    finish_dots<Key, lanes, Target>(vector::add(found, bias), multiplier, from, to, 0, V, finish, activate);
                to += Key.out.pixel_stride;
                if constexpr (Key.adds_residual) from += Key.residual.pixel_stride;
            }
        }
        if constexpr (V + 1 < Key.vectors) finish_vectors<V + 1>(parameters, sums, residual, out, finish);
    }
};

}  // namespace dlas
