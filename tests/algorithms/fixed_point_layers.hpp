// The layers that kernels of fixed-point scaling are tested with, and numbers for them. Freestanding: firmware computes some of them too.
#pragma once

#include <iterator>

#include <dlas/algorithms/fixed_point.hpp>
#include <dlas/algorithms/line_buffer.hpp>
#include <dlas/core/list.hpp>
#include <dlas/core/seeded_numbers.hpp>

namespace fixed_point_layers {

using dlas::activation;
using dlas::conv2d_key;
using dlas::conv2d_layer;
using dlas::scaling;

/// Layers that each stand for a way to go wrong.
inline constexpr conv2d_layer named[] = {
    // The smallest there is, and single pixels; whole maps.
    {.in = {1, 1, 1}, .channels = 1},
    {.in = {1, 1, 17}, .channels = 33, .activation = activation::relu},
    {.in = {5, 7, 3}, .channels = 10, .kernel = {5, 7}},
    {.in = {1, 1, 8}, .channels = 15, .kernel = 3, .padding = 1},
    {.in = {2, 2, 5}, .channels = 9, .kernel = 5, .padding = 2, .residual = true},
    // The first layer of MLPerf Tiny's keyword spotting.
    {.in = {25, 10, 1},
     .channels = 16,
     .kernel = {10, 4},
     .stride = 2,
     .padding = dlas::same_padding({25, 10, 1}, {10, 4}, 2),
     .activation = activation::relu},
    {.in = {6, 9, 4}, .channels = 8, .kernel = {1, 3}, .padding = {0, 1}, .residual = true},
    {.in = {9, 6, 4}, .channels = 8, .kernel = {3, 1}, .stride = {2, 1}, .padding = {1, 0}},
    // Unequal padding: TensorFlow's SAME and all four sides different.
    {.in = {8, 10, 8}, .channels = 16, .kernel = 3, .stride = 2, .padding = dlas::same_padding({8, 10, 8}, 3, 2), .activation = activation::relu6},
    {.in = {7, 5, 3}, .channels = 5, .kernel = {3, 5}, .padding = {2, 0, 1, 3}},
    // Strides that leave input behind, and a different one in each direction.
    {.in = {9, 10, 8}, .channels = 17, .stride = 2},
    {.in = {8, 11, 5}, .channels = 7, .kernel = 2, .stride = 3},
    {.in = {8, 9, 16}, .channels = 12, .kernel = 3, .stride = {1, 2}, .padding = 1, .activation = activation::relu6, .residual = true},
    // Dilation.
    {.in = {13, 12, 4}, .channels = 5, .kernel = 3, .dilation = 2, .padding = 2, .activation = activation::relu, .residual = true},
    {.in = {11, 10, 4}, .channels = 6, .kernel = {3, 2}, .stride = {2, 1}, .dilation = {2, 3}, .padding = {1, 2}},
    // Groups.
    {.in = {7, 6, 12}, .channels = 10, .kernel = 3, .padding = 1, .groups = 2},
    {.in = {6, 5, 16}, .channels = 20, .kernel = 2, .stride = 2, .groups = 2, .activation = activation::relu},
    {.in = {5, 5, 34}, .channels = 66, .groups = 2, .activation = activation::relu6, .residual = true},
    {.in = {6, 6, 8}, .channels = 16, .kernel = 3, .padding = 1, .groups = 8},
    // Rows of 1x1 windows that are cut anew; more channels than a tile has, with and without a rest.
    {.in = {6, 7, 16}, .channels = 31, .activation = activation::relu, .residual = true},
    {.in = {11, 13, 33}, .channels = 8, .residual = true},
    {.in = {3, 19, 32}, .channels = 24, .kernel = 3, .padding = 1, .activation = activation::relu, .residual = true},
    // An output larger than its input: it has to begin well before that.
    {.in = {9, 7, 2}, .channels = 33, .kernel = 3, .padding = 1},
    {.in = {4, 4, 3}, .channels = 4, .padding = 2, .activation = activation::relu},
    // Depthwise.
    {.in = {7, 7, 3}, .channels = 3, .kernel = 3, .padding = 1, .groups = 3},
    {.in = {1, 1, 8}, .channels = 8, .kernel = 3, .padding = 1, .groups = 8, .activation = activation::relu},
    {.in = {9, 8, 16},
     .channels = 16,
     .kernel = 3,
     .stride = 2,
     .padding = dlas::same_padding({9, 8, 16}, 3, 2),
     .groups = 16,
     .activation = activation::relu6},
    {.in = {6, 7, 33}, .channels = 33, .kernel = 5, .padding = 2, .groups = 33, .activation = activation::relu6, .residual = true},
    {.in = {9, 9, 17}, .channels = 17, .kernel = 3, .dilation = 2, .padding = 2, .groups = 17, .residual = true},
    {.in = {8, 13, 4}, .channels = 4, .kernel = 3, .stride = {1, 3}, .dilation = {1, 2}, .padding = {0, 2}, .groups = 4},
    {.in = {3, 23, 5}, .channels = 5, .kernel = {1, 3}, .padding = {0, 1}, .groups = 5},
    {.in = {12, 6, 2}, .channels = 2, .kernel = {10, 4}, .stride = 2, .padding = {4, 5, 1, 1}, .groups = 2},
    {.in = {4, 5, 15}, .channels = 15, .groups = 15, .activation = activation::relu, .residual = true},
};

inline constexpr int generated_count = 20;

/// Combinations that nobody chose.
constexpr conv2d_layer generated(int index) {
    constexpr int channels[] = {1, 2, 3, 4, 5, 8, 16, 17, 33};
    constexpr int sizes[] = {1, 2, 3, 4, 5, 7, 9, 13};
    constexpr dlas::extent kernels[] = {1, 1, 2, 3, 3, 3, 5, {1, 3}, {3, 1}};
    dlas::seeded_numbers random(static_cast<std::uint64_t>(index) + 100);
    auto draw = [&random](int below) { return static_cast<int>(random.bits() % static_cast<unsigned>(below)); };
    auto size_of_input = [&draw](int outputs, int stride, int reach, int padding) {
        const int size = (outputs - 1) * stride + reach + draw(stride) - padding, least = reach - padding < 1 ? 1 : reach - padding;
        return size < least ? least : size;
    };
    conv2d_layer layer;
    const bool depthwise = draw(3) == 0;
    layer.in.channels = channels[index % 9];
    layer.channels = depthwise ? layer.in.channels : channels[(index * 4 + 7) % 9];
    layer.groups = depthwise ? layer.in.channels : 1;
    layer.kernel = kernels[draw(9)];
    layer.stride = {1 + draw(3) * draw(2), 1 + draw(3) * draw(2)};
    layer.dilation = draw(4) == 0 ? 2 : 1;
    if (draw(3) != 0) layer.padding = {draw(3), draw(3), draw(3), draw(3)};
    layer.in.height = size_of_input(sizes[draw(8)], layer.stride.height, layer.reach().height, layer.padding.top + layer.padding.bottom);
    layer.in.width = size_of_input(sizes[draw(8)], layer.stride.width, layer.reach().width, layer.padding.left + layer.padding.right);
    layer.activation = static_cast<activation>(draw(3));
    layer.residual = draw(2) == 0;
    return layer;
}

/// A layer, the bits of its weights, its scaling and where its maps lie.
struct fixed_layer {
    conv2d_key key;
    int weight_bits = 8;
    scaling way = scaling::fixed_once;
};

/// `gap` bytes of others between pixels and `margin` pixels of others between rows.
constexpr fixed_layer placed(const conv2d_layer& layer, int weight_bits, scaling way, int gap, int margin) {
    const dlas::shape out = layer.out();
    auto place = [](int width, int pixel) { return dlas::placement{width * pixel, pixel, dlas::element::s8}; };
    return {{layer, place(layer.in.width + margin, layer.in.channels + gap), place(out.width + 2 * margin, out.channels + gap / 2),
             layer.residual ? place(out.width + margin, out.channels + 2 * gap) : dlas::placement{0, 0, dlas::element::s8}},
            weight_bits, way};
}

/// Named layers by all scalings; of bytes mostly, without gaps mostly.
inline constexpr auto layers = [] {
    dlas::list<fixed_layer, 3 * static_cast<int>(std::size(named)) + generated_count + generated_count / 2> all;
    // Out of step with the shares of the cases that targets run.
    auto bits = [](int index) { return index % 7 == 2 || index % 7 == 5 ? 4 : index % 11 == 5 ? 2 : index % 13 == 3 ? 7 : index % 13 == 8 ? 3 : 8; };
    auto add = [&](const conv2d_layer& layer, scaling way) {
        const int i = all.size();
        all.push(placed(layer, bits(i), way, i % 5 == 1 ? 3 : 0, i % 5 < 2 ? i / 5 % 3 : 0));
    };
    for (const conv2d_layer& layer : named) add(layer, scaling::fixed_once);
    for (const conv2d_layer& layer : named) add(layer, scaling::fixed_twice);
    for (int i = 0; i < generated_count; ++i) add(generated(i), i % 2 == 0 ? scaling::fixed_once : scaling::fixed_twice);
    for (const conv2d_layer& layer : named) add(layer, scaling::power_of_two);
    for (int i = 1; i < generated_count; i += 2) add(generated(i), scaling::power_of_two);
    return all;
}();

/// What a layer's numbers are.
enum class numbers {
    ordinary,      ///< outputs of their whole range
    extreme,       ///< the ends of all ranges
    lowest,        ///< all inputs and weights as low as they can be
    opposite,      ///< all inputs low, all weights high
    large_scales,  ///< a sum is multiplied by more than 1, or by 1 where it is shifted to the right
    small_scales,  ///< by less than 2^-24, or 2^-14 where it is shifted
    one_product,   ///< the product of the scales is given
};
inline constexpr numbers all_numbers[] = {numbers::ordinary, numbers::extreme, numbers::lowest, numbers::opposite,
                                          numbers::large_scales, numbers::small_scales, numbers::one_product};

/// Writes the numbers of a layer: input, residual (both dense), filter, biases and scales of filters. Every seventh channel has no weights, and a
/// bias of any 32 bits. Returns the parameters, which refer to them.
inline dlas::quantized_parameters make_numbers(const fixed_layer& l, numbers kind, std::uint64_t seed, std::int8_t* input, std::int8_t* residual,
                                               std::int8_t* filter, std::int32_t* bias, float* scales) {
    const conv2d_layer& layer = l.key.layer;
    dlas::seeded_numbers random(seed);
    auto draw = [&random](int low, int high) { return low + static_cast<int>(random.bits() % static_cast<unsigned>(high - low + 1)); };
    auto fill = [&](std::int8_t* to, std::int64_t count, int low, int high, bool only_low, bool only_high) {
        for (std::int64_t i = 0; i < count; ++i)
            to[i] = static_cast<std::int8_t>(only_low ? low : only_high ? high : kind == numbers::extreme ? (draw(0, 7) == 0 ? low : high) : draw(low, high));
    };
    const int largest = (1 << (l.weight_bits - 1)) - 1, terms = layer.group_in() * layer.kernel.area();
    fill(input, layer.in.elements(), -128, 127, kind == numbers::lowest || kind == numbers::opposite, false);
    fill(filter, layer.filter_elements(), -largest - 1, largest, kind == numbers::lowest, kind == numbers::opposite);
    if (layer.residual) fill(residual, layer.out().elements(), -128, 127, false, false);

    dlas::quantized_parameters p;
    p.filter = filter;
    p.bias = bias;
    p.filter_scales = scales;
    constexpr int zeros[] = {-128, -7, 0, 11, 127};
    constexpr float of_output[] = {0.05f, 0.02f, 0.3f, 0.0078125f};
    p.input = {0.02f, zeros[draw(0, 4)]};
    const bool shifts = l.way == scaling::power_of_two;
    auto power_below = [](double x) {
        double power = 1;
        while (power > x) power /= 2;
        return power;
    };
    if (shifts) p.input.scale = 0x1p-6f;
    p.output = {of_output[draw(0, 3)], zeros[draw(0, 4)]};
    if (shifts) p.output.scale = static_cast<float>(power_below(double{p.output.scale}));
    p.second = {p.output.scale * static_cast<float>(random.between(0.2, 2.0)), zeros[draw(0, 4)]};
    p.sum = {p.output.scale * static_cast<float>(random.between(0.4, 1.6)), zeros[draw(0, 4)]};
    if (shifts) p.second.scale = 2 * static_cast<float>(power_below(double{p.second.scale}));

    // The scaled sum's unit, and what it is to be multiplied by. Kernels take sums below 2^29 once they are shifted to the left.
    const bool added_once = layer.residual && l.way == scaling::fixed_once;
    const float scale_of_unit = added_once || shifts || !layer.residual ? p.output.scale : p.sum.scale;
    const double unit = added_once ? double{scale_of_unit} / 64 : double{scale_of_unit};
    double deviation = 1;
    while (deviation * deviation < terms) deviation += 1;
    deviation *= 43.0 * (largest + 0.5);
    const double most = 0x1p27 / (terms * 255.0 * (largest + 1) + 3 * deviation);
    for (int channel = 0; channel < layer.channels; ++channel) {
        double factor = 40 / deviation * random.between(0.3, 3) * (added_once ? 64 : 1);
        int limit = static_cast<int>(deviation);
        if (kind == numbers::large_scales) factor = random.between(1, 40);
        if (kind == numbers::small_scales) {
            factor = random.between(0x1p-27, 0x1p-24) * (added_once ? 64 : 1);
            limit = 1 << 26;
        }
        if (shifts && kind == numbers::small_scales) {
            factor = random.between(0x1p-17, 0x1p-14);
            limit = 1 << 22;
        }
        if (factor > most) factor = most;
        if (shifts) {
            const double of_residual = layer.residual ? double{p.second.scale} / double{p.output.scale} : 1;
            factor = power_below(factor < of_residual ? factor : of_residual);
        }
        scales[channel] = static_cast<float>(factor * unit / double{p.input.scale});
        bias[channel] = draw(-limit, limit);
        if (kind != numbers::lowest && channel % 7 == 3) {
            __builtin_memset(filter + channel * terms, 0, static_cast<unsigned>(terms));
            bias[channel] = static_cast<std::int32_t>(static_cast<std::uint32_t>(random.bits()));
        }
    }
    if (kind == numbers::one_product) p.scale_product = p.input.scale * scales[0];
    return p;
}

/// A kernel as plain data.
struct fixed_kernel {
    fixed_layer layer;
    std::int64_t weight_bytes = 0;
    std::int64_t workspace_bytes = 0;
    std::int64_t in_place_distance = 0;
    std::int64_t residual_distance = 0;
    bool begins_with_residual = true;
    void (*pack)(const dlas::quantized_parameters&, float*) = nullptr;
    void (*run)(const dlas::kernel_arguments&) = nullptr;
};

template <fixed_layer Layer, class Target>
using kernel_of = dlas::line_buffer::kernel<Layer.key, dlas::quantized<Layer.weight_bits, 8, Layer.way>, Target>;

template <fixed_layer Layer, class Target>
constexpr fixed_kernel compiled_kernel() {
    using kernel = kernel_of<Layer, Target>;
    return {Layer, kernel::packed_elements * 4, kernel::workspace_bytes, kernel::in_place_distance, kernel::residual_distance, kernel::begins_with_residual, &kernel::pack_quantized, &kernel::run};
}

}  // namespace fixed_point_layers
