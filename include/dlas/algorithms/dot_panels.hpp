// How weights are packed for dot products: of four bytes, or of two halves. Algorithms & Data Formats.
#pragma once

#include <cstddef>

#include <dlas/algorithms/register_tile.hpp>

namespace dlas {

/// Bytes that a dot product takes from each pixel.
inline constexpr int dot_bytes = 4;

/// Bytes beyond the end of a map of `Target`'s quantized elements that kernels may read.
template <class Target>
inline constexpr int dot_slack = dot_bytes * Target::dots_at_once - 1;

/// Whether sums over maps of `input` with weights of `weights` are made of dot products on a target.
template <class Target>
constexpr bool sums_dots(element input, element weights) {
    return is_quantized(input) || (input == weights && ((Target::bf16_dots && input == element::bf16) || (Target::f16_sums && input == element::f16)));
}

/// Panels of `vectors` vectors of output channels, as panel_layout's: the biases, of integers that are requantized also the multipliers as
/// floats, or nothing where sums are to begin with 0, then the weights of one dot product for each channel and dot. The innermost run of a window is rounded up to whole dot products, and to as many
/// as a target sums up at once, with weights of zero.
struct dot_panels {
    int lanes = 1;
    int vectors = 1;
    int bits = 8;   ///< of a weight in memory
    int terms = 4;  ///< of a dot product
    int dots_at_once = 1;
    int header_bytes = 8;  ///< of one channel before its weights
    reduction sum;         ///< of one group, merged

    constexpr int run_dots() const { return round_up(ceil_divide(sum.inner.count, terms), dots_at_once); }
    constexpr int dots() const { return sum.outer.count * sum.middle.count * run_dots(); }
    /// Bytes of one channel's weights for one dot product.
    constexpr int weight_bytes() const { return terms * bits / 8; }
    /// Bytes of one group's panels.
    constexpr std::int64_t bytes(int outputs) const {
        return cut(outputs).total([&](int width) { return panel_bytes(lanes * width); });
    }
    constexpr panel_cut cut(int outputs) const { return {ceil_divide(outputs, lanes), vectors}; }
    /// Of a panel of so many channels; the next one's biases are aligned.
    constexpr std::int64_t panel_bytes(int width) const {
        return (std::int64_t{width} * header_bytes + std::int64_t{width} * weight_bytes() * dots() + 3) / 4 * 4;
    }
};

/// Dot products that one instruction of a target sums up over elements of a type: of bytes and bf16 alone some have several.
template <class Target>
constexpr int dots_at_once(element type) {
    return type == element::s16 || type == element::f16 ? 1 : Target::dots_at_once;
}

/// The panels that a tile of `key` reads. Tiles of a target that sums up several dot products at once take no fewer than 8 bits.
template <class Target>
constexpr dot_panels panels_of(const tile_key& key) {
    const bool integers = is_quantized(key.in.type), raw = key.out.type == element::s32;
    const int at_once = dots_at_once<Target>(key.in.type);
    const int bits = !integers ? 16 : at_once > 1 ? 8 : stored_weight_bits(key.weight_bits);
    return {float_lanes<Target>, key.vectors, bits, dot_bytes / element_bytes(key.in.type), at_once,
            !key.adds_bias ? 0 : integers && !raw ? 8 : 4, key.sum};
}

/// Packs the weights of a layer: header(channel, parameters, width) writes what stands before them, bits(channel, element) returns one weight,
/// an element of the channel's filter, in a panel's order. Terms go in blocks of `channel_block` input channels as panel_layout's; the last
/// block is as long as the others, with weights of zero. `Target` marks the copy of the code.
template <class Target, class Header, class Bits>
void pack_dot_panels(const conv2d_layer& layer, const dot_panels& panels, int channel_block, std::byte* packed, Header header, Bits bits) {
    const int terms = panels.sum.terms(), outputs = layer.group_out();
    const panel_cut cut = panels.cut(outputs);
    const int inputs = layer.group_in(), area = layer.kernel.area(), side_by_side = channel_block == all_channels ? inputs : channel_block;
    const int run = panels.sum.inner.count, lane_bytes = panels.weight_bytes();
    auto bits_of = [&](int channel, int term) -> std::uint32_t {
        const int place = term / side_by_side, input = place / area * side_by_side + term % side_by_side;
        return input < inputs ? bits(channel, input * area + place % area) : 0;
    };
    for (int group = 0; group < layer.groups; ++group)
        for (int panel = 0; panel < cut.count(); ++panel) {
            const int first = cut.first(panel) * panels.lanes, width = cut.width_of(panel) * panels.lanes;
            for (int lane = 0; lane < width; ++lane) {
                const int channel = first + lane < outputs ? group * outputs + first + lane : -1;
                header(channel, packed + 4 * lane, width);
                std::byte* row = packed + panels.header_bytes * width + lane_bytes * lane;
                for (int begin = 0; begin < terms; begin += run)
                    for (int dot = 0; dot < panels.run_dots(); ++dot) {
                        std::uint32_t dots = 0;
                        for (int k = 0; k < panels.terms; ++k) {
                            const int at = dot * panels.terms + k;
                            if (channel >= 0 && at < run) dots |= bits_of(channel, begin + at) << (k * panels.bits);
                        }
                        __builtin_memcpy(row, &dots, static_cast<unsigned>(lane_bytes));
                        row += lane_bytes * width;
                    }
            }
            packed += panels.panel_bytes(width);
        }
}

/// Packs the quantized filter of a layer. The input's zero point goes into the biases; `input` is what the kernel will read.
template <class Target>
void pack_integer_panels(const conv2d_layer& layer, const dot_panels& panels, int channel_block, element input, element output,
                         const quantized_parameters& p, std::byte* packed) {
    const int elements = layer.group_in() * layer.kernel.area();
    const std::int32_t zero = p.input.zero + stored_offset(input);
    auto weight = [&](int channel, int at) { return p.filter[std::int64_t{channel} * elements + at]; };
    pack_dot_panels<Target>(
        layer, panels, channel_block, packed,
        [&](int channel, std::byte* to, int width) {
            std::int32_t bias = 0;
            float multiplier = 0;
            if (channel >= 0) {
                std::int32_t total = 0;
                for (int at = 0; at < elements; ++at) total += weight(channel, at);
                bias = p.bias[channel] - zero * total;
                multiplier = p.multiplier(channel, output);
            }
            __builtin_memcpy(to, &bias, 4);
            __builtin_memcpy(to + 4 * width, &multiplier, 4);
        },
        [&](int channel, int at) { return static_cast<std::uint32_t>(weight(channel, at)) & ((1u << panels.bits) - 1); });
}

/// Packs an OIHW filter as f16 or bf16, rounded as pack_panels does it.
template <class Target, element Type>
void pack_half_panels(const conv2d_layer& layer, const dot_panels& panels, int channel_block, const float* filter, const float* bias,
                      std::byte* packed) {
    const int elements = layer.group_in() * layer.kernel.area();
    float lost = 0;
    pack_dot_panels<Target>(
        layer, panels, channel_block, packed,
        [&](int channel, std::byte* to, int) {
            const float first = channel >= 0 ? bias[channel] : 0.0f;
            __builtin_memcpy(to, &first, 4);
            lost = 0;
        },
        [&](int channel, int at) -> std::uint32_t {
            const float weight = filter[std::int64_t{channel} * elements + at];
            const element_type<Type> rounded = rounded_to<Type>(weight + lost);
            lost += weight - to_float(rounded);
            return rounded.bits;
        });
}

/// What the tiles of dot products have in common: elements, and what they read of a panel.
template <tile_key Key, class Target>
struct dot_tile_base {
    static constexpr bool integers = is_quantized(Key.in.type);
    using input = element_type<Key.in.type>;
    using second = element_type<Key.residual.type>;
    using output = element_type<Key.out.type>;
    using weight = std::int8_t;
    static constexpr dot_panels panels = panels_of<Target>(Key);
    static constexpr int pixels = Key.rows * Key.columns;
    static constexpr int width = Key.vectors * panels.lanes;
    static constexpr int header = panels.header_bytes * width;
    static constexpr int row = panels.weight_bytes() * width;
    static constexpr int rows = panels.dots();
    static constexpr int panel_size = static_cast<int>(panels.panel_bytes(width));

    /// A vector's multipliers of sums, behind the biases.
    [[gnu::always_inline]] static inline const float* multiplier_of(const weight* parameters, int vector) {
        return reinterpret_cast<const float*>(parameters + 4 * (width + vector * panels.lanes));
    }
    static_assert(Key.sum.inner.stride == 1 && !Key.continues);
};

}  // namespace dlas
