// A depthwise layer together with the layers around it, a band of rows at a time: what lies between them never leaves the
// second-level cache. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/depthwise.hpp>
#include <dlas/algorithms/direct.hpp>

namespace dlas {

/// Up to three layers in a row: [any window ->] depthwise [-> 1x1]. At least one of the neighbours is there.
struct separable_key {
    conv2d_key expand;
    conv2d_key depthwise;
    conv2d_key project;
    bool expands = false;
    bool projects = false;
    int rows = 1;  ///< output rows of the depthwise layer in a band; they divide its height

    constexpr bool operator==(const separable_key&) const = default;
};

/// The band of an expanded map slides over the map: rows that the next band needs again are moved up, new ones are computed below.
/// Parameters of the layers lie one after the other, each aligned to `Alignment` bytes.
template <separable_key Key, class Format, class Target, std::int64_t Alignment>
struct separable_kernel {
    static constexpr conv2d_layer layer = Key.depthwise.layer;
    static constexpr shape out = layer.out();
    static constexpr int channels = layer.channels;
    static constexpr int in_rows = (Key.rows - 1) * layer.stride.height + layer.kernel.height;
    static constexpr int new_rows = Key.rows * layer.stride.height;
    static constexpr int kept_rows = in_rows - new_rows;
    static constexpr int lead = kept_rows - layer.padding.top;  ///< rows of input below those that align with the band's output
    static constexpr int bands = out.height / Key.rows;
    static constexpr int in_width = layer.in.width + layer.padding.left + layer.padding.right;
    static_assert(runs_in_bands(layer) && out.height % Key.rows == 0);

    static constexpr placement expanded = {in_width * channels, channels};
    static constexpr placement filtered = Key.projects ? placement{out.width * channels, channels} : Key.depthwise.out;
    static constexpr std::int64_t expanded_bytes = Key.expands ? std::int64_t{4} * in_rows * expanded.row_stride : 0;
    static constexpr std::int64_t filtered_bytes = Key.projects ? std::int64_t{4} * Key.rows * filtered.row_stride : 0;
    static constexpr std::int64_t workspace_bytes = expanded_bytes + filtered_bytes;

    static constexpr conv2d_layer expand_layer = [] {
        conv2d_layer band = Key.expand.layer;
        band.in.height = (new_rows - 1) * band.stride.height + band.reach().height;
        band.in.width += band.padding.left + band.padding.right;
        band.padding = 0;
        return band;
    }();
    static constexpr conv2d_layer project_layer = [] {
        conv2d_layer band = Key.project.layer;
        band.in.height = Key.rows;
        return band;
    }();
    static constexpr conv2d_layer band_layer = [] {
        conv2d_layer band = layer;
        band.in = {in_rows, in_width, channels};
        band.padding = 0;
        return band;
    }();

    /// The kernels of one band.
    using expand = typename direct::kernel<conv2d_key{expand_layer, Key.expand.in, expanded, {}}, Format, Target>;
    using filter = typename depthwise::kernel<
        conv2d_key{band_layer, Key.expands ? expanded : Key.depthwise.in, filtered, Key.depthwise.residual, Key.depthwise.schedule}, Format, Target>;
    using project =
        typename direct::kernel<conv2d_key{project_layer, filtered, Key.project.out, Key.project.residual}, Format, Target>;

    static constexpr std::int64_t aligned(std::int64_t elements) { return (4 * elements + Alignment - 1) / Alignment * Alignment / 4; }

    /// `a.input` is the input of the first layer, `a.second` and `a.output` are those of the last.
    static void run(const kernel_arguments& a) {
        float* const band = reinterpret_cast<float*>(a.own_workspace());
        float* const between = band + expanded_bytes / 4;
        const float* const expand_weights = static_cast<const float*>(a.weights);
        const float* const filter_weights = expand_weights + (Key.expands ? aligned(expand::packed_elements) : 0);
        const float* const project_weights = filter_weights + aligned(filter::packed_elements);
        const float* const in = Key.expands ? first_window<Key.expand>(a) : first_window<Key.depthwise>(a);
        const float* const second = static_cast<const float*>(a.second);
        constexpr conv2d_key last = Key.projects ? Key.project : Key.depthwise;
        const range own = share_of(bands, a.part, a.parts);

        if constexpr (Key.expands) zero_sides(band);
        for (int b = own.begin; b < own.end; ++b) {
            const int first = b * new_rows;  // windows of the band begin padding.top rows above
            const float* window = in + first * Key.depthwise.in.row_stride;
            if constexpr (Key.expands) {
                auto compute = [&](int input_row, int band_row) {
                    expand::run({in + input_row * Key.expand.layer.stride.height * Key.expand.in.row_stride, nullptr, expand_weights,
                                 band + band_row * expanded.row_stride + layer.padding.left * channels, nullptr});
                };
                if (b != own.begin) {
                    __builtin_memmove(band, band + new_rows * expanded.row_stride, sizeof(float) * static_cast<unsigned>(kept_rows * expanded.row_stride));
                } else {
                    const int above = first < layer.padding.top ? layer.padding.top - first : 0;
                    const int of_map = layer.in.height - first + layer.padding.top;
                    const int wanted = kept_rows < of_map ? kept_rows : of_map;
                    zero_rows(band, 0, above);
                    for (int row = above; row < wanted; row += new_rows) {
                        // The last ones move back over known ones, as long as there are any.
                        const int at = row + new_rows <= wanted || wanted - new_rows < above ? row : wanted - new_rows;
                        compute(first - layer.padding.top + at, at);
                    }
                }
                // The last rows of the map move back over known ones; what is below them is padding.
                const int below = first + lead + new_rows - layer.in.height;
                compute(first + lead - (below > 0 ? below : 0), kept_rows - (below > 0 ? below : 0));
                if (below > 0) zero_rows(band, in_rows - below, below);
                window = band;
            }
            const int row = b * Key.rows;
            const float* added = layer.residual || Key.project.layer.residual ? second + row * last.residual.row_stride : nullptr;
            float* to = static_cast<float*>(a.output) + row * last.out.row_stride;
            filter::run({window, Key.projects ? nullptr : added, filter_weights, Key.projects ? between : to, nullptr});
            if constexpr (Key.projects) project::run({between, added, project_weights, to, nullptr});
        }
    }

private:
    static void zero_rows(float* band, int first, int rows) {
        __builtin_memset(band + first * expanded.row_stride, 0, sizeof(float) * static_cast<unsigned>(rows * expanded.row_stride));
    }
    /// The columns of padding, which no kernel writes.
    static void zero_sides(float* band) {
        for (int row = 0; row < in_rows; ++row) {
            float* at = band + row * expanded.row_stride;
            __builtin_memset(at, 0, sizeof(float) * static_cast<unsigned>(layer.padding.left * channels));
            __builtin_memset(at + (in_width - layer.padding.right) * channels, 0, sizeof(float) * static_cast<unsigned>(layer.padding.right * channels));
        }
    }
};

}  // namespace dlas
