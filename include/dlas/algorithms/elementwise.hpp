// Maps between feature maps of one shape: copy, addition, gate, scale and shift, activation. Algorithms & Data Formats.
// The passes fuse most of them into convolutions; these kernels run what is left.
#pragma once

#include <dlas/algorithms/kernel.hpp>

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
    static constexpr int columns = gapless ? 1 : Key.map.width;
    static constexpr int channels = gapless ? Key.map.channels * Key.map.width : Key.map.channels;

    static void run(const kernel_arguments& a) {
        const range rows = share_of(Key.map.height, a.part, a.parts);
        for (int row = rows.begin; row < rows.end; ++row)
            for (int column = 0; column < columns; ++column) {
                const float* in = static_cast<const float*>(a.input) + row * Key.in.row_stride + column * Key.in.pixel_stride;
                const float* second = static_cast<const float*>(a.second) + row * second_place.row_stride + column * second_place.pixel_stride;
                const float* scale = static_cast<const float*>(a.weights);
                float* out = static_cast<float*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                for_each_vector<channels, vector>([&]<int Lanes>(int channel) {
                    batch x = load_lanes<Lanes, vector>(in + channel);
                    if constexpr (Key.function == elementwise::add) x = vector::add(x, load_lanes<Lanes, vector>(second + channel));
                    if constexpr (Key.function == elementwise::multiply) x = vector::multiply(x, load_lanes<Lanes, vector>(second + channel));
                    if constexpr (Key.function == elementwise::affine)
                        x = vector::multiply_add(x, load_lanes<Lanes, vector>(scale + channel),
                                                 load_lanes<Lanes, vector>(scale + Key.map.channels + channel));
                    store_lanes<Lanes, vector>(out + channel, activated<Key.activation, vector>(x));
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

/// Every stride-th pixel, with channels of zeros before and after.
template <subsample_key Key, class Target>
struct subsample_kernel {
    using vector = simd<float, Target>;

    static void run(const kernel_arguments& a) {
        const range rows = share_of(Key.out_map.height, a.part, a.parts);
        for (int row = rows.begin; row < rows.end; ++row)
            for (int column = 0; column < Key.out_map.width; ++column) {
                const float* in = static_cast<const float*>(a.input) + row * Key.stride * Key.in.row_stride + column * Key.stride * Key.in.pixel_stride;
                float* out = static_cast<float*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                for (int channel = 0; channel < Key.channels_before; ++channel) out[channel] = 0.0f;
                out += Key.channels_before;
                for_each_vector<Key.in_map.channels, vector>(
                    [&]<int Lanes>(int channel) { store_lanes<Lanes, vector>(out + channel, load_lanes<Lanes, vector>(in + channel)); });
                for (int channel = Key.in_map.channels; channel < Key.out_map.channels - Key.channels_before; ++channel) out[channel] = 0.0f;
            }
    }
};

}  // namespace dlas
