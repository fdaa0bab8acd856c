// Direct convolution: register tiles read the feature map where it lies. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/binary_convolution.hpp>
#include <dlas/algorithms/convolution.hpp>
#include <dlas/formats/binary.hpp>
#include <dlas/formats/f32.hpp>
#include <dlas/formats/half.hpp>
#include <dlas/formats/quantized.hpp>
#include <dlas/formats/scaled.hpp>

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
    return {{layer.kernel.height, layer.dilation.height * in.row_stride}, {layer.kernel.width, layer.dilation.width * in.pixel_stride}, {layer.group_in(), 1}};
}

/// Pixels that all channels are computed for before the next ones: their input stays in the first-level cache, the weights in the
/// second-level one, and the output is written once and in order. Where the weights are too large for that they lead instead.
template <class Target>
constexpr int block_pixels_of(const conv2d_layer& layer, tiling tile, std::int64_t weight_bytes, int input_bytes) {
    if (weight_bytes > Target::l2_bytes / 2 || ceil_divide(layer.group_out(), float_lanes<Target>) <= tile.vectors) return layer.out().pixels();
    return Target::l1_bytes / 2 / (input_bytes * layer.in.channels * layer.stride.area());
}

/// The loops of a kernel that sums over all input channels at once.
template <class Target>
constexpr tile_loops whole_sum_loops(const conv2d_key& key, tiling tile, extent map, std::int64_t weight_bytes, int input_bytes) {
    schedule_options by = key.schedule;
    by.inputs = by_rule;
    return scheduled_loops<Target>(by, tile, map, key.layer.group_out(), block_pixels_of<Target>(key.layer, tile, weight_bytes, input_bytes));
}

/// Sums over the window in place, without a transformed or rearranged input. Any kernel, stride and dilation; groups of more than one channel.
struct direct {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "direct";
    static constexpr bool runs_any_format = true;

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer, const schedule_options& schedule = {}) {
        if (layer.depthwise()) return "direct: in a depthwise layer each channel is a sum of its own, which leaves one lane of a vector busy";
        if (layer.gated && (layer.kernel != extent(1) || layer.groups != 1)) return "direct: a gated layer has a 1x1 window and one group";
        return tiled_schedule_refusal<Target>(layer, schedule);
    }

    template <conv2d_key Key, class Format, class Target>
    struct kernel;

    template <conv2d_key Key, class Target>
    struct kernel<Key, f32, Target> {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr shape out = layer.out();
        static constexpr extent map = tiled_map(Key);
        static constexpr tiling tile = scheduled_tile<Target>(Key.schedule, map, layer.group_out());
        static constexpr int block_pixels = block_pixels_of<Target>(layer, tile, 4 * layer.filter_elements() / layer.groups, 4);
        /// Where weights lead: input channels that are summed for all tiles before the next ones, so that two panels of weights fit the
        /// second-level cache with room to spare and, if that leaves enough of them, the map's channels the first-level one.
        static constexpr int block_inputs = [] {
            const bool even = map.height % tile.rows == 0 && map.width % tile.columns == 0;
            if (!even) return layer.group_in();
            const int pixels = (layer.in.height + layer.padding.top + layer.padding.bottom) * (layer.in.width + layer.padding.left + layer.padding.right);
            const int panel_row = tile.vectors * Target::vector_bytes * layer.kernel.area();
            for (int inputs = 256; inputs >= 64; inputs /= 2)
                if (inputs < layer.group_in() && 4 * pixels * inputs <= Target::l1_bytes * 3 / 2) return inputs;
            int inputs = layer.group_in();
            while (inputs > 64 && inputs * panel_row > Target::l2_bytes / 4) inputs = (inputs + 1) / 2;
            return inputs;
        }();
        static constexpr tile_loops loops = [] {
            tile_loops stated = scheduled_loops<Target>(Key.schedule, tile, map, layer.group_out(), block_pixels);
            if (Key.schedule.inputs == by_rule && Key.schedule.tile.rows == 0 && block_pixels == out.pixels()) stated.block_inputs = block_inputs;
            return stated;
        }();
        static constexpr panel_layout panels = {float_lanes<Target>, tile.vectors, term_order::rows_columns_channels, loops.block_inputs};
        static constexpr std::int64_t packed_elements = panels.elements(layer);
        static constexpr std::int64_t workspace_bytes = layer.gated ? 4 * packed_elements : 0;

        static constexpr tile_key key =
            layer_tile(Key, tile, {layer.stride.height * Key.in.row_stride, layer.stride.width * Key.in.pixel_stride}, window_sum(layer, Key.in));

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_panels<Target>(layer, panels, filter, bias, packed);
        }

        static void run(const kernel_arguments& a) {
            using gemm = tiled_gemm<key, loops, Target>;
            const tile_share share = gemm::share(a.part, a.parts);
            if constexpr (layer.gated) {
                float* scaled = static_cast<float*>(a.workspace);
                const range own = share_of(layer.in.channels, a.part, a.parts);
                for (int panel = 0; panel < gemm::panels; ++panel)
                    scale_panel(static_cast<const float*>(a.weights), static_cast<const float*>(a.gate), panel, own, scaled);
                a.meet();
                gemm::run(first_window<Key>(a), scaled, static_cast<const float*>(a.second), static_cast<float*>(a.output), share);
            } else {
                for_each_group<Key>(a, packed_elements, [&](const float* in, const float* weights, const float* residual, float* output) {
                    gemm::run(in, weights, residual, output, share);
                });
            }
        }

    private:
        /// A gate scales the weights of its channel, of which there are fewer than pixels.
        static void scale_panel(const float* weights, const float* gate, int panel, range inputs, float* scaled) {
            using vector = simd<float, Target>;
            constexpr int all = ceil_divide(layer.channels, vector::lanes);
            const std::int64_t first = std::int64_t{panel} * tile.vectors * vector::lanes * (1 + layer.in.channels);
            const int vectors = (panel + 1) * tile.vectors <= all ? tile.vectors : all - panel * tile.vectors;
            const int width = vectors * vector::lanes;
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

    /// Half-precision maps are widened first, once; weights as they are loaded.
    template <conv2d_key Key, half_weights Format, class Target>
    struct kernel<Key, Format, Target> {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr bool widens = Key.in.type != element::f32;
        static constexpr int map_rows = layer.in.height + layer.padding.top + layer.padding.bottom;
        static constexpr int row_elements = (layer.in.width + layer.padding.left + layer.padding.right - 1) * Key.in.pixel_stride + layer.in.channels;
        static constexpr placement in = widens ? placement{Key.in.row_stride, Key.in.pixel_stride} : Key.in;
        static constexpr conv2d_key widened = {layer, in, Key.out, Key.residual, Key.schedule};
        static constexpr extent map = tiled_map(widened);
        static constexpr tiling tile = scheduled_tile<Target>(Key.schedule, map, layer.group_out());
        static constexpr tile_loops loops =
            whole_sum_loops<Target>(Key, tile, map, element_bytes(Format::weights) * layer.filter_elements() / layer.groups, 4);
        static constexpr panel_layout panels = {float_lanes<Target>, tile.vectors};
        static constexpr std::int64_t packed_elements = panels.elements(layer, element_bytes(Format::weights));
        static constexpr bool shares_workspace = true;
        static constexpr std::int64_t workspace_bytes =
            widens ? std::int64_t{4} * ((map_rows - 1) * in.row_stride + row_elements) : 0;
        static constexpr tile_key key = [] {
            tile_key k = layer_tile(widened, tile, {layer.stride.height * in.row_stride, layer.stride.width * in.pixel_stride},
                                    window_sum(layer, in));
            k.weights = Format::weights;
            return k;
        }();

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_panels<Target, Format::weights>(layer, panels, filter, bias, packed);
        }

        static void run(const kernel_arguments& a) {
            using gemm = tiled_gemm<key, loops, Target>;
            const float* first;
            if constexpr (widens) {
                const auto* from = first_window<Key>(a);
                float* to = static_cast<float*>(a.workspace);
                const range rows = share_of(map_rows, a.part, a.parts);
                for (int row = rows.begin; row < rows.end; ++row)
                    for_each_vector<row_elements, simd<float, Target>>([&]<int Lanes>(int at) {
                        const std::int64_t element = std::int64_t{row} * in.row_stride + at;
                        store_elements<Lanes, Target>(to + element, load_elements<Lanes, Target>(from + element));
                    });
                a.meet();
                first = to;
            } else {
                first = first_window<Key>(a);
            }
            const tile_share share = gemm::share(a.part, a.parts);
            const auto* residual = static_cast<const typename gemm::second*>(a.second);
            auto* output = static_cast<typename gemm::output*>(a.output);
            for (int group = 0; group < layer.groups; ++group) {
                gemm::run(first + group * layer.group_in(),
                          reinterpret_cast<const typename gemm::weight*>(static_cast<const float*>(a.weights) + group * (packed_elements / layer.groups)),
                          layer.residual ? residual + group * layer.group_out() : nullptr, output + group * layer.group_out(), share);
            }
        }
    };

    /// Weights alone have few bits: they become floats as they are loaded.
    template <conv2d_key Key, scaled_format Format, class Target>
    struct kernel<Key, Format, Target> {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr extent map = tiled_map(Key);
        static constexpr tiling tile = scheduled_tile<Target>(Key.schedule, map, layer.group_out());
        static constexpr tile_key key = [] {
            tile_key k = layer_tile(Key, tile, {layer.stride.height * Key.in.row_stride, layer.stride.width * Key.in.pixel_stride},
                                    window_sum(layer, Key.in).merged());
            k.weights = element::s8;
            k.weight_bits = Format::scaled_bits;
            k.scale_group = Format::group;
            return k;
        }();
        static constexpr scaled_panels panels = {float_lanes<Target>, tile.vectors, Format::scaled_bits, Format::group, key.sum};
        static constexpr std::int64_t group_bytes = panels.bytes(layer.group_out());
        static constexpr std::int64_t packed_elements = layer.groups * group_bytes / 4;
        static constexpr std::int64_t workspace_bytes = 0;
        static constexpr tile_loops loops = whole_sum_loops<Target>(Key, tile, map, group_bytes, 4);

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_scaled_panels<Target>(layer, panels, filter, bias, reinterpret_cast<std::byte*>(packed));
        }
        static void run(const kernel_arguments& a) {
            using gemm = tiled_gemm<key, loops, Target>;
            const tile_share share = gemm::share(a.part, a.parts);
            for_each_group<Key>(a, packed_elements, [&](const auto* in, const float* weights, const auto* residual, auto* out) {
                gemm::run(in, reinterpret_cast<const std::int8_t*>(weights), residual, out, share);
            });
        }
    };

    template <conv2d_key Key, class Target>
    struct kernel<Key, binary, Target> : binary_convolution<Key, Target> {};

    /// Sums of dot products of feature maps where they lie, of bytes or of bf16.
    template <conv2d_key Key, element Weights, int WeightBits, class Target>
    struct dot_kernel {
        static constexpr conv2d_layer layer = Key.layer;
        static constexpr extent map = tiled_map(Key);
        static constexpr bool integers = is_quantized(Key.in.type);
        static constexpr reduction sum = window_sum(layer, Key.in).merged();
        static constexpr tiling tile =
            Key.schedule.tile.rows > 0 ? Key.schedule.tile : choose_dots<Target>(map, layer.group_out(), sum, dot_bytes / element_bytes(Key.in.type));
        static constexpr tile_loops loops = whole_sum_loops<Target>(
            Key, tile, map, layer.filter_elements() / layer.groups * element_bytes(Key.in.type), element_bytes(Key.in.type));
        static constexpr tile_key key = [] {
            tile_key k = layer_tile(Key, tile, {layer.stride.height * Key.in.row_stride, layer.stride.width * Key.in.pixel_stride, Key.in.type}, sum);
            k.weights = Weights;
            k.weight_bits = WeightBits;
            if (integers) k.function = activation::none;  // the bounds of the requantization say it
            return k;
        }();
        static constexpr dot_panels panels = panels_of<Target>(key);
        static constexpr std::int64_t group_bytes = panels.bytes(layer.group_out());
        static constexpr std::int64_t header_bytes = integers ? requantization_bytes : 0;
        static constexpr std::int64_t packed_elements = (header_bytes + layer.groups * group_bytes) / 4;
        static constexpr std::int64_t workspace_bytes = 0;
        using gemm = tiled_gemm<key, loops, Target>;

        static void run_groups(const kernel_arguments& a, const typename gemm::context& finish) {
            const tile_share share = gemm::share(a.part, a.parts);
            const auto* in = first_window<Key>(a);
            const auto* weights = static_cast<const std::int8_t*>(a.weights) + header_bytes;
            const auto* residual = static_cast<const typename gemm::second*>(a.second);
            auto* out = static_cast<typename gemm::output*>(a.output);
            for (int group = 0; group < layer.groups; ++group) {
                gemm::run(in, weights, residual, out, share, finish);
                in += layer.group_in();
                weights += group_bytes;
                out += layer.group_out();
                if constexpr (layer.residual) residual += layer.group_out();
            }
        }
    };

    /// Pairs of bf16 on targets that multiply them: nothing is widened.
    template <conv2d_key Key, half_weights Format, class Target>
        requires(sums_dots<Target>(Key.in.type, Format::weights))
    struct kernel<Key, Format, Target> : dot_kernel<Key, Format::weights, 16, Target> {
        using base = dot_kernel<Key, Format::weights, 16, Target>;

        static void pack(const float* filter, const float* bias, float* packed) {
            pack_bf16_panels<Target>(Key.layer, base::panels, filter, bias, reinterpret_cast<std::byte*>(packed));
        }
        static void run(const kernel_arguments& a) { base::run_groups(a, {}); }
    };

    template <conv2d_key Key, int WeightBits, int ActivationBits, class Target>
    struct kernel<Key, quantized<WeightBits, ActivationBits>, Target> : dot_kernel<Key, element::s8, WeightBits, Target> {
        using base = dot_kernel<Key, element::s8, WeightBits, Target>;

        static void pack_quantized(const quantized_parameters& parameters, float* packed) {
            pack_requantization<Target>(requantization_of<Target>(parameters, Key.in.type, Key.residual.type, Key.out.type, Key.layer.activation), packed);
            pack_integer_panels<Target>(Key.layer, base::panels, Key.in.type, Key.out.type, parameters, reinterpret_cast<std::byte*>(packed) + requantization_bytes);
        }
        static void run(const kernel_arguments& a) { base::run_groups(a, requantizer<Target>(a.weights)); }
    };
};

}  // namespace dlas
