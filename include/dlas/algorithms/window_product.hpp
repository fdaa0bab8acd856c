// A convolution as the product of windows that lie at constant strides and its filters, in every format: what direct, im2col and
// spatial_pack share. Algorithms & Data Formats.
#pragma once

#include <concepts>

#include <dlas/algorithms/convolution.hpp>
#include <dlas/formats/f32.hpp>
#include <dlas/formats/half.hpp>
#include <dlas/formats/quantized.hpp>
#include <dlas/formats/scaled.hpp>

namespace dlas {

/// What a format stores weights as.
template <class Format>
inline constexpr element weights_of = element::f32;
template <half_weights Format>
inline constexpr element weights_of<Format> = Format::weights;
template <scaled_format Format>
inline constexpr element weights_of<Format> = element::s8;
template <int WeightBits, int ActivationBits, scaling Scaling>
inline constexpr element weights_of<quantized<WeightBits, ActivationBits, Scaling>> = element::s8;

/// Of a weight in memory.
template <class Format>
inline constexpr int weight_bits_of = 8 * element_bytes(weights_of<Format>);
template <scaled_format Format>
inline constexpr int weight_bits_of<Format> = Format::scaled_bits;
template <int WeightBits, int ActivationBits, scaling Scaling>
inline constexpr int weight_bits_of<quantized<WeightBits, ActivationBits, Scaling>> = stored_weight_bits(WeightBits);

/// Whether a format's sums over a map are made of dot products on a target.
template <class Format, class Target>
constexpr bool product_has_dots(element map) {
    return sums_dots<Target>(map, weights_of<Format>);
}

/// The bits of what dot products multiply bytes by.
template <class Format>
inline constexpr int dot_weight_bits = 8;
template <int WeightBits, int ActivationBits, scaling Scaling>
inline constexpr int dot_weight_bits<quantized<WeightBits, ActivationBits, Scaling>> = WeightBits;

/// The elements of windows that a product reads: the map's; the 16 bits that bytes are widened to where the sums of their pairs of products
/// would saturate; or floats.
template <class Format, class Target>
constexpr element window_element(element map) {
    if (!product_has_dots<Format, Target>(map)) return element::f32;
    return Target::adds_pairs && map == element::u8 && dots_in_pairs<Target>(dot_weight_bits<Format>) == 0 ? element::s16 : map;
}

/// Where the windows of one group lie, and how their products are tiled.
struct window_tiles {
    placement in = {};                 ///< from window to window, in output rows and columns
    reduction sum = {};                ///< over one window
    int channel_block = all_channels;  ///< input channels that stand side by side at each position of a window (see panel_layout)
    tiling tile = {};
    tile_loops loops = {};

    constexpr bool operator==(const window_tiles&) const = default;
};

/// The register tile that a schedule states, or the rule's for sums like `sum` over windows at `in`, in blocks of so many pixels.
template <class Format, class Target>
consteval tiling product_tile(const schedule_options& schedule, extent map, int channels, placement in, const reduction& sum, int block_pixels) {
    if (schedule.tile.rows == 0 && product_has_dots<Format, Target>(in.type))
        return choose_dots<Target>(map, channels, in, sum, dot_weight_bits<Format>, block_pixels);
    if (schedule.tile.rows == 0 && !scaled_format<Format> && streams_sum<Target>(map.area(), sum)) {
        const int vectors = ceil_divide(channels, float_lanes<Target>);
        return {1, 1, vectors < streamed_vectors<Target> ? vectors : streamed_vectors<Target>};
    }
    return scheduled_tile<Target>(schedule, map, channels, in.pixel_stride * element_bytes(in.type));
}

/// The key of a product's tiles.
template <conv2d_key Key, window_tiles Windows, class Format>
inline constexpr tile_key product_key = [] {
    const conv2d_layer& layer = Key.layer;
    tile_key key = {.rows = Windows.tile.rows,
                    .columns = Windows.tile.columns,
                    .vectors = Windows.tile.vectors,
                    .in = Windows.in,
                    .out = Key.out,
                    .residual = Key.residual,
                    .sum = Windows.sum,
                    .adds_residual = layer.residual,
                    .function = layer.activation};
    key.weights = weights_of<Format>;
    return key;
}();

/// A format's way of packing and multiplying, `Windows` in place of the layer's own. Each of them has
///   packed_elements, pack(filter, bias, packed) or pack_quantized(parameters, packed)   as kernels have them
///   gemm, finish(arguments)      the loops, and what they are told of the outputs
///   run(arguments, windows, group, row, share, finish)   the products of one group's windows, the first of which give output row `row`
template <conv2d_key Key, window_tiles Windows, class Format, class Target>
struct window_product;

/// Copies neighbouring elements to where windows are rearranged: as they are, or widened to 16 bits or to floats.
template <int Channels, class Target, class From, class To>
[[gnu::always_inline]] inline void copy_window_part(const From* from, To* to) {
    if constexpr (std::same_as<From, To>)
        __builtin_memcpy(static_cast<void*>(to), from, sizeof(To) * Channels);
    else if constexpr (std::same_as<To, std::int16_t>)
        for_each_vector<Channels, simd<std::int16_t, Target>>([&]<int Lanes>(int channel) {
            const auto widened = simd<std::int16_t, Target>::template load_bytes<Lanes>(from + channel);
            __builtin_memcpy(static_cast<void*>(to + channel), &widened, sizeof(To) * Lanes);
        });
    else
        for_each_vector<Channels, simd<float, Target>>(
            [&]<int Lanes>(int channel) { store_elements<Lanes, Target>(to + channel, load_elements<Lanes, Target>(from + channel)); });
}

namespace products {

/// Packed: `HeaderBytes`, then the panels of each group.
template <conv2d_key Key, window_tiles Windows, tile_key Tile, int HeaderBytes, std::int64_t GroupBytes, class Target>
struct of_groups {
    static constexpr conv2d_layer layer = Key.layer;
    using gemm = tiled_gemm<Tile, Windows.loops, Target>;
    static constexpr std::int64_t packed_elements = (HeaderBytes + layer.groups * GroupBytes) / 4;

    static nothing finish(const kernel_arguments&) { return {}; }

    [[gnu::always_inline]] static inline void run(const kernel_arguments& a, const typename gemm::input* windows, int group, int row,
                                                  const tile_share& share, const typename gemm::context& finish) {
        const auto* weights =
            reinterpret_cast<const typename gemm::weight*>(static_cast<const std::byte*>(a.weights) + HeaderBytes + group * GroupBytes);
        const auto* residual = static_cast<const typename gemm::second*>(a.second);
        if constexpr (layer.residual) residual += row * Key.residual.row_stride + group * layer.group_out();
        gemm::run(windows, weights, residual,
                  static_cast<typename gemm::output*>(a.output) + row * Key.out.row_stride + group * layer.group_out(), share, finish);
    }
};

template <conv2d_key Key, window_tiles Windows, class Target>
inline constexpr panel_layout panels_of_floats = {float_lanes<Target>, Windows.tile.vectors, Windows.channel_block};

template <conv2d_key Key, window_tiles Windows, class Format>
inline constexpr tile_key scaled_key = [] {
    tile_key key = product_key<Key, Windows, Format>;
    key.sum = key.sum.merged();
    key.weight_bits = Format::scaled_bits;
    key.scale_group = Format::group;
    return key;
}();
template <conv2d_key Key, window_tiles Windows, class Format, class Target>
inline constexpr scaled_panels panels_of_scaled = {float_lanes<Target>, Windows.tile.vectors, Format::scaled_bits, Format::group,
                                                   scaled_key<Key, Windows, Format>.sum};

template <conv2d_key Key, window_tiles Windows, class Format>
inline constexpr tile_key dot_key = [] {
    tile_key key = product_key<Key, Windows, Format>;
    key.sum = key.sum.merged();
    key.weight_bits = dot_weight_bits<Format>;
    if (is_quantized(key.in.type)) key.function = activation::none;  // the bounds of the requantization say it
    return key;
}();
template <conv2d_key Key, window_tiles Windows, class Format, class Target>
inline constexpr dot_panels panels_of_dots = panels_of<Target>(dot_key<Key, Windows, Format>);

template <conv2d_key Key, window_tiles Windows, class Format, class Target>
using of_floats =
    of_groups<Key, Windows, product_key<Key, Windows, Format>, 0,
              4 * panels_of_floats<Key, Windows, Target>.elements(Key.layer, element_bytes(weights_of<Format>)) / Key.layer.groups, Target>;
template <conv2d_key Key, window_tiles Windows, class Format, class Target>
using of_scaled =
    of_groups<Key, Windows, scaled_key<Key, Windows, Format>, 0, panels_of_scaled<Key, Windows, Format, Target>.bytes(Key.layer.group_out()), Target>;
template <conv2d_key Key, window_tiles Windows, class Format, class Target>
using of_dots = of_groups<Key, Windows, dot_key<Key, Windows, Format>, is_quantized(Windows.in.type) ? requantization_bytes : 0,
                          panels_of_dots<Key, Windows, Format, Target>.bytes(Key.layer.group_out()), Target>;

}  // namespace products

/// Floats, whose weights may have fewer bits in memory.
template <conv2d_key Key, window_tiles Windows, class Format, class Target>
struct window_product : products::of_floats<Key, Windows, Format, Target> {
    using products::of_floats<Key, Windows, Format, Target>::layer;
    static void pack(const float* filter, const float* bias, float* packed) {
        pack_panels<Target, weights_of<Format>>(layer, products::panels_of_floats<Key, Windows, Target>, filter, bias, packed);
    }
};

/// Weights alone have few bits: they become floats as they are loaded.
template <conv2d_key Key, window_tiles Windows, scaled_format Format, class Target>
struct window_product<Key, Windows, Format, Target> : products::of_scaled<Key, Windows, Format, Target> {
    using products::of_scaled<Key, Windows, Format, Target>::layer;
    static_assert(Windows.channel_block == all_channels);
    static void pack(const float* filter, const float* bias, float* packed) {
        pack_scaled_panels<Target>(layer, products::panels_of_scaled<Key, Windows, Format, Target>, filter, bias,
                                   reinterpret_cast<std::byte*>(packed));
    }
};

/// Pairs of f16 or bf16 on targets that multiply them.
template <conv2d_key Key, window_tiles Windows, half_weights Format, class Target>
requires(product_has_dots<Format, Target>(Windows.in.type)) struct window_product<Key, Windows, Format, Target>
    : products::of_dots<Key, Windows, Format, Target> {
    using products::of_dots<Key, Windows, Format, Target>::layer;
    static void pack(const float* filter, const float* bias, float* packed) {
        pack_half_panels<Target, Format::weights>(layer, products::panels_of_dots<Key, Windows, Format, Target>, Windows.channel_block,
                                                  filter, bias, reinterpret_cast<std::byte*>(packed));
    }
};

/// Dot products of integers.
template <conv2d_key Key, window_tiles Windows, int WeightBits, int ActivationBits, class Target>
struct window_product<Key, Windows, quantized<WeightBits, ActivationBits>, Target>
    : products::of_dots<Key, Windows, quantized<WeightBits, ActivationBits>, Target> {
    using products::of_dots<Key, Windows, quantized<WeightBits, ActivationBits>, Target>::layer;
    static void pack_quantized(const quantized_parameters& parameters, float* packed) {
        pack_requantization<Target>(requantization_of<Target>(parameters, Key.in.type, Key.residual.type, Key.out.type, layer.activation),
                                    packed);
        pack_integer_panels<Target>(layer, products::panels_of_dots<Key, Windows, quantized<WeightBits, ActivationBits>, Target>,
                                    Windows.channel_block, Key.in.type, Key.out.type, parameters,
                                    reinterpret_cast<std::byte*>(packed) + requantization_bytes);
    }
    static requantizer<Target> finish(const kernel_arguments& a) { return requantizer<Target>(a.weights); }
};

}  // namespace dlas
