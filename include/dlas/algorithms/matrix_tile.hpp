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

/// Registers of inputs that hold a tile's pixels.
constexpr int matrix_lines(tiling t) { return t.rows * t.columns / matrix_pixels(t); }

/// Whether a tile's sums fit the four registers that are theirs.
constexpr bool fits_matrix_tiles(tiling t) { return matrix_lines(t) * t.vectors <= 4; }

/// The tile of least time, for windows `in` apart whose sums have levels of rows, columns and channels; all panels are gone through for
/// `block_pixels` before the next ones. An instruction multiplies a pixel a cycle, a register is loaded in half a cycle for each of its rows,
/// a pixel's vector of results takes about 4, less where four are stored at once. What the first-level cache does not keep comes from the
/// second, at some 48 bytes a cycle.
template <class Target>
consteval tiling choose_matrix_tiling(extent map, int channels, placement in, const reduction& sum, int block_pixels) {
    const int vectors = ceil_divide(channels, float_lanes<Target>), bytes = element_bytes(in.type);
    if (map.area() == 1) return {1, 1, vectors < 2 ? 1 : 2};  // the far memory's time
    const reduction merged = sum.merged();
    const int steps = merged.outer.count * merged.middle.count * ceil_divide(merged.inner.count * bytes, 64);
    const auto input_bytes = [&](int rows, int columns) {
        const int lines = sum.outer.count == 1 ? rows : sum.outer.count + (rows - 1) * in.row_stride / sum.outer.stride;
        return static_cast<double>(bytes) * lines * ((columns - 1) * in.pixel_stride + (sum.middle.count - 1) * sum.middle.stride + sum.inner.count);
    };
    // The part of what is read again that the first-level cache has not kept.
    const auto missed = [](double read) {
        const double over = 2 * read / Target::l1_bytes - 1.5;
        return over < 0 ? 0.0 : over > 1 ? 1.0 : over;
    };
    tiling best;
    double best_cost = 1e30;
    for (int rows = 1; rows <= 4 && rows <= map.height; ++rows)
        for (int columns = 1; columns <= 64 && columns <= map.width; ++columns)
            for (int v = 1; v <= 4 && v <= vectors; ++v) {
                if (!fits_matrix_tiles({rows, columns, v})) continue;
                const int pixels = rows * columns, panels = ceil_divide(vectors, v);
                const double block = block_pixels > map.area() ? map.area() : block_pixels > pixels ? block_pixels : pixels;
                const double inputs = input_bytes(rows, columns), weights = 1024.0 * v * steps;
                const double reread = missed(inputs + weights), reread_inputs = missed(inputs * block / pixels + weights);
                // Inputs count twice: their pixels lie apart, where caches do not see what comes next.
                const double copied = weights * (pixels / block + (1 - pixels / block) * reread) +
                                      2 * inputs * (1.0 / panels + (1 - 1.0 / panels) * reread_inputs) * (1 + (sum.outer.count - 1) * missed(inputs));
                const double products = pixels * v * steps, loads = (0.5 * pixels + 8 * v) * steps, copies = copied / 48;
                const double slowest = products > loads ? products > copies ? products : copies : loads > copies ? loads : copies;
                const double stores = (v == 4 ? 3.5 : v == 2 ? 4 : 4.5) * pixels * v;
                const double cost = (slowest + 0.1 * (loads + copies) + stores + 40) * panels * ceil_divide(map.height, rows) *
                                    ceil_divide(map.width, columns);
                if (cost < best_cost * 0.999) {
                    best = {rows, columns, v};
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
    using dots = simd<std::conditional_t<base::integers, std::int8_t, bf16_value>, Target>;
    using batch = typename vector::batch;
    using tiles = matrix_tiles<Target>;
    using context = std::conditional_t<base::integers, requantizer<Target>, nothing>;
    static constexpr tiling tile = {Key.rows, Key.columns, Key.vectors};
    static_assert(fits_matrix_tiles(tile),
                  "[dlas] schedule: a tile of matrices has four registers of sums, each of a vector of channels and as many pixels as divide a row, up to 16");
    static constexpr int line = matrix_pixels(tile);
    static constexpr int lines = matrix_lines(tile);
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

    /// A tile whose sums are outputs while the next one's products run: vectors have little else to do then.
    struct unfinished {
        alignas(64) std::conditional_t<integers, std::int32_t, float> sums[lines][line][Key.vectors][vector::lanes];
        const second* residual = nullptr;
        output* out = nullptr;  ///< null: there is none
    };

    [[gnu::always_inline]] static inline void run(const input* in, const weight* panel, const weight* ahead, const second* residual, output* out,
                                                  const context& finish, unfinished& last) {
        const weight* const parameters = panel;
        for_each_sum([parameters]<int L, int V>() __attribute__((always_inline)) {
            tiles::template load<sum_of(L, V)>(parameters + 4 * V * vector::lanes, 0);  // each row the biases
        });
        panel += header;
        int group = last.out == nullptr ? groups : 0;
        const auto step = [&](const input* first, const offsets& from, std::int64_t pixel_bytes) __attribute__((always_inline)) {
            multiply(first, from, pixel_bytes, panel, ahead);
            const int end = group + groups_of_step < groups ? group + groups_of_step : groups;
#pragma GCC unroll 1
            for (; group < end; ++group) finish_group(group, parameters, last, finish);
        };
        constexpr std::int64_t pixel_bytes = std::int64_t{Key.in.pixel_stride} * static_cast<int>(sizeof(input));
        for (int o = 0; o < Key.sum.outer.count; ++o)
            for (int m = 0; m < Key.sum.middle.count; ++m) {
                const input* terms = in + o * Key.sum.outer.stride + m * Key.sum.middle.stride;
                for (int i = 0; i < panels.run_dots() / Target::dots_at_once - copies; ++i) {
                    step(terms, line_offsets(Key.in), pixel_bytes);
                    terms += row_terms;
                }
                if constexpr (copies) {
                    alignas(64) input rest[lines][line][row_terms];
                    for (int l = 0; l < lines; ++l)
                        for (int p = 0; p < line; ++p)
                            tiles::template copy<sizeof(input) * (run_length % row_terms)>(
                                rest[l][p], terms + line_offsets(Key.in).of[l] + p * Key.in.pixel_stride);
                    step(rest[0][0], line_offsets({Key.columns * row_terms, row_terms}), row_bytes);
                }
            }
        if (last.out != nullptr) finish_rest(parameters, last, finish);
        for_each_sum([&last]<int L, int V>() __attribute__((always_inline)) {
            tiles::template store<sum_of(L, V)>(last.sums[L][0][V], row_bytes * Key.vectors);
        });
        last.residual = residual;
        last.out = out;
    }

    /// The last one's outputs.
    static void end(const weight* parameters, const unfinished& last, const context& finish) {
        if (last.out == nullptr) return;
#pragma GCC unroll 1
        for (int group = 0; group < groups; ++group) finish_group(group, parameters, last, finish);
        finish_rest(parameters, last, finish);
    }

private:
    /// Elements from the tile's first pixel to that of each register.
    struct offsets {
        int of[lines];
    };
    static constexpr offsets line_offsets(placement map) {
        offsets o = {};
        for (int l = 0; l < lines; ++l) o.of[l] = tile_offset(Key, map, l * line);
        return o;
    }

    static constexpr int sum_of(int l, int v) { return l * Key.vectors + v; }
    template <class Visit>
    [[gnu::always_inline]] static inline void for_each_sum(Visit visit) {
        for_each_index<lines>([&]<int L>() __attribute__((always_inline)) {
            for_each_index<Key.vectors>([&]<int V>() __attribute__((always_inline)) { visit.template operator()<L, V>(); });
        });
    }

    /// One row of each register: sums of as many dot products as an instruction adds. Two registers each hold inputs and weights.
    [[gnu::always_inline]] static inline void multiply(const input* terms, const offsets& from, std::int64_t pixel_bytes, const weight*& panel,
                                                       const weight*& ahead) {
        const auto load_weights = [&]<int V>() __attribute__((always_inline)) {
            tiles::template load<6 + V % 2>(panel + V * dot_bytes * vector::lanes, row);
        };
        if constexpr (Key.vectors <= 2) for_each_index<Key.vectors>(load_weights);
        for_each_index<lines>([&]<int L>() __attribute__((always_inline)) {
            tiles::template load<4 + L % 2>(terms + from.of[L], pixel_bytes);
            for_each_index<Key.vectors>([&]<int V>() __attribute__((always_inline)) {
                if constexpr (Key.vectors > 2) load_weights.template operator()<V>();
                if constexpr (integers) tiles::template dot_bytes<sum_of(L, V), 4 + L % 2, 6 + V % 2>();
                else tiles::template dot_bf16<sum_of(L, V), 4 + L % 2, 6 + V % 2>();
            });
        });
        panel += row * Target::dots_at_once;
        if constexpr (Key.ahead_bytes > 0) {
            prefetch<Key.ahead_bytes * Target::dots_at_once>(ahead);
            ahead += Key.ahead_bytes * Target::dots_at_once;
        }
    }

    static constexpr bool four = finishes_four<Key, Target>;
    static constexpr int group_pixels = four ? 4 / Key.vectors : 1;  ///< whose outputs are stored at once
    static constexpr int groups = lines * (line / group_pixels);
    static constexpr int steps = panels.dots() / Target::dots_at_once;
    static constexpr int groups_of_step = ceil_divide(groups, steps);

    [[gnu::always_inline]] static inline void finish_group(int group, const weight* parameters, const unfinished& last, const context& finish) {
        constexpr int of_line = line < group_pixels ? 1 : line / group_pixels;
        finish_pixels<group_pixels>(group / of_line, group % of_line * group_pixels, parameters, last, finish);
    }
    /// Pixels that are too few for a group.
    [[gnu::always_inline]] static inline void finish_rest(const weight* parameters, const unfinished& last, const context& finish) {
        if constexpr (line % group_pixels != 0)
            for (int l = 0; l < lines; ++l) finish_pixels<line % group_pixels>(l, line - line % group_pixels, parameters, last, finish);
    }

    template <int Pixels>
    [[gnu::always_inline]] static inline void finish_pixels(int l, int first, const weight* parameters, const unfinished& last, const context& finish) {
        const auto& sums = last.sums[l];
        output* const out = last.out + tile_offset(Key, Key.out, l * line + first);
        const second* residual = last.residual;
        if constexpr (Key.adds_residual) residual += tile_offset(Key, Key.residual, l * line + first);
        if constexpr (four) {
            batch multipliers[Key.vectors];
            for (int v = 0; v < Key.vectors; ++v) multipliers[v] = vector::load(base::multiplier_of(parameters, v));
            typename dots::sums found[4] = {};
#pragma GCC unroll 4
            for (int i = 0; i < Pixels * Key.vectors; ++i) found[i] = dots::load_sums(sums[first + i / Key.vectors][i % Key.vectors]);
            finish_four<Key, 0, Pixels * Key.vectors>(found, multipliers, residual, out, finish);
        } else {
            const activation_function<Key.function, vector> activate;
            const auto finish_vector = [&]<int V>() __attribute__((always_inline)) {
                constexpr int lanes = V < Key.vectors - 1 ? vector::lanes : Key.last_lanes;
                batch multiplier = {};
                if constexpr (integers) multiplier = vector::load(base::multiplier_of(parameters, V));
                finish_dots<Key, lanes, Target>(dots::load_sums(sums[first][V]), multiplier, residual, out, 0, V, finish, activate);
            };
            for_each_index<Key.vectors>(finish_vector);
        }
    }
};

}  // namespace dlas
