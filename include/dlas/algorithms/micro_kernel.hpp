// Which micro-kernel computes the tiles of a convolution. Algorithms & Data Formats.
#pragma once

#include <concepts>
#include <type_traits>

#include <dlas/algorithms/dot_tile.hpp>
#include <dlas/algorithms/matrix_tile.hpp>
#include <dlas/algorithms/register_tile.hpp>
#include <dlas/algorithms/scaled_tile.hpp>

namespace dlas {

/// The tile of dot products of windows `in` apart with weights of so many bits that suits a layer on a target, in blocks of so many pixels.
template <class Target>
consteval tiling choose_dots(extent map, int channels, [[maybe_unused]] placement in, [[maybe_unused]] const reduction& sum, int weight_bits,
                             [[maybe_unused]] int block_pixels) {
    if (in.type == element::s16)
        return Target::adds_pairs ? choose_dot_tiling<Target>(map, channels, cost_of_short_dots) : choose_tiling<Target>(map.height, map.width, channels);
    if constexpr (Target::dots_at_once > 1)
        if (dots_at_once<Target>(in.type) > 1) return choose_matrix_tiling<Target>(map, channels, in, sum, block_pixels);
    if constexpr (Target::byte_dots) return choose_tiling<Target>(map.height, map.width, channels);  // an instruction for each, as of floats
    else return choose_dot_tiling<Target>(map, channels, cost_of_dots<Target>(weight_bits));
}

/// The micro-kernel for the elements that a tile reads.
template <tile_key Key, class Target>
consteval auto choose_tile() {
    if constexpr (!sums_dots<Target>(Key.in.type, Key.weights) && is_quantized(Key.weights))
        return std::type_identity<scaled_tile<Key, Target>>{};
    else if constexpr (!sums_dots<Target>(Key.in.type, Key.weights))
        return std::type_identity<register_tile<Key, Target>>{};
    else if constexpr (dots_at_once<Target>(Key.in.type) > 1)
        return std::type_identity<matrix_tile<Key, Target>>{};
    else
        return std::type_identity<dot_tile<Key, Target>>{};
}
template <tile_key Key, class Target>
using tile_for = typename decltype(choose_tile<Key, Target>())::type;

/// Micro-kernels that store a tile's outputs while the next one is computed: run() is given what is left of the tile before, and end() stores
/// the last one's.
template <class Tile>
concept finishes_later = !std::same_as<typename Tile::unfinished, nothing>;

}  // namespace dlas
