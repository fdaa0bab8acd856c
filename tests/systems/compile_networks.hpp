// Compiles one target's share of a list of networks. Only units with the target's flags include this.
#pragma once

#include <array>

#include <dlas/systems/network.hpp>

#include "compiled_networks.hpp"

namespace compiling {

/// A point's policy is an algorithm, or has plans of its own.
template <class Target, class Model, class Policy>
constexpr const dlas::executable* code_of(point<Model, Policy>) {
    if constexpr (requires { Policy::template plan<Target>::name; }) return &dlas::network<Model, typename Policy::template plan<Target>>::code;
    else return &dlas::network<Model, dlas::stack<Policy, Target>>::code;
}

/// Only the points of the shard are instantiated.
template <class Target, int Shard, int Shards, int Index, class Point>
constexpr void compile_into(auto& codes, int& count) {
    if constexpr (Index % Shards == Shard) codes[static_cast<std::size_t>(count++)] = code_of<Target>(Point{});
}

template <class Target, int Shard, int Shards, class... Points>
constexpr auto compile(point_list<Points...>) {
    constexpr int size = (static_cast<int>(sizeof...(Points)) - Shard + Shards - 1) / Shards;
    std::array<const dlas::executable*, static_cast<std::size_t>(size)> codes = {};
    int count = 0;
    [&]<int... I>(std::integer_sequence<int, I...>) {
        (compile_into<Target, Shard, Shards, I, Points>(codes, count), ...);
    }(std::make_integer_sequence<int, static_cast<int>(sizeof...(Points))>{});
    return codes;
}

template <class List, class Target, int Shard, int Shards>
inline constexpr auto codes = compile<Target, Shard, Shards>(typename List::template points<Target>{});

}  // namespace compiling

template <class List, class Target, int Shard, int Shards>
std::span<const dlas::executable* const> compiled_networks() {
    return compiling::codes<List, Target, Shard, Shards>;
}
