// Which register tile suits a layer on a target: a constexpr model of the core's ports. Algorithms & Data Formats.
#pragma once

#include <dlas/core/shape.hpp>

namespace dlas {

/// A register tile: rows x columns pixels by `vectors` vectors of output channels.
struct tiling {
    int rows = 1;
    int columns = 1;
    int vectors = 1;

    constexpr bool operator==(const tiling&) const = default;
};

constexpr int ceil_divide(int a, int b) { return (a + b - 1) / b; }
constexpr int round_up(int a, int multiple) { return ceil_divide(a, multiple) * multiple; }

/// The size of blocks of whole tiles that cut an extent into nearly equal parts of at most `most` (but at least one tile).
constexpr int whole_tiles(int extent, int tile, int most) {
    if (most < tile) most = tile;
    const int size = round_up(ceil_divide(extent, ceil_divide(extent, most / tile * tile)), tile);
    return size < extent ? size : extent;
}

template <class Target>
inline constexpr int float_lanes = Target::vector_bytes / 4;

/// How vectors of output channels are cut into panels, each as wide as a register tile: the last one has what remains. Where that shares
/// evenly with the one before it both are of the same width, for a tile of one vector leaves the core half idle.
struct panel_cut {
    int vectors = 1;
    int width = 1;  ///< of a tile

    constexpr int count() const { return ceil_divide(vectors, width); }
    /// Panels that are as wide as the tile.
    constexpr int full() const { return vectors / width - (shares() ? 1 : 0); }
    /// The width of the others, of which there are one or two; 0 where there is none.
    constexpr int rest() const { return shares() ? (width + vectors % width) / 2 : vectors % width; }
    constexpr int width_of(int panel) const { return panel < full() ? width : rest(); }
    /// The first vector of a panel.
    constexpr int first(int panel) const { return panel <= full() ? panel * width : full() * width + (panel - full()) * rest(); }
    /// What all panels take together, of(width) being what one of them does.
    constexpr auto total(auto of) const {
        auto sum = full() * of(width);
        if (rest() > 0) sum += (count() - full()) * of(rest());
        return sum;
    }

private:
    constexpr bool shares() const { return vectors > width && vectors % width > 0 && (width + vectors % width) % 2 == 0; }
};

/// Registers that a tile needs: accumulators, one row of weights, one broadcast, and a product where there is no FMA.
template <class Target>
constexpr bool fits_registers(tiling t) {
    return t.rows * t.columns * t.vectors + t.vectors + 1 + (Target::fused_multiply_add ? 0 : 1) <= Target::vector_registers;
}

/// The most parts of one pixel's sum that are summed up beside each other (see streams_sum), and the vectors of which so many fit.
inline constexpr int most_streams = 4;
template <class Target>
inline constexpr int streamed_vectors = Target::vector_registers > most_streams + 1 ? (Target::vector_registers - 1) / (most_streams + 1) : 1;

/// Whether more pixels of a tile fall into one set of the first-level cache than it has ways for, so that each is fetched again for every
/// term: sets of 8 lines repeat every 4096 bytes in caches of any size. Pixels lie so many bytes apart; 0 where that is not known.
constexpr bool crowds_cache(int pixels, int bytes_apart) {
    if (bytes_apart <= 0) return false;
    const int power = bytes_apart & -bytes_apart;  // the largest power of two in it
    return pixels > 8 * (power < 4096 ? 4096 / power : 1);
}

/// Cycles for one term of the sum over all tiles of a height x width x channels output, relative units.
/// Two vector operations a cycle and a little less than two loads, for the pixels of large maps collide in the first-level cache;
/// eight independent sums hide the latency of an addition; tiles at the edge overlap their neighbours, so partial tiles cost as
/// much as whole ones; each row of weights comes from the second-level cache.
template <class Target>
constexpr double tiling_cost(tiling t, int height, int width, int channels, int pixel_bytes = 0) {
    const int pixels = t.rows * t.columns, fetched = crowds_cache(pixels, pixel_bytes) ? 2 * pixels : pixels;
    const double tiles = ceil_divide(height, t.rows) * ceil_divide(width, t.columns);
    auto cycles = [&](int vectors) {
        const int arithmetic = pixels * vectors * (Target::fused_multiply_add ? 1 : 2);
        const double loads = 1.25 * (fetched + vectors);
        const double busy = (arithmetic > loads ? arithmetic : loads) / 2.0;
        const double latency = 4.0;
        return (busy > latency ? busy : latency) + 0.5 + vectors * Target::vector_bytes / 64.0 * 0.5;
    };
    const panel_cut panels = {ceil_divide(channels, float_lanes<Target>), t.vectors};
    const double total = panels.total(cycles);
    // Tiles that overlap rule out blocks of input channels.
    const bool even = height % t.rows == 0 && width % t.columns == 0;
    return tiles * total * (even ? 1 : 1.03);
}

/// The cheapest tile for a height x width x channels output; the inputs of neighbouring pixels lie `pixel_bytes` apart, if that is known.
template <class Target>
consteval tiling choose_tiling(int height, int width, int channels, int pixel_bytes = 0) {
    const int vectors = ceil_divide(channels, float_lanes<Target>);
    tiling best;
    double best_cost = tiling_cost<Target>(best, height, width, channels, pixel_bytes);
    for (int rows = 1; rows <= 4 && rows <= height; ++rows)
        for (int columns = 1; columns <= 28 && columns <= width; ++columns)
            for (int v = 1; v <= 12 && v <= vectors; ++v) {
                const tiling t = {rows, columns, v};
                // As many tiles of fewer pixels would do the same for less.
                if (columns != ceil_divide(width, ceil_divide(width, columns)) || rows != ceil_divide(height, ceil_divide(height, rows))) break;
                if (!fits_registers<Target>(t)) break;
                const double cost = tiling_cost<Target>(t, height, width, channels, pixel_bytes);
                if (cost < best_cost * 0.999) {
                    best = t;
                    best_cost = cost;
                }
            }
    return best;
}

}  // namespace dlas
