// What every convolution algorithm is told and how its weights are packed. Algorithms & Data Formats.
//
// An algorithm is a policy (see direct.hpp for the shortest one):
//   refuses<Target>(layer, schedule)  why it cannot run the layer so; empty where it can. Where that depends on the format, too,
//                                     refuses_in<Format, Target>(layer, schedule) says so in its place (formats/any.hpp)
//   kernel<Key, Format, Target>       workspace_bytes, packed_elements (of 4 bytes), run(arguments) and
//                                     pack(filter, bias, packed) or, of a quantized format, pack_quantized(parameters, packed)
//   runs_any_format, runs_bytes, ...  true where there are kernels of all formats, or of some, not of f32 alone (formats/any.hpp)
// Contract of run(): the input has a halo of at least the layer's padding, filled with zeros; the output's halo is left alone.
#pragma once

#include <cstdint>
#include <string_view>

#include <dlas/algorithms/kernel.hpp>
#include <dlas/algorithms/micro_kernel.hpp>
#include <dlas/algorithms/schedule.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>

namespace dlas {

/// A convolution, where its feature maps lie and how it is scheduled: layers that agree in this share one kernel.
struct conv2d_key {
    conv2d_layer layer;
    placement in;
    placement out;
    placement residual;
    schedule_options schedule = {};

    constexpr bool operator==(const conv2d_key&) const = default;
    constexpr conv2d_key scheduled(const schedule_options& by) const { return {layer, in, out, residual, by}; }
};

/// Weights in panels: for each group and each block of `vectors` vectors of output channels, the biases, then one row for each term.
/// Terms go block of input channels after block, within it rows, columns, channels: of all channels as the pixels of NHWC lie, of one as in
/// a packed tile with pixels innermost. The last panels of a group are narrower (panel_cut); channels are rounded up to whole vectors,
/// filled with zeros.
struct panel_layout {
    int lanes = 1;
    int vectors = 1;
    int channel_block = all_channels;

    /// Of 4 bytes each; weights may have fewer.
    constexpr std::int64_t elements(const conv2d_layer& layer, int weight_bytes = 4) const {
        const std::int64_t terms = std::int64_t{layer.group_in()} * layer.kernel.area();
        auto of = [&](int width) { return std::int64_t{lanes} * width + (std::int64_t{lanes} * width * terms * weight_bytes + 3) / 4; };
        return layer.groups * cut(layer).total(of);
    }
    /// Of one group.
    constexpr panel_cut cut(const conv2d_layer& layer) const { return {ceil_divide(layer.group_out(), lanes), vectors}; }
    /// Position of a term among those of its panel.
    constexpr int term(const conv2d_layer& layer, int input, int at) const {
        const int inputs = layer.group_in(), area = layer.kernel.area();
        const int block = channel_block < inputs ? channel_block : inputs;
        const int first = input / block * block;
        const int width = first + block <= inputs ? block : inputs - first;
        return first * area + at * width + input - first;
    }
};

inline constexpr int most_lanes = 64;

/// Packs OIHW filters into panels, the biases as floats, the weights as elements of a type: what one loses by rounding the next one of its
/// channel is given, so that the sum is kept, for inputs behind a ReLU have much in common. `Target` marks the copy of the code; nothing in
/// it depends on the ISA.
template <class Target, element Type = element::f32>
void pack_panels(const conv2d_layer& layer, const panel_layout& panels, const float* filter, const float* bias, float* packed) {
    const int inputs = layer.group_in();
    const int outputs = layer.group_out();
    const int area = layer.kernel.area();
    const panel_cut cut = panels.cut(layer);
    for (int group = 0; group < layer.groups; ++group)
        for (int panel = 0; panel < cut.count(); ++panel) {
            const int first = cut.first(panel) * panels.lanes, width = cut.width_of(panel) * panels.lanes;
            for (int lane = 0; lane < width; ++lane) {
                const int channel = group * outputs + first + lane;
                packed[lane] = first + lane < outputs ? bias[channel] : 0.0f;
            }
            packed += width;
            for (int lane_begin = 0; lane_begin < width; lane_begin += panels.lanes) {
                float lost[most_lanes] = {};
                for (int at = 0; at < area; ++at)
                    for (int i = 0; i < inputs; ++i) {
                        auto* row = reinterpret_cast<element_type<Type>*>(packed) + std::int64_t{panels.term(layer, i, at)} * width + lane_begin;
                        for (int lane = 0; lane < panels.lanes; ++lane) {
                            const std::int64_t channel = group * outputs + first + lane_begin + lane;
                            const bool exists = first + lane_begin + lane < outputs;
                            const float weight = exists ? filter[(channel * inputs + i) * area + at] : 0.0f;
                            if constexpr (Type == element::f32) {
                                row[lane] = weight;
                            } else {
                                row[lane] = rounded_to<Type>(weight + lost[lane]);
                                lost[lane] += weight - to_float(row[lane]);
                            }
                        }
                    }
            }
            packed += (std::int64_t{width} * inputs * area * element_bytes(Type) + 3) / 4;
        }
}

/// First row or column of tile `index`: the last tile moves back to end where the output ends.
/// It then overlaps its neighbour; what is computed twice is the same, bit by bit, and two threads may do so.
constexpr int tile_begin(int index, int tile, int extent) {
    const int begin = index * tile;
    return begin + tile <= extent ? begin : extent - tile;
}

/// The loops around a register tile. Counted in tiles and channels of one group.
struct tile_loops {
    int rows = 1;  ///< output pixels
    int columns = 1;
    int channels = 1;  ///< output channels
    int block_tiles = 1 << 30;
    int block_panels = 1 << 30;
    int block_inputs = 1 << 30;  ///< of the innermost level of the sum
    int prefetch = by_rule;      ///< see schedule_options
    int packed_tile = 0;         ///< elements between the inputs of neighbouring tiles; 0: where the tile's placement says

    constexpr bool operator==(const tile_loops&) const = default;
};

/// Which of a convolution's tiles and panels a thread computes: those of `tiles` for each of `panels`, but no tile of the first panel before
/// `begin` and none of the last one from `end` on, for two threads may share a panel.
struct tile_share {
    range tiles;
    range panels;
    int begin = 0;
    int end = 1 << 30;

    /// The panels of a tile.
    constexpr range panels_of(int tile) const { return {panels.begin + (tile < begin ? 1 : 0), panels.end - (tile >= end ? 1 : 0)}; }
    /// Those among some tiles of a panel.
    constexpr range of_panel(int panel, range block) const {
        return {panel == panels.begin && block.begin < begin ? begin : block.begin, panel + 1 == panels.end && block.end > end ? end : block.end};
    }
};

/// All tiles of some panels: equal shares of the work, which goes panel by panel, within each tile by tile. `Target` marks the copy of the code.
template <class Target>
constexpr tile_share share_of_panels(const panel_cut& cut, int tiles, int part, int parts) {
    struct position {
        int panel;
        int tile;
    };
    auto boundary = [&](int index) -> position {
        const std::int64_t work = std::int64_t{cut.vectors} * tiles * index / parts;
        int panel = 0;
        while (panel < cut.count() && std::int64_t{cut.first(panel + 1)} * tiles <= work) ++panel;
        if (panel == cut.count()) return {panel, 0};
        const int width = cut.width_of(panel);
        const auto tile = static_cast<int>((work - std::int64_t{cut.first(panel)} * tiles + width / 2) / width);
        return tile < tiles ? position{panel, tile} : position{panel + 1, 0};
    };
    const position first = boundary(part), last = boundary(part + 1);
    if (last.tile == 0) return {{0, tiles}, {first.panel, last.panel}, first.tile};
    return {{0, tiles}, {first.panel, last.panel + 1}, first.tile, last.tile};
}

/// One group of a convolution as register tiles over a rows x columns output whose inputs lie at constant strides.
template <tile_key Key, tile_loops Loops, class Target>
struct tiled_gemm {
    static constexpr int lanes = simd<float, Target>::lanes;
    static constexpr int vectors = ceil_divide(Loops.channels, lanes);
    static constexpr panel_cut cut = {vectors, Key.vectors};
    static constexpr int panels = cut.count();
    static constexpr int tile_columns = ceil_divide(Loops.columns, Key.columns);
    static constexpr int tiles = tile_columns * ceil_divide(Loops.rows, Key.rows);
    using micro_kernel = tile_for<Key, Target>;
    using input = typename micro_kernel::input;
    using weight = typename micro_kernel::weight;
    using second = typename micro_kernel::second;
    using output = typename micro_kernel::output;
    using context = typename micro_kernel::context;
    static constexpr int panel_elements = micro_kernel::panel_size;
    static constexpr int block_tiles = Loops.block_tiles < tiles ? Loops.block_tiles : tiles;
    static constexpr int block_panels = Loops.block_panels < panels ? Loops.block_panels : panels;
    static_assert(Key.rows <= Loops.rows && Key.columns <= Loops.columns, "[dlas] schedule: the register tile is larger than the output");

    /// Threads share the panels where weights are most of the memory that is read, or where tiles cannot be shared evenly; else the pixels.
    static tile_share share(int part, int parts) {
        if (parts == 1) return {{0, tiles}, {0, panels}};
        constexpr bool weights_dominate = std::int64_t{Key.sum.terms()} * Loops.channels > std::int64_t{Loops.rows} * Loops.columns * (Loops.channels + Key.sum.terms());
        const bool uneven = 16 * parts * ceil_divide(tiles, parts) > 17 * tiles;
        if (weights_dominate || uneven) return share_of_panels<Target>(cut, tiles, part, parts);
        return {share_of(tiles, part, parts), {0, panels}};
    }

    /// `next` are weights of which the same share is read after these; null: what lies behind its last panel.
    static void run(const input* in, const weight* weights, const second* residual, output* out, const tile_share& share, const context& finish = {},
                    const weight* next = nullptr) {
        [[maybe_unused]] const typename micro_kernel::setting setting;
        for (int panel = share.panels.begin; panel < share.panels.end; panel += block_panels) {
            const int panel_end = panel + block_panels < share.panels.end ? panel + block_panels : share.panels.end;
            for (int tile = share.tiles.begin; tile < share.tiles.end; tile += block_tiles) {
                const range block = {tile, tile + block_tiles < share.tiles.end ? tile + block_tiles : share.tiles.end};
                auto run_one = [&]<tile_key Panel>(int index) {
                    const weight* following = next != nullptr && index + 1 == share.panels.end ? next + panel_offset(share.panels.begin) : nullptr;
                    run_panel<Panel>(index, share.of_panel(index, block), in, weights, residual, out, finish, following);
                };
                int i = panel;
                for (; i < panel_end && i < full; ++i) run_one.template operator()<panel_key(Key.vectors, lanes)>(i);
                if constexpr (full < whole)
                    for (; i < panel_end && i < whole; ++i) run_one.template operator()<panel_key(cut.rest(), lanes)>(i);
                if constexpr (whole < panels)
                    if (i < panel_end) run_one.template operator()<panel_key(cut.width_of(panels - 1), last_lanes)>(i);
            }
        }
    }

private:
    static constexpr int last_lanes = Loops.channels % lanes == 0 ? lanes : Loops.channels % lanes;
    static constexpr int whole = last_lanes == lanes ? panels : panels - 1;  ///< panels of whole vectors
    static constexpr int full = cut.full() < whole ? cut.full() : whole;     ///< and as wide as the tile

    static constexpr tile_key panel_key(int of_vectors, int of_lanes) {
        tile_key key = Key;
        key.vectors = of_vectors;
        key.last_lanes = of_lanes;
        return key;
    }

    /// Elements of weights before a panel.
    static std::int64_t panel_offset(int panel) {
        if constexpr (panels - cut.full() < 2) return std::int64_t{panel} * panel_elements;
        else return panel <= cut.full() ? std::int64_t{panel} * panel_elements
                                        : std::int64_t{cut.full()} * panel_elements + tile_for<panel_key(cut.rest(), lanes), Target>::panel_size;
    }

    /// By itself: where g++ inlines it, what is around it takes registers from the tile's sums.
    template <tile_key Panel>
    [[gnu::noinline]] static void run_panel(int index, range block, const input* in, const weight* weights, const second* residual, output* out, const context& finish,
                                            const weight* following) {
        constexpr int inputs = Key.sum.inner.count;
        constexpr int block_inputs = Loops.block_inputs < inputs ? Loops.block_inputs : inputs;
        constexpr int input_blocks = ceil_divide(inputs, block_inputs);
        const weight* panel = weights + panel_offset(index);
        out += cut.first(index) * lanes;
        if constexpr (Key.adds_residual) residual += cut.first(index) * lanes;
        if constexpr (input_blocks == 1) {
            run_tiles<input_block(Panel, inputs, true, true)>(block, in, panel, residual, out, finish, following);
        } else {
            static_assert(Loops.rows % Key.rows == 0 && Loops.columns % Key.columns == 0,
                          "[dlas] schedule: blocks of input channels need register tiles that cut the output evenly");
            constexpr int width = Panel.vectors * lanes, terms = Key.sum.terms() / inputs * block_inputs;
            run_tiles<input_block(Panel, block_inputs, true, false)>(block, in, panel, residual, out, finish);
            if constexpr (Key.adds_bias) panel += width;
            for (int i = 1; i < input_blocks - 1; ++i) {
                in += block_inputs * Key.sum.inner.stride;
                panel += width * terms;
                run_tiles<input_block(Panel, block_inputs, false, false)>(block, in, panel, residual, out, finish);
            }
            run_tiles<input_block(Panel, inputs - (input_blocks - 1) * block_inputs, false, true)>(
                block, in + block_inputs * Key.sum.inner.stride, panel + width * terms, residual, out, finish);
        }
    }

    static constexpr tile_key input_block(tile_key key, int inputs, bool first, bool last) {
        key.sum.inner.count = inputs;
        key.sum = key.sum.merged();
        if (!first) {
            key.adds_bias = false;
            key.continues = true;
        }
        if (!last) {
            key.adds_residual = false;
            key.function = activation::none;
        }
        return key;
    }

    /// Weights come from far caches: while the tiles of a block use those of one panel, those of `following` or the next panel are asked for bit
    /// by bit. Where there is one tile, or two panels are too much for the second-level cache, the distance is constant instead.
    template <tile_key Block>
    static void run_tiles(range block, const input* in, const weight* panel, const second* residual, output* out, const context& finish,
                          const weight* following = nullptr) {
        using block_tile = tile_for<Block, Target>;
        constexpr int element = sizeof(weight);
        constexpr int row_bytes = block_tile::row * element, bytes = block_tile::header * element + row_bytes * block_tile::rows;
        constexpr bool spread = Loops.prefetch == by_rule && block_tiles > 1 && bytes <= Target::l2_bytes / 2;
        constexpr int distance = Loops.prefetch == by_rule ? Target::prefetch_bytes : Loops.prefetch;
        constexpr int share = round_up(ceil_divide(bytes, block_tiles), element);
        constexpr bool at_once = spread && share <= 8 * 64;
        constexpr tile_key tile = [] {
            tile_key key = Block;
            key.ahead_bytes = distance == 0 || at_once ? 0 : spread ? round_up(ceil_divide(row_bytes, block_tiles), element) : row_bytes;
            return key;
        }();
        const weight* ahead = spread && following != nullptr ? following : panel + (spread ? bytes : distance) / element;
        using work = tile_for<tile, Target>;
        [[maybe_unused]] typename work::unfinished last;
        for (int t = block.begin; t < block.end; ++t) {
            const int row = tile_begin(t / tile_columns, Key.rows, Loops.rows), column = tile_begin(t % tile_columns, Key.columns, Loops.columns);
            if constexpr (distance != 0 && at_once) prefetch<share>(ahead);
            const input* from = Loops.packed_tile > 0 ? in + t * Loops.packed_tile : in + row * Key.in.row_stride + column * Key.in.pixel_stride;
            const second* added = residual + row * Key.residual.row_stride + column * Key.residual.pixel_stride;
            output* to = out + row * Key.out.row_stride + column * Key.out.pixel_stride;
            if constexpr (finishes_later<work>) work::run(from, panel, ahead, added, to, finish, last);
            else work::run(from, panel, ahead, added, to, finish);
            if constexpr (spread) ahead += (at_once ? share : tile.ahead_bytes * block_tile::rows) / element;
        }
        if constexpr (finishes_later<work>) work::end(panel, last, finish);
    }
};

/// The loops that a schedule asks for. `block_pixels` is the rule's block of pixels where the schedule states none.
template <class Target>
constexpr tile_loops scheduled_loops(const schedule_options& schedule, tiling tile, extent map, int channels, int block_pixels) {
    const int tiles = ceil_divide(map.height, tile.rows) * ceil_divide(map.width, tile.columns);
    const int pixels = schedule.pixels == by_rule ? block_pixels : schedule.pixels;
    const int most_tiles = pixels / (tile.rows * tile.columns);
    const int panel = tile.vectors * float_lanes<Target>;
    tile_loops loops = {.rows = map.height, .columns = map.width, .channels = channels};
    // Blocks of nearly equal size.
    loops.block_tiles = ceil_divide(tiles, ceil_divide(tiles, most_tiles < 1 ? 1 : most_tiles));
    if (schedule.channels != by_rule) loops.block_panels = schedule.channels < panel ? 1 : schedule.channels / panel;
    if (schedule.inputs != by_rule) loops.block_inputs = schedule.inputs;
    loops.prefetch = schedule.prefetch;
    return loops;
}

/// The register tile that a schedule states, or the rule's; `pixel_bytes` as choose_tiling() has them.
template <class Target>
consteval tiling scheduled_tile(const schedule_options& schedule, extent map, int channels, int pixel_bytes = 0) {
    if (schedule.tile.rows > 0) return schedule.tile;
    return choose_tiling<Target>(map.height, map.width, channels, pixel_bytes);
}

/// The input of a layer's first window: as far before the first pixel as the padding reaches into the halo.
template <conv2d_key Key>
const element_type<Key.in.type>* first_window(const kernel_arguments& a) {
    return static_cast<const element_type<Key.in.type>*>(a.input) - Key.layer.padding.top * Key.in.row_stride -
           Key.layer.padding.left * Key.in.pixel_stride;
}

}  // namespace dlas
