// The transforms of Winograd's minimal filtering for 3x3 windows, for vectors of any kind. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/convolution.hpp>

namespace dlas {

namespace winograd_transform {

/// F(m, 3) in one dimension (Lavin and Gray, arXiv 1509.09308): y = A^T [(G g) * (B^T d)].
/// Interpolation points 0, 1, -1, infinity for m = 2; 2, -2 more for m = 4; 1/2, -1/2 more for m = 6.
template <int Outputs>
inline constexpr double filter_matrix[Outputs + 2][3] = {};
template <>
inline constexpr double filter_matrix<2>[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
template <>
inline constexpr double filter_matrix<4>[6][3] = {{1.0 / 4, 0, 0},
                                                  {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                                  {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                                  {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                                  {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                                  {0, 0, 1}};
template <>
inline constexpr double filter_matrix<6>[8][3] = {{1, 0, 0},
                                                  {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                                                  {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                                                  {1.0 / 90, 1.0 / 45, 2.0 / 45},
                                                  {1.0 / 90, -1.0 / 45, 2.0 / 45},
                                                  {32.0 / 45, 16.0 / 45, 8.0 / 45},
                                                  {32.0 / 45, -16.0 / 45, 8.0 / 45},
                                                  {0, 0, 1}};

/// v = B^T d.
template <int Outputs, class Simd, class Batch>
[[gnu::always_inline]] inline void input(const Batch (&d)[Outputs + 2], Batch (&v)[Outputs + 2]) {
    if constexpr (Outputs == 2) {
        v[0] = Simd::subtract(d[0], d[2]);
        v[1] = Simd::add(d[1], d[2]);
        v[2] = Simd::subtract(d[2], d[1]);
        v[3] = Simd::subtract(d[1], d[3]);
    } else if constexpr (Outputs == 6) {
        auto scaled = [](float factor, Batch x, Batch y) { return Simd::multiply_add(Simd::broadcast(factor), x, y); };
        v[0] = scaled(5.25f, Simd::subtract(d[4], d[2]), Simd::subtract(d[0], d[6]));
        v[7] = scaled(5.25f, Simd::subtract(d[3], d[5]), Simd::subtract(d[7], d[1]));
        const Batch ones = scaled(-4.25f, d[4], Simd::add(d[2], d[6])), odd_ones = scaled(-4.25f, d[3], Simd::add(d[1], d[5]));
        v[1] = Simd::add(ones, odd_ones);
        v[2] = Simd::subtract(ones, odd_ones);
        const Batch twos = scaled(0.25f, d[2], scaled(-1.25f, d[4], d[6]));
        const Batch odd_twos = scaled(0.5f, d[1], scaled(-2.5f, d[3], Simd::add(d[5], d[5])));
        v[3] = Simd::add(twos, odd_twos);
        v[4] = Simd::subtract(twos, odd_twos);
        const Batch halves = scaled(4.0f, d[2], scaled(-5.0f, d[4], d[6]));
        const Batch odd_halves = scaled(0.5f, d[5], scaled(-2.5f, d[3], Simd::add(d[1], d[1])));
        v[5] = Simd::add(halves, odd_halves);
        v[6] = Simd::subtract(halves, odd_halves);
    } else {
        const Batch four = Simd::broadcast(4.0f), minus_four = Simd::broadcast(-4.0f), minus_five = Simd::broadcast(-5.0f);
        const Batch two = Simd::broadcast(2.0f), minus_two = Simd::broadcast(-2.0f);
        v[0] = Simd::multiply_add(four, d[0], Simd::multiply_add(minus_five, d[2], d[4]));
        const Batch even = Simd::multiply_add(minus_four, d[2], d[4]), odd = Simd::multiply_add(minus_four, d[1], d[3]);
        v[1] = Simd::add(even, odd);
        v[2] = Simd::subtract(even, odd);
        const Batch outer = Simd::subtract(d[4], d[2]), inner = Simd::subtract(d[3], d[1]);
        v[3] = Simd::multiply_add(two, inner, outer);
        v[4] = Simd::multiply_add(minus_two, inner, outer);
        v[5] = Simd::multiply_add(four, d[1], Simd::multiply_add(minus_five, d[3], d[5]));
    }
}

/// y = A^T m.
template <int Outputs, class Simd, class Batch>
[[gnu::always_inline]] inline void output(const Batch (&m)[Outputs + 2], Batch (&y)[Outputs]) {
    if constexpr (Outputs == 2) {
        y[0] = Simd::add(m[0], Simd::add(m[1], m[2]));
        y[1] = Simd::subtract(Simd::subtract(m[1], m[2]), m[3]);
    } else if constexpr (Outputs == 6) {
        auto scaled = [](float factor, Batch x, Batch z) { return Simd::multiply_add(Simd::broadcast(factor), x, z); };
        const Batch ones = Simd::add(m[1], m[2]), odd_ones = Simd::subtract(m[1], m[2]);
        const Batch twos = Simd::add(m[3], m[4]), odd_twos = Simd::subtract(m[3], m[4]);
        const Batch halves = Simd::add(m[5], m[6]), odd_halves = Simd::subtract(m[5], m[6]);
        y[0] = Simd::add(Simd::add(m[0], ones), Simd::add(twos, halves));
        y[1] = scaled(2.0f, odd_twos, scaled(0.5f, odd_halves, odd_ones));
        y[2] = scaled(4.0f, twos, scaled(0.25f, halves, ones));
        y[3] = scaled(8.0f, odd_twos, scaled(0.125f, odd_halves, odd_ones));
        y[4] = scaled(16.0f, twos, scaled(0.0625f, halves, ones));
        y[5] = scaled(32.0f, odd_twos, scaled(0.03125f, odd_halves, Simd::add(odd_ones, m[7])));
    } else {
        const Batch two = Simd::broadcast(2.0f), four = Simd::broadcast(4.0f), eight = Simd::broadcast(8.0f);
        const Batch near_sum = Simd::add(m[1], m[2]), near_difference = Simd::subtract(m[1], m[2]);
        const Batch far_sum = Simd::add(m[3], m[4]), far_difference = Simd::subtract(m[3], m[4]);
        y[0] = Simd::add(m[0], Simd::add(near_sum, far_sum));
        y[1] = Simd::multiply_add(two, far_difference, near_difference);
        y[2] = Simd::multiply_add(four, far_sum, near_sum);
        y[3] = Simd::add(Simd::multiply_add(eight, far_difference, near_difference), m[5]);
    }
}

/// Tiles that are transformed together: as many as fit the second-level cache, or more where reading the filters for every block
/// would cost more than transforms that leave that cache (written, brought back, read). Blocks are of nearly equal size. Transformed inputs
/// and filters have `bytes` each, sums four.
template <int Outputs, class Target>
constexpr int block_tiles(const conv2d_layer& layer, const schedule_options& schedule, int bytes) {
    const int tiles = ceil_divide(layer.out().height, Outputs) * ceil_divide(layer.out().width, Outputs);
    if (schedule.pixels != by_rule) return ceil_divide(tiles, ceil_divide(tiles, schedule.pixels < 1 ? 1 : schedule.pixels));
    constexpr std::int64_t products = (Outputs + 2) * (Outputs + 2);
    const int out_width = round_up(layer.channels, float_lanes<Target>);
    const std::int64_t tile_bytes = products * (bytes * round_up(layer.in.channels, float_lanes<Target>) + 4 * out_width);
    const std::int64_t filter_bytes = bytes * products * layer.in.channels * out_width;
    const std::int64_t fitting = Target::l2_bytes / tile_bytes < 8 ? 8 : Target::l2_bytes / tile_bytes;
    const int blocks = ceil_divide(tiles, static_cast<int>(fitting < tiles ? fitting : tiles));
    if (filter_bytes > Target::l2_bytes / 2 && (blocks - 1) * filter_bytes > 5 * tiles * tile_bytes / 2) return tiles;
    return ceil_divide(tiles, blocks);
}

/// Whether threads have output channels of their own, not tiles: where all tiles are one block and filters are most of what is read. Each then
/// transforms the whole input: what one core has written costs another one more than to compute it again.
constexpr bool threads_have_channels(int block, int tiles, int channels) { return block == tiles && channels > 3 * tiles; }

/// The last tile at or before one where a thread may begin: where the last two rows or columns overlap they stay together, one pixel having
/// one writer.
template <int Outputs>
constexpr int boundary_before(shape out, int tile) {
    const int rows = ceil_divide(out.height, Outputs), columns = ceil_divide(out.width, Outputs);
    if (tile == rows * columns) return tile;
    if (out.height % Outputs != 0 && tile > (rows - 2) * columns) return (rows - 2) * columns;
    return out.width % Outputs != 0 && tile % columns == columns - 1 ? tile - 1 : tile;
}

/// The tiles of a thread where each has some for all channels.
template <int Outputs>
constexpr range own_tiles(shape out, int part, int parts) {
    const range equal = share_of(ceil_divide(out.height, Outputs) * ceil_divide(out.width, Outputs), part, parts);
    return {boundary_before<Outputs>(out, equal.begin), boundary_before<Outputs>(out, equal.end)};
}

/// A share of Winograd's tiles in tiles of a matrix product with so many rows each, which compute what they overlap, too.
constexpr tile_share in_rows(range of_map, const tile_share& share, int rows) {
    return {{0, ceil_divide(of_map.end - of_map.begin, rows)}, share.panels, share.begin / rows, ceil_divide(share.end, rows)};
}

/// Visits the blocks that one of the threads computes: tiles of the map whose inputs it transforms, and which of them it multiplies for which
/// panels of output channels. The tiles of a share are those of the map.
template <int Outputs, class Target, class Visit>
[[gnu::always_inline]] inline void for_own_blocks(const kernel_arguments& a, shape out, int block, const panel_cut& cut, Visit visit) {
    const int tiles = ceil_divide(out.height, Outputs) * ceil_divide(out.width, Outputs);
    if (a.parts > 1 && threads_have_channels(block, tiles, out.channels)) {
        tile_share share = share_of_panels<Target>(cut, tiles, a.part, a.parts);
        share.begin = boundary_before<Outputs>(out, share.begin);
        if (share.end < tiles) share.end = boundary_before<Outputs>(out, share.end);
        if (share.panels.begin < share.panels.end) visit(range{0, tiles}, share);
    } else {
        const range own = own_tiles<Outputs>(out, a.part, a.parts);
        for (int begin = own.begin; begin < own.end; begin += block) {
            const range some = {begin, begin + block <= own.end ? begin + block : own.end};
            visit(some, tile_share{some, {0, cut.count()}});
        }
    }
}

}  // namespace winograd_transform

}  // namespace dlas
