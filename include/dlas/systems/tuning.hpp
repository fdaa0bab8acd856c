// What a tuner may choose for the layers of a network, compiled. Systems Software.
// A model of the core proposes; measuring in the network decides (benchmarks/tune.cpp). Only units with the target's flags include this.
#pragma once

#include <tuple>

#include <dlas/core/layer_text.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/tuning_candidate.hpp>

namespace dlas {

namespace tuning {

/// An algorithm of `algorithms` with a schedule.
struct choice {
    int algorithm = 0;
    schedule_options schedule;
};

inline constexpr int most_choices = 24;
using choices = list<choice, most_choices>;

template <class Wanted, class... Algorithms>
consteval int algorithm_index(policy_list<Algorithms...>) {
    int index = 0, found = -1;
    ((std::same_as<Wanted, Algorithms> ? found = index : 0, ++index), ...);
    return found;
}
template <class Wanted>
inline constexpr int index_of = algorithm_index<Wanted>(algorithms{});

template <int Index, class... Algorithms>
consteval auto algorithm_at(policy_list<Algorithms...>) {
    return std::tuple_element_t<static_cast<std::size_t>(Index), std::tuple<Algorithms...>>{};
}

/// The cheapest register tiles for a map, the best first.
template <class Target, int Count>
consteval list<tiling, Count> best_tiles(extent map, int channels, int most_rows) {
    list<tiling, Count> best;
    double costs[Count] = {};
    const int vectors = ceil_divide(channels, float_lanes<Target>);
    for (int rows = 1; rows <= most_rows && rows <= map.height; ++rows)
        for (int columns = 1; columns <= 28 && columns <= map.width; ++columns) {
            if (columns != ceil_divide(map.width, ceil_divide(map.width, columns)) || rows != ceil_divide(map.height, ceil_divide(map.height, rows))) continue;
            for (int v = 1; v <= 6 && v <= vectors; ++v) {
                const tiling t = {rows, columns, v};
                if (!fits_registers<Target>(t)) break;
                const double cost = tiling_cost<Target>(t, map.height, map.width, channels);
                if (best.size() == Count && cost >= costs[Count - 1]) continue;
                if (best.size() < Count) best.push(t);
                int at = best.size() - 1;
                for (; at > 0 && costs[at - 1] > cost; --at) {
                    best[at] = best[at - 1];
                    costs[at] = costs[at - 1];
                }
                best[at] = t;
                costs[at] = cost;
            }
        }
    return best;
}

/// What is worth measuring for a layer at a place: the rule's choice, then other tiles, blocks and algorithms.
template <class Target, conv2d_key Key>
consteval choices choices_for() {
    constexpr conv2d_layer layer = Key.layer;
    choices all;
    auto propose = [&all](int algorithm, const schedule_options& schedule) {
        for (const choice& known : all)
            if (known.algorithm == algorithm && known.schedule == schedule) return;
        if (all.size() < most_choices) all.push({algorithm, schedule});
    };
    propose(index_of<chosen_algorithm<automatic, layer, Target>>, {});
    if constexpr (depthwise::template refuses<Target>(layer).empty()) {
        for (int parts = 1; parts <= layer.out().width; ++parts) {
            const int columns = ceil_divide(layer.out().width, parts);
            const schedule_options schedule = {.tile = {1, columns, 1}};
            if (columns < 2 || all.size() > 5) break;
            if (depthwise::template refuses<Target>(layer, schedule).empty()) propose(index_of<depthwise>, schedule);
        }
        return all;
    } else {
        constexpr extent map = tiled_map(Key);
        constexpr auto tiles = best_tiles<Target, 4>(map, layer.group_out(), 4);
        constexpr double direct_time = choosing::direct_cycles<Target>(layer);
        const bool winograd_far_better =
            winograd<2>::template refuses<Target>(layer).empty() && choosing::winograd_cycles<2, Target>(layer) < direct_time / 1.6;
        propose(index_of<direct>, {});
        if (!winograd_far_better) {
            for (const tiling& tile : tiles) propose(index_of<direct>, {.tile = tile});
            // Panels that fit the first-level cache, and half the second-level one.
            const tiling tile = tiles[0];
            if (map.height % tile.rows == 0 && map.width % tile.columns == 0)
                for (const int inputs : {64, 128, 256})
                    if (inputs < layer.group_in() && inputs * layer.kernel.area() * tile.vectors * Target::vector_bytes <= Target::l2_bytes)
                        propose(index_of<direct>, {.tile = tile, .inputs = inputs});
            const int pixels = map.area();
            propose(index_of<direct>, {.tile = tile, .pixels = pixels});
            const int cached = Target::l1_bytes / 2 / (4 * layer.in.channels * layer.stride.area());
            for (const int block : {2 * cached, 8 * cached})
                if (block > tile.rows * tile.columns && block < pixels) propose(index_of<direct>, {.tile = tile, .pixels = block});
            propose(index_of<direct>, {.tile = tile, .prefetch = 2048});
            if (pixels == 1) propose(index_of<direct>, {.tile = {1, 1, streamed_vectors<Target>}, .prefetch = 0});
        }
        auto propose_winograd = [&]<int M>(winograd<M>) {
            if constexpr (winograd<M>::template refuses<Target>(layer).empty()) {
                if (choosing::winograd_cycles<M, Target>(layer) > 1.5 * direct_time) return;
                propose(index_of<winograd<M>>, {});
                const int tile_count = ceil_divide(layer.out().height, M) * ceil_divide(layer.out().width, M);
                const int fitting = static_cast<int>(std::int64_t{Target::l2_bytes} / (4 * (M + 2) * (M + 2) * (layer.in.channels + layer.channels)));
                for (const int block : {tile_count, 2 * fitting, fitting / 2})
                    if (block >= 6 && block <= tile_count) propose(index_of<winograd<M>>, {.pixels = block});
            }
        };
        propose_winograd(winograd<4>{});
        propose_winograd(winograd<2>{});
        propose_winograd(winograd<6>{});
        if (layer.in.channels < 16 && layer.kernel != extent(1)) propose(index_of<im2col>, {});
        return all;
    }
}

/// The first step that runs the same layer: its choices are those of all.
template <class Model>
constexpr int first_like(int step) {
    constexpr const auto& p = program_of<Model>;
    for (int i = 0; i < step; ++i)
        if (p.steps[i].kind == step_kind::conv2d && p.steps[i].conv == p.steps[step].conv) return i;
    return step;
}

/// Index of a step's layer among the distinct ones; -1 where the step is no convolution.
template <class Model>
constexpr int layer_index(int step) {
    constexpr const auto& p = program_of<Model>;
    if (p.steps[step].kind != step_kind::conv2d) return -1;
    const int first = first_like<Model>(step);
    int index = 0;
    for (int i = 0; i < first; ++i)
        if (p.steps[i].kind == step_kind::conv2d && first_like<Model>(i) == i) ++index;
    return index;
}

/// Whether a choice for one place can run at another: register tiles may be longer than its rows.
constexpr bool fits(const schedule_options& schedule, const conv2d_key& key) {
    const extent map = tiled_map(key.scheduled(schedule));
    if (schedule.tile.rows > map.height || schedule.tile.columns > map.width) return false;
    return schedule.inputs == by_rule || (map.height % schedule.tile.rows == 0 && map.width % schedule.tile.columns == 0);
}

template <class Model, class Target, int Step, int Choice>
consteval tuning_candidate candidate() {
    constexpr conv2d_key key = deploying::key_of_step<program_of<Model>, Step>;
    constexpr choice chosen = choices_for<Target, deploying::key_of_step<program_of<Model>, first_like<Model>(Step)>>()[Choice];
    tuning_candidate result = {Step, Choice, {}, chosen.schedule, 0, 0, nullptr, nullptr};
    if constexpr (chosen.algorithm != index_of<direct> || fits(chosen.schedule, key)) {
        using algorithm = decltype(algorithm_at<chosen.algorithm>(algorithms{}));
        using kernel = typename algorithm::template kernel<key.scheduled(chosen.schedule), f32, Target>;
        result.algorithm = algorithm::name;
        result.weight_bytes = kernel::packed_elements * static_cast<std::int64_t>(sizeof(float));
        result.workspace_bytes = kernel::workspace_bytes;
        result.pack = &kernel::pack;
        result.run = &kernel::run;
    }
    return result;
}

template <class Model, class Target, int Begin, int End>
inline constexpr auto candidates = [] {
    constexpr const auto& p = program_of<Model>;
    list<tuning_candidate, p.steps.size() * most_choices> all;
    auto add_step = [&all]<int Step>() {
        if constexpr (layer_index<Model>(Step) >= Begin && layer_index<Model>(Step) < End) {
            constexpr int count = choices_for<Target, deploying::key_of_step<program_of<Model>, first_like<Model>(Step)>>().size();
            [&all]<int... Choice>(std::integer_sequence<int, Choice...>) {
                (all.push(candidate<Model, Target, Step, Choice>()), ...);
            }(std::make_integer_sequence<int, count>{});
        }
    };
    [&]<int... I>(std::integer_sequence<int, I...>) { (add_step.template operator()<I>(), ...); }(std::make_integer_sequence<int, p.steps.size()>{});
    return all;
}();

}  // namespace tuning

/// The candidates for the distinct layers Begin to End - 1 of a model, in the order of its steps; those that cannot run have no `run`.
template <model Model, class Target, int Begin, int End>
std::span<const tuning_candidate> tuning_candidates() {
    constexpr const auto& all = tuning::candidates<Model, Target, Begin, End>;
    return {all.elements, static_cast<std::size_t>(all.size())};
}

}  // namespace dlas
