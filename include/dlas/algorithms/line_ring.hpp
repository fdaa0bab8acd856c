// The rows of a feature map that a window sees, buffered: widened to what the target multiplies, with the padding of the map around them.
// Algorithms & Data Formats.
#pragma once

#include <cstdint>

#include <dlas/algorithms/convolution.hpp>
#include <dlas/algorithms/fixed_point.hpp>

namespace dlas {

/// A ring of as many rows as a window reaches over. Input rows are copied in order, each once, so that a kernel may write its output where
/// rows that are buffered stand. `Products` says what values are (byte_products, channel_products); `Slack` of them may be read beyond a row.
template <conv2d_layer Layer, placement In, class Products, int Slack>
struct line_ring {
    using value = typename Products::value;
    static constexpr int slots = Layer.reach().height;
    static constexpr int channels = Layer.in.channels;
    static constexpr int row_values = (Layer.in.width + Layer.padding.left + Layer.padding.right) * channels;
    static constexpr int slot_values = round_up(row_values + Slack, 8 / static_cast<int>(sizeof(value)));
    static constexpr std::int64_t bytes = std::int64_t{slots} * slot_values * static_cast<int>(sizeof(value));  // a multiple of 8

    /// Bytes by which an output of such rows has to begin before the input, if it is to be written over what is buffered already.
    static constexpr std::int64_t distance(std::int64_t output_row, int output_rows) {
        std::int64_t most = 0;
        for (int row = 0; row < output_rows; ++row) {
            const int buffered = row * Layer.stride.height + slots - Layer.padding.top;
            if (buffered >= Layer.in.height) break;
            const std::int64_t ahead = (row + 1) * output_row - std::int64_t{buffered} * In.row_stride;
            if (ahead > most) most = ahead;
        }
        return most;
    }

    value* lines;
    std::int32_t zero;  ///< what padding is
    int next;           ///< the first row that is not yet buffered, counted from the padding's first

    [[gnu::always_inline]] line_ring(std::byte* workspace, std::int32_t zero_point, int first_output_row)
        : lines(reinterpret_cast<value*>(workspace)), zero(zero_point), next(first_output_row * Layer.stride.height) {}

    /// Makes the rows of an output row's windows present; `rows` becomes where each of the window's rows begins. row_of(i) gives row i of the
    /// input; it is called for each row once, in order. A call of its own: kernels load what it has stored by instructions that name no memory.
    template <class RowOf>
    [[gnu::noinline]] void advance(int output_row, const value* (&rows)[Layer.kernel.height], RowOf row_of) {
        const int first = output_row * Layer.stride.height;
        if (next < first) next = first;
        for (; next < first + slots; ++next) {
            const int input_row = next - Layer.padding.top;
            if (input_row < 0 || input_row >= Layer.in.height)
                fill(slot(next), row_values);
            else
                buffer(row_of(input_row), slot(next));
        }
        for (int r = 0; r < Layer.kernel.height; ++r) rows[r] = slot(first + r * Layer.dilation.height);
    }

private:
    value* slot(int row) const { return lines + row % slots * slot_values; }

    void buffer(const std::int8_t* from, value* to) const {
        fill(to, Layer.padding.left * channels);
        to += Layer.padding.left * channels;
        if constexpr (In.pixel_stride == channels) {
            Products::widen(from, to, Layer.in.width * channels);
        } else {
            for (int column = 0; column < Layer.in.width; ++column)
                Products::widen(from + column * In.pixel_stride, to + column * channels, channels);
        }
        fill(to + Layer.in.width * channels, Layer.padding.right * channels);
    }
    void fill(value* to, int count) const {
        for (int i = 0; i < count; ++i) to[i] = static_cast<value>(zero);
    }
};

/// Where scaling rounds twice, a convolution's results are integers of their own before a residual is added to a row of them: the output must
/// not lie over the residual then.
template <conv2d_layer Layer, scaling Scaling>
inline constexpr bool adds_rows = Layer.residual && Scaling == scaling::fixed_twice;

/// Bounds narrower than those of a byte, for a row of a kernel's output.
template <conv2d_key Key, class Target>
[[gnu::always_inline]] inline void clamp_row(const fixed_parameters& f, std::int8_t* row) {
    if (f.low == -128 && f.high == 127) return;
    for (int column = 0; column < Key.layer.out().width; ++column)
        clamp_bytes<Target>(row + column * Key.out.pixel_stride, Key.layer.channels, f.low, f.high);
}

/// What the kernels from buffered rows have in common: row after row of the output, each from the rows of the input that it sees.
/// `Kernel` has key, ring, above_zero and compute_row(rows, packed, parameters, residual, to); with adds_rows that leaves the residual alone.
template <class Kernel, scaling Scaling, class Target>
struct line_layer {
    static void run(const kernel_arguments& a) {
        constexpr conv2d_key key = Kernel::key;
        constexpr conv2d_layer layer = key.layer;
        constexpr shape out = layer.out();
        using value = typename Kernel::ring::value;
        const fixed_parameters f = load_fixed_parameters<Target>(a.weights);
        const range rows = share_of(out.height, a.part, a.parts);
        typename Kernel::ring lines(a.own_workspace(), f.input_zero, rows.begin);
        const auto* input = static_cast<const std::int8_t*>(a.input);
        for (int row = rows.begin; row < rows.end; ++row) {
            const value* window[layer.kernel.height];
            lines.advance(row, window, [input](int input_row) { return input + input_row * key.in.row_stride; });
            auto* to = static_cast<std::int8_t*>(a.output) + row * key.out.row_stride;
            const std::int8_t* residual = layer.residual ? static_cast<const std::int8_t*>(a.second) + row * key.residual.row_stride : nullptr;
            if constexpr (adds_rows<layer, Scaling>) {
                Kernel::compute_row(window, a.weights, f, nullptr, to);
                constexpr bool gapless = key.residual.pixel_stride == layer.channels && key.out.pixel_stride == layer.channels;
                for (int column = 0; column < (gapless ? 1 : out.width); ++column)
                    add_bytes<Scaling, Kernel::above_zero, Target>(f, to + column * key.out.pixel_stride,
                                                                   residual + column * key.residual.pixel_stride, to + column * key.out.pixel_stride,
                                                                   gapless ? out.width * layer.channels : layer.channels);
            } else {
                Kernel::compute_row(window, a.weights, f, residual, to);
                clamp_row<key, Target>(f, to);
            }
        }
    }
};

}  // namespace dlas
