// Maps between feature maps of one shape: copy, addition, gate, scale and shift, activation. Algorithms & Data Formats.
// The passes fuse most of them into convolutions; these kernels run what is left.
#pragma once

#include <dlas/algorithms/requantize.hpp>

namespace dlas {

enum class elementwise : std::uint8_t {
    copy,
    add,       // input + second
    multiply,  // input * second[c]: `second` is a map of one pixel
    affine,    // input * weights[c] + weights[channels + c]: a batch normalization that no convolution precedes
};

struct elementwise_key {
    shape map;
    placement in;
    placement second;
    placement out;
    elementwise function = elementwise::copy;
    dlas::activation activation = activation::none;

    constexpr bool operator==(const elementwise_key&) const = default;
};

/// out = activation(function(in[, second])).
template <elementwise_key Key, class Target>
struct elementwise_kernel {
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    /// Without gaps between its pixels a row is one long pixel.
    static constexpr bool gapless = Key.function != elementwise::affine && Key.function != elementwise::multiply &&
                                    Key.in.pixel_stride == Key.map.channels && Key.out.pixel_stride == Key.map.channels &&
                                    (Key.function != elementwise::add || Key.second.pixel_stride == Key.map.channels);
    static constexpr placement second_place = Key.function == elementwise::multiply ? placement{} : Key.second;
    using input = element_type<Key.in.type>;
    using second_element = element_type<Key.second.type>;
    using output = element_type<Key.out.type>;
    /// Sums have a scale of their own, and so have copies between types: conversions.
    static constexpr bool requantizes = (is_quantized(Key.in.type) || is_quantized(Key.out.type)) &&
                                        (Key.in.type != Key.out.type || Key.function == elementwise::add);
    static_assert(!is_quantized(Key.in.type) || Key.function == elementwise::copy || Key.function == elementwise::add,
                  "[dlas] elementwise: of integers there are copies and sums");
    static constexpr int columns = gapless ? 1 : Key.map.width;
    static constexpr int channels = gapless ? Key.map.channels * Key.map.width : Key.map.channels;

    static void run(const kernel_arguments& a) {
        const range rows = share_of(Key.map.height, a.part, a.parts);
        [[maybe_unused]] const activation_function<requantizes ? activation::none : Key.activation, vector> activate;
        for (int row = rows.begin; row < rows.end; ++row)
            for (int column = 0; column < columns; ++column) {
                const input* in = static_cast<const input*>(a.input) + row * Key.in.row_stride + column * Key.in.pixel_stride;
                const second_element* second = static_cast<const second_element*>(a.second) + row * second_place.row_stride + column * second_place.pixel_stride;
                const float* scale = static_cast<const float*>(a.weights);
                output* out = static_cast<output*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                for_each_vector<channels, vector>([&]<int Lanes>(int channel) {
                    batch x = load_elements<Lanes, Target>(in + channel);
                    if constexpr (requantizes) {
                        const requantizer<Target> finish(a.weights);
                        x = finish.first(x);
                        if constexpr (Key.function == elementwise::add) x = vector::add(x, finish.second(load_elements<Lanes, Target>(second + channel)));
                        finish.template store<Lanes>(out + channel, x);
                        return;
                    }
                    if constexpr (Key.function == elementwise::add) x = vector::add(x, load_elements<Lanes, Target>(second + channel));
                    if constexpr (Key.function == elementwise::multiply) x = vector::multiply(x, load_elements<Lanes, Target>(second + channel));
                    if constexpr (Key.function == elementwise::affine)
                        x = vector::multiply_add(x, load_lanes<Lanes, vector>(scale + channel),
                                                 load_lanes<Lanes, vector>(scale + Key.map.channels + channel));
                    store_elements<Lanes, Target>(out + channel, activate(x));
                });
            }
    }
};

struct subsample_key {
    shape in_map;
    shape out_map;
    int stride = 1;
    int channels_before = 0;
    placement in;
    placement out;

    constexpr bool operator==(const subsample_key&) const = default;
};

/// Every stride-th pixel, with channels of zeros before and after. Integers keep their scale and zero point.
template <subsample_key Key, class Target>
struct subsample_kernel {
    using vector = simd<float, Target>;
    using input = element_type<Key.in.type>;
    static_assert(Key.in.type == Key.out.type, "[dlas] subsample: the output has the elements of the input");

    static void run(const kernel_arguments& a) {
        input zero = {};
        if constexpr (is_quantized(Key.in.type)) zero = static_cast<input>(static_cast<const requantization*>(a.weights)->zero);
        const range rows = share_of(Key.out_map.height, a.part, a.parts);
        for (int row = rows.begin; row < rows.end; ++row)
            for (int column = 0; column < Key.out_map.width; ++column) {
                const input* in = static_cast<const input*>(a.input) + row * Key.stride * Key.in.row_stride + column * Key.stride * Key.in.pixel_stride;
                input* out = static_cast<input*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                for (int channel = 0; channel < Key.channels_before; ++channel) out[channel] = zero;
                out += Key.channels_before;
                for_each_vector<Key.in_map.channels, vector>(
                    [&]<int Lanes>(int channel) { store_elements<Lanes, Target>(out + channel, load_elements<Lanes, Target>(in + channel)); });
                for (int channel = Key.in_map.channels; channel < Key.out_map.channels - Key.channels_before; ++channel) out[channel] = zero;
            }
    }
};

}  // namespace dlas
