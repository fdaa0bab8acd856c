// Compiles one target's share of the tested convolutions. Only units with the target's flags include this.
#pragma once

#include <array>
#include <tuple>
#include <utility>

#include "convolution_layers.hpp"

namespace convolution_layers {

namespace compiling {

template <class List>
struct elements;
template <class... Policies>
struct elements<dlas::policy_list<Policies...>> {
    template <int Index>
    using at = std::tuple_element_t<static_cast<std::size_t>(Index), std::tuple<Policies...>>;
};

template <int Index>
using algorithm_at = elements<dlas::algorithms>::at<Index>;

template <class Target, int Index>
constexpr dlas::conv2d_executable layer_code() {
    constexpr pair p = layer_pairs<Target>[Index];
    return dlas::conv2d_kernel<layers[p.layer], dlas::stack<algorithm_at<p.algorithm>, Target>>::code;
}

template <class Target, int Index>
constexpr placed_kernel placed_code() {
    constexpr pair p = placed_pairs<Target>[Index];
    using algorithm = algorithm_at<p.algorithm>;
    using kernel = typename algorithm::template kernel<placed_layers[p.layer], dlas::f32, Target>;
    return {algorithm::name, Target::name, placed_layers[p.layer], kernel::packed_elements * static_cast<std::int64_t>(sizeof(float)),
            kernel::workspace_bytes, &kernel::pack, &kernel::run};
}

template <int Size, int Shard, int Shards>
using share = std::make_integer_sequence<int, (Size - Shard + Shards - 1) / Shards>;

// As spans, so that units call nothing of the standard library's at run time.
template <class Target, int Shard, int Shards>
inline constexpr auto layer_codes = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<dlas::conv2d_executable, sizeof...(I)>{layer_code<Target, Shard + I * Shards>()...};
}(share<layer_pairs<Target>.size(), Shard, Shards>{});
template <class Target, int Shard, int Shards>
inline constexpr std::span<const dlas::conv2d_executable> layer_span = layer_codes<Target, Shard, Shards>;

template <class Target, int Shard, int Shards>
inline constexpr auto placed_codes = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<placed_kernel, sizeof...(I)>{placed_code<Target, Shard + I * Shards>()...};
}(share<placed_pairs<Target>.size(), Shard, Shards>{});
template <class Target, int Shard, int Shards>
inline constexpr std::span<const placed_kernel> placed_span = placed_codes<Target, Shard, Shards>;

}  // namespace compiling

template <class Target, int Shard, int Shards>
std::span<const dlas::conv2d_executable> compiled_layers() {
    return compiling::layer_span<Target, Shard, Shards>;
}
template <class Target, int Shard, int Shards>
std::span<const placed_kernel> compiled_placed_layers() {
    return compiling::placed_span<Target, Shard, Shards>;
}

}  // namespace convolution_layers
