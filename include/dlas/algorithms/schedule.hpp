// Schedules: how a layer's loops are cut and ordered, as values that a policy carries. Algorithms & Data Formats;
// Systems Software writes them, by rule or by measurement (systems/plans).
#pragma once

#include <string_view>

#include <dlas/algorithms/tiling.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/core/policy.hpp>
#include <dlas/core/text.hpp>

namespace dlas {

/// Left to the rule that knows the target's registers and caches.
inline constexpr int by_rule = -1;

/// How one convolution runs. The order of the loops follows from the blocks, outermost first: blocks of output channels, blocks of
/// pixels, panels of output channels, blocks of input channels, register tiles. A block that holds everything is a loop less.
struct schedule_options {
    tiling tile = {0, 0, 0};   ///< register tile; its vectors are also the width of packed panels of weights; 0 x 0 x 0: by rule
    int pixels = by_rule;      ///< output pixels (Winograd: tiles) that all channels of a block are computed for before the next ones
    int channels = by_rule;    ///< output channels that all pixels are computed for before the next ones
    int inputs = by_rule;      ///< input channels (im2col: terms) that are summed for all tiles of a block before the next ones
    int fused_rows = by_rule;  ///< depthwise: output rows that run through the layers around it at a time; 0: it runs alone
    int prefetch = by_rule;    ///< bytes by which weights are asked for ahead of their use; 0: never

    constexpr bool operator==(const schedule_options&) const = default;
};

/// A schedule as a policy of the stack: schedule<{.tile = {1, 14, 2}, .pixels = 56}>.
template <schedule_options Options>
struct schedule {
    static constexpr policy_kind kind = policy_kind::schedule;
    static constexpr schedule_options options = Options;
    static constexpr auto name_text = [] {
        text<64> spelled;
        auto add = [&spelled](std::string_view what, int number) {
            if (number == by_rule) return;
            if (spelled.length > 0) spelled.append("-");
            spelled.append(what);
            spelled.append(number);
        };
        if (Options.tile.rows > 0) {
            add("tile", Options.tile.rows);
            for (const int more : {Options.tile.columns, Options.tile.vectors}) {
                spelled.append("x");
                spelled.append(more);
            }
        }
        add("pixels", Options.pixels);
        add("channels", Options.channels);
        add("inputs", Options.inputs);
        add("fused", Options.fused_rows);
        add("prefetch", Options.prefetch);
        if (spelled.length == 0) spelled.append("untuned");
        return spelled;
    }();
    static constexpr std::string_view name = name_text.view();
};

/// Everything by rule, from the target's registers and caches.
using untuned = schedule<schedule_options{}>;

/// Why no layer can be run by these options on a target; empty where one can.
template <class Target>
constexpr std::string_view schedule_refusal(const schedule_options& s) {
    const bool tile_stated = s.tile != tiling{0, 0, 0};
    if (tile_stated && (s.tile.rows < 1 || s.tile.columns < 1 || s.tile.vectors < 1)) return "schedule: rows, columns and vectors of a register tile must be positive";
    if (tile_stated && !fits_registers<Target>(s.tile)) return "schedule: the register tile needs more registers than the target has";
    for (const int block : {s.pixels, s.channels, s.inputs})
        if (block != by_rule && block < 1) return "schedule: a block must be positive";
    if (s.fused_rows < by_rule) return "schedule: rows of a band must not be negative";
    if (s.prefetch < by_rule) return "schedule: the prefetch distance must not be negative";
    return {};
}

/// Why an algorithm that reads its input as it is cannot run a layer.
constexpr std::string_view gate_refusal(const conv2d_layer& layer) {
    return layer.gated ? "gate: direct alone scales the channels of its input" : std::string_view();
}

/// The same for an algorithm whose register tiles cover `layer`'s output.
template <class Target>
constexpr std::string_view tiled_schedule_refusal(const conv2d_layer& layer, const schedule_options& s) {
    if (const std::string_view never = schedule_refusal<Target>(s); !never.empty()) return never;
    const shape out = layer.out();
    const bool one_row = layer.kernel == extent(1) && layer.stride == extent(1) && layer.padding.empty() && s.tile.rows <= 1;
    const extent map = one_row ? extent(1, out.pixels()) : extent(out.height, out.width);
    if (s.fused_rows != by_rule) return "schedule: depthwise layers alone run in bands with those around them";
    if (s.tile.rows > map.height || s.tile.columns > map.width) return "schedule: the register tile is larger than the output";
    if (s.inputs != by_rule && s.inputs < layer.group_in() * layer.kernel.area()) {
        if (s.tile.rows == 0) return "schedule: blocks of input channels need a stated register tile";
        // Sums that two tiles share would be added up twice.
        if (map.height % s.tile.rows != 0 || map.width % s.tile.columns != 0) return "schedule: blocks of input channels need register tiles that cut the output evenly";
    }
    return {};
}

}  // namespace dlas
