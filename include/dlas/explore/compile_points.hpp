// Compiles the points of a design space for one target. Explore.
// Only units compiled with the target's flags include this header; explore/points.hpp says what leaves them.
#pragma once

#include <dlas/explore/points.hpp>
#include <dlas/explore/space.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/observed.hpp>

namespace dlas {

namespace exploring {

template <class Model, class Stack>
constexpr design_point make_point() {
    design_point point = {Model::name, "-", Stack::name, Stack::target::name, network_refusal<Model, Stack>, nullptr, &raw_pixels};
    // A model of a user's own need not say what it was trained on.
    if constexpr (requires { Model::problem::name; }) point.dataset = Model::problem::name;
    if constexpr (requires { Model::preprocessing; }) point.preprocessing = &Model::preprocessing;
    if constexpr (network_refusal<Model, Stack>.length == 0) {
        point.code = &network<Model, Stack>::code;
        if constexpr (network<Model, Stack>::code.quantized) point.observed = &network<Model, observed<typename Stack::target>>::code;
    }
    return point;
}

template <int Index, class... Models>
struct nth;
template <class First, class... Rest>
struct nth<0, First, Rest...> {
    using type = First;
};
template <int Index, class First, class... Rest>
struct nth<Index, First, Rest...> : nth<Index - 1, Rest...> {};

template <class Exploration, int Index>
struct point_at;
template <class Space, class... Models, int Index>
struct point_at<exploration<Space, Models...>, Index> {
    using model = typename nth<Index / Space::size, Models...>::type;
    using stack = typename Space::template point<Index % Space::size>;
};

/// Indices of the points of one target that fall into one shard.
template <class Exploration, class Target, int Shard, int Shards>
struct selection {
    template <int... I>
    static consteval int count(std::integer_sequence<int, I...>) {
        int of_target = 0, chosen = 0;
        ((std::same_as<typename point_at<Exploration, I>::stack::target, Target> ? chosen += of_target++ % Shards == Shard : 0), ...);
        return chosen;
    }
    static constexpr auto all = std::make_integer_sequence<int, Exploration::points>{};
    static constexpr int size = count(all);

    template <int... I>
    static consteval auto find(std::integer_sequence<int, I...>) {
        list<int, size> found;
        int of_target = 0;
        ((std::same_as<typename point_at<Exploration, I>::stack::target, Target> && of_target++ % Shards == Shard ? void(found.push(I)) : void()),
         ...);
        return found;
    }
    static constexpr auto indices = find(all);

    static constexpr auto points = []<int... K>(std::integer_sequence<int, K...>) {
        return std::array<design_point, size>{
            make_point<typename point_at<Exploration, indices[K]>::model, typename point_at<Exploration, indices[K]>::stack>()...};
    }(std::make_integer_sequence<int, size>{});
};

/// Sums that a core can add to at once and registers hold beside the factors: more than the latency of a multiply-add asks for, since no
/// scheduler fills both pipes by itself.
template <class Target>
inline constexpr int fma_sums = Target::vector_registers >= 32 ? 24 : Target::vector_registers - 4;

/// Operations of one call of fma_loop.
template <class Target>
inline constexpr double fma_loop_operations = 2.0 * 1000 * fma_sums<Target> * simd<float, Target>::lanes;

/// A thousand rounds of independent multiply-adds in registers. Returns a value that depends on all of them.
template <class Target>
float fma_loop(const float* seed) {
    using vector = simd<float, Target>;
    constexpr int count = fma_sums<Target>;
    typename vector::batch sums[count];
    const typename vector::batch factor = vector::broadcast(seed[0]), addend = vector::broadcast(seed[1]);
#pragma GCC unroll 32
    for (int i = 0; i < count; ++i) sums[i] = vector::broadcast(seed[1] + static_cast<float>(i));
    for (int round = 0; round < 1000; ++round) {
#pragma GCC unroll 32
        for (int i = 0; i < count; ++i) sums[i] = vector::multiply_add(sums[i], factor, addend);
    }
    typename vector::batch total = sums[0];
#pragma GCC unroll 32
    for (int i = 1; i < count; ++i) total = vector::add(total, sums[i]);
    float lanes[vector::lanes];
    vector::store(lanes, total);
    return lanes[0];
}

}  // namespace exploring

template <class Exploration, class Target, int Shard, int Shards>
std::span<const design_point> compiled_points() {
    return exploring::selection<Exploration, Target, Shard, Shards>::points;
}

template <class Target>
peak_loop compiled_peak() {
    return {Target::name, &exploring::fma_loop<Target>, exploring::fma_loop_operations<Target>, &Target::available};
}

}  // namespace dlas
