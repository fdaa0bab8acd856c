// Direct convolution: register tiles read the feature map where it lies. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/binary_convolution.hpp>
#include <dlas/algorithms/window_product.hpp>
#include <dlas/formats/binary.hpp>

namespace dlas {

/// The map that register tiles cover. 1x1 windows over maps without a halo: the pixels of all rows are one long row.
constexpr extent tiled_map(const conv2d_key& key) {
    const conv2d_layer& layer = key.layer;
    const shape out = layer.out();
    const bool one_row = layer.kernel == extent(1) && layer.stride == extent(1) && key.schedule.tile.rows <= 1 &&
                         key.in.row_stride == out.width * key.in.pixel_stride && key.out.row_stride == out.width * key.out.pixel_stride &&
                         (!layer.residual || key.residual.row_stride == out.width * key.residual.pixel_stride);
    return one_row ? extent(1, out.pixels()) : extent(out.height, out.width);
}

/// A layer's sum over its window, in place.
constexpr reduction window_sum(const conv2d_layer& layer, placement in) {
    return {{layer.kernel.height, layer.dilation.height * in.row_stride},
            {layer.kernel.width, layer.dilation.width * in.pixel_stride},
            {layer.group_in(), 1}};
}

/// Pixels that all channels are computed for before the next ones: their input stays in the first-level cache, the weights in the
/// second-level one, and the output is written once and in order. Where the weights are too large for that they lead instead.
template <class Target>
constexpr int block_pixels_of(const conv2d_layer& layer, tiling tile, std::int64_t weight_bytes, int input_bytes) {
    if (weight_bytes > Target::l2_bytes / 2 || ceil_divide(layer.group_out(), float_lanes<Target>) <= tile.vectors) return layer.out().pixels();
    return Target::l1_bytes / 2 / (input_bytes * layer.in.channels * layer.stride.area());
}

/// Where those pixels are all: input channels that are summed for all tiles before the next ones, so that two panels of weights fit the
/// second-level cache with room to spare and, if that leaves enough of them, the map's channels the first-level one.
template <class Target>
constexpr int block_inputs_of(const conv2d_layer& layer, extent map, tiling tile) {
    if (map.height % tile.rows != 0 || map.width % tile.columns != 0) return layer.group_in();
    const int pixels = (layer.in.height + layer.padding.top + layer.padding.bottom) * (layer.in.width + layer.padding.left + layer.padding.right);
    const int panel_row = tile.vectors * Target::vector_bytes * layer.kernel.area();
    for (int inputs = 256; inputs >= 64; inputs /= 2)
        if (inputs < layer.group_in() && 4 * pixels * inputs <= Target::l1_bytes * 3 / 2) return inputs;
    int inputs = layer.group_in();
    while (inputs > 64 && inputs * panel_row > Target::l2_bytes / 4) inputs = (inputs + 1) / 2;
    return inputs;
}

/// A layer's windows in a map at `key.in`.
template <class Format, class Target>
consteval window_tiles direct_windows(const conv2d_key& key) {
    const conv2d_layer& layer = key.layer;
    const extent map = tiled_map(key);
    window_tiles windows = {.in = {layer.stride.height * key.in.row_stride, layer.stride.width * key.in.pixel_stride, key.in.type},
                            .sum = window_sum(layer, key.in)};
    const std::int64_t weight_bytes = layer.filter_elements() / layer.groups * weight_bits_of<Format> / 8;
    const auto block_pixels_with = [&](tiling tile) { return block_pixels_of<Target>(layer, tile, weight_bytes, element_bytes(key.in.type)); };
    windows.tile = product_tile<Format, Target>(key.schedule, map, layer.group_out(), windows.in, windows.sum, block_pixels_with({1, 1, 1}));
    const int block_pixels = block_pixels_with(windows.tile);
    windows.loops = scheduled_loops<Target>(key.schedule, windows.tile, map, layer.group_out(), block_pixels);
    if (!std::same_as<Format, f32>)
        windows.loops.block_inputs = all_channels;  // there are no partial sums
    else if (key.schedule.inputs == by_rule && key.schedule.tile.rows == 0 && block_pixels == layer.out().pixels() && map.area() > 1)
        windows.loops.block_inputs = block_inputs_of<Target>(layer, map, windows.tile);
    windows.channel_block = windows.loops.block_inputs;
    return windows;
}

/// A layer's key once its map is widened to what a format's products read, in the same places.
template <class Format, class Target>
constexpr conv2d_key widened(conv2d_key key) {
    key.in.type = window_element<Format, Target>(key.in.type);
    return key;
}

/// Sums over the window in place, without a transformed or rearranged input. Any kernel, stride and dilation; groups of more than one channel.
struct direct {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "direct";
    static constexpr bool runs_any_format = true;
    static constexpr bool counts_bits = true;

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (layer.depthwise()) return "direct: in a depthwise layer each channel is a sum of its own, which leaves one lane of a vector busy";
        if (layer.gated && (layer.kernel != extent(1) || layer.groups != 1)) return "direct: a gated layer has a 1x1 window and one group";
        return tiled_schedule_refusal<Target>(layer, schedule);
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel : window_product<Key, direct_windows<Format, Target>(widened<Format, Target>(Key)), Format, Target> {
        using product = window_product<Key, direct_windows<Format, Target>(widened<Format, Target>(Key)), Format, Target>;
        using gemm = typename product::gemm;
        static constexpr conv2d_layer layer = Key.layer;
        using window = typename gemm::input;
        static constexpr bool widens = Key.in.type != widened<Format, Target>(Key).in.type;
        static constexpr int map_rows = layer.in.height + layer.padding.top + layer.padding.bottom;
        static constexpr int row_elements = (layer.in.width + layer.padding.left + layer.padding.right - 1) * Key.in.pixel_stride + layer.in.channels;
        static constexpr bool shares_workspace = true;
        static constexpr std::int64_t map_elements = std::int64_t{map_rows - 1} * Key.in.row_stride + row_elements;
        static constexpr int slack = std::same_as<window, float> ? 0 : dot_slack<Target>;
        static constexpr std::int64_t workspace_bytes = widens        ? (sizeof(window) * map_elements + slack + 3) / 4 * 4
                                                        : layer.gated ? 4 * product::packed_elements
                                                                      : 0;

        static void run(const kernel_arguments& a) {
            const window* windows = first_windows(a);
            if constexpr (layer.gated) {
                kernel_arguments scaled = a;
                scaled.weights = gated_weights(a);
                multiply(scaled, windows);
            } else {
                multiply(a, windows);
            }
        }

    private:
        static void multiply(const kernel_arguments& a, const window* windows) {
            const tile_share share = gemm::share(a.part, a.parts);
            const auto finish = product::finish(a);
            for (int group = 0; group < layer.groups; ++group) product::run(a, windows + group * layer.group_in(), group, 0, share, finish);
        }

        /// Maps are widened once; weights as they are loaded.
        static const window* first_windows(const kernel_arguments& a) {
            const auto* from = first_window<Key>(a);
            if constexpr (widens) {
                auto* to = static_cast<window*>(a.workspace);
                const range rows = share_of(map_rows, a.part, a.parts);
                for (int row = rows.begin; row < rows.end; ++row)
                    copy_window_part<row_elements, Target>(from + std::int64_t{row} * Key.in.row_stride, to + std::int64_t{row} * Key.in.row_stride);
                a.meet();
                return to;
            } else {
                return from;
            }
        }

        /// A gate scales the weights of its channel, of which there are fewer than pixels.
        static const float* gated_weights(const kernel_arguments& a) {
            float* scaled = static_cast<float*>(a.workspace);
            const range own = share_of(layer.in.channels, a.part, a.parts);
            for (int panel = 0; panel < gemm::panels; ++panel)
                scale_panel(static_cast<const float*>(a.weights), static_cast<const float*>(a.gate), panel, own, scaled);
            a.meet();
            return scaled;
        }
        static void scale_panel(const float* weights, const float* gate, int panel, range inputs, float* scaled) {
            using vector = simd<float, Target>;
            const std::int64_t first = std::int64_t{gemm::cut.first(panel)} * vector::lanes * (1 + layer.in.channels);
            const int width = gemm::cut.width_of(panel) * vector::lanes;
            weights += first;
            scaled += first;
            if (inputs.begin == 0)
                for (int lane = 0; lane < width; lane += vector::lanes) vector::store(scaled + lane, vector::load(weights + lane));
            for (int i = inputs.begin; i < inputs.end; ++i) {
                const auto scale = vector::broadcast(gate[i]);
                for (int lane = (1 + i) * width; lane < (2 + i) * width; lane += vector::lanes)
                    vector::store(scaled + lane, vector::multiply(vector::load(weights + lane), scale));
            }
        }
    };

    template <conv2d_key Key, class Target>
    struct kernel<Key, binary, Target> : binary_convolution<Key, Target> {};
};

}  // namespace dlas
