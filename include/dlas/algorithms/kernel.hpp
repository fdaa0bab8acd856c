// Words that every kernel is written in: where a feature map lies, what a run is given, vectors of channels.
// Algorithms & Data Formats.
#pragma once

#include <cstdint>
#include <type_traits>

#include <dlas/algorithms/sigmoid.hpp>
#include <dlas/core/element.hpp>
#include <dlas/core/layer.hpp>
#include <dlas/hardware/simd.hpp>

namespace dlas {

/// Where the pixels of a feature map lie, in elements, and what these are.
struct placement {
    int row_stride = 0;
    int pixel_stride = 0;
    element type = element::f32;

    constexpr bool operator==(const placement&) const = default;
};

/// Pointers of one run. Feature maps point at their first pixel, inside the halo.
struct kernel_arguments {
    const void* input = nullptr;
    const void* second = nullptr;  ///< residual, or the other operand
    const void* weights = nullptr;
    void* output = nullptr;
    void* workspace = nullptr;
    const void* gate = nullptr;    ///< a scale for each input channel

    // Where several threads run one kernel: which one this is, and how all of them wait for each other.
    int part = 0;
    int parts = 1;
    std::int64_t workspace_stride = 0;  ///< bytes from a thread's own workspace to the next one's, for kernels that do not share one
    void (*wait)(void* barrier) = nullptr;
    void* barrier = nullptr;

    std::byte* own_workspace() const { return static_cast<std::byte*>(workspace) + part * workspace_stride; }
    /// Returns when all threads have come here.
    void meet() const {
        if (parts > 1) wait(barrier);
    }
};

/// What the parameters of a quantized step are packed from. Filters OIHW; a bias is an integer at input.scale * filter_scales[channel].
struct quantized_parameters {
    const std::int8_t* filter = nullptr;
    const std::int32_t* bias = nullptr;
    const float* filter_scales = nullptr;
    quantization input;
    quantization second;
    quantization output;
    float scale_product = 0;  ///< where above 0: input.scale * filter_scales[...] of every channel, as another library rounded it
    quantization sum = {};  ///< of a convolution's result before a residual is added, where scaling is by fixed-point numbers

    /// Times which a channel's sums become outputs of a type, in units of its scale if it has one.
    [[gnu::always_inline]] float multiplier(int channel, element out) const {
        return input.scale * filter_scales[channel] / (is_quantized(out) ? output.scale : 1.0f);
    }
};

/// A block of input channels that holds them all.
inline constexpr int all_channels = 1 << 30;

/// A half-open range of indices.
struct range {
    int begin = 0;
    int end = 0;
};

/// The share of one of several threads in `count` pieces of work.
constexpr range share_of(int count, int part, int parts) {
    return parts == 1 ? range{0, count} : range{count * part / parts, count * (part + 1) / parts};
}

/// The function of a vector, as reference::activated() defines it. Bounds are read where this is made: behind a kernel's sums.
template <activation Function, class Simd>
class activation_function {
    using batch = typename Simd::batch;
    struct nothing {};
    struct both_bounds {
        static constexpr float constants[] = {0.0f, 6.0f};
        const float* from = kept_in_memory(constants);
        batch lower = Simd::broadcast(from[0]), upper = Simd::broadcast(from[1]);
    };
    static constexpr bool bounded = Function == activation::relu || Function == activation::relu6;
    std::conditional_t<bounded, both_bounds, nothing> bounds = {};

public:
    [[gnu::always_inline]] batch operator()(batch x) const {
        if constexpr (bounded) x = Simd::max(x, bounds.lower);
        if constexpr (Function == activation::relu6) x = Simd::min(x, bounds.upper);
        if constexpr (Function == activation::silu) x = silu<Simd>(x);
        if constexpr (Function == activation::sigmoid) x = sigmoid<Simd>(x);
        return x;
    }
};

/// The first Lanes lanes from memory; touches nothing beyond them.
template <int Lanes, class Simd>
[[gnu::always_inline]] inline typename Simd::batch load_lanes(const float* from) {
    if constexpr (Lanes == Simd::lanes) return Simd::load(from);
    else return Simd::template load_first<Lanes>(from);
}
template <int Lanes, class Simd>
[[gnu::always_inline]] inline void store_lanes(float* to, typename Simd::batch value) {
    if constexpr (Lanes == Simd::lanes) Simd::store(to, value);
    else Simd::template store_first<Lanes>(to, value);
}

/// The same where the elements may be others: the vector holds what is stored, as floats.
template <int Lanes, class Target>
[[gnu::always_inline]] inline auto load_elements(const float* from) {
    return load_lanes<Lanes, simd<float, Target>>(from);
}
template <int Lanes, class Target>
[[gnu::always_inline]] inline auto load_elements(const typename simd<std::int8_t, Target>::byte* from) {
    return simd<std::int8_t, Target>::template load_bytes<Lanes>(from);
}
template <int Lanes, class Target>
[[gnu::always_inline]] inline auto load_elements(const std::int16_t* from) {
    return simd<std::int16_t, Target>::template load_reals<Lanes>(from);
}
template <int Lanes, class Target>
[[gnu::always_inline]] inline void store_elements(std::int16_t* to, typename simd<float, Target>::batch stored) {
    simd<std::int16_t, Target>::template store_reals<Lanes>(to, stored);
}
/// Signed bytes on targets whose instructions want them without a sign: networks scaled by fixed-point numbers have the same on all.
template <class Target>
concept unsigned_bytes = Target::quantized_element == element::u8;
template <int Lanes, class Target>
    requires unsigned_bytes<Target>
[[gnu::always_inline]] inline auto load_elements(const std::int8_t* from) {
    using vector = simd<float, Target>;
    std::uint8_t bytes[Lanes];
    for (int i = 0; i < Lanes; ++i) bytes[i] = static_cast<std::uint8_t>(from[i] + 128);
    return vector::subtract(simd<std::int8_t, Target>::template load_bytes<Lanes>(bytes), vector::broadcast(128.0f));
}
template <int Lanes, class Target>
    requires unsigned_bytes<Target>
[[gnu::always_inline]] inline void store_signed_bytes(std::int8_t* to, typename simd<float, Target>::batch x, std::int32_t zero) {
    std::uint8_t bytes[Lanes];
    simd<std::int8_t, Target>::template store_bytes<Lanes>(bytes, x, zero + 128);
    for (int i = 0; i < Lanes; ++i) to[i] = static_cast<std::int8_t>(bytes[i] - 128);
}

template <int Lanes, class Target, class Half>
    requires requires { &simd<Half, Target>::template load<Lanes>; }
[[gnu::always_inline]] inline auto load_elements(const Half* from) {
    return simd<Half, Target>::template load<Lanes>(from);
}
template <int Lanes, class Target, class Half>
    requires requires { &simd<Half, Target>::template store<Lanes>; }
[[gnu::always_inline]] inline void store_elements(Half* to, typename simd<float, Target>::batch x) {
    simd<Half, Target>::template store<Lanes>(to, x);
}
template <int Lanes, class Target>
[[gnu::always_inline]] inline void store_elements(float* to, typename simd<float, Target>::batch stored) {
    store_lanes<Lanes, simd<float, Target>>(to, stored);
}
template <int Lanes, class Target>
[[gnu::always_inline]] inline void store_elements(typename simd<std::int8_t, Target>::byte* to, typename simd<float, Target>::batch stored) {
    simd<std::int8_t, Target>::template store_bytes<Lanes>(to, stored, 0);
}
template <int Lanes, class Target>
    requires unsigned_bytes<Target>
[[gnu::always_inline]] inline void store_elements(std::int8_t* to, typename simd<float, Target>::batch stored) {
    store_signed_bytes<Lanes, Target>(to, stored, 0);
}

/// Visits indices as constants: visit.template operator()<0>() and so on.
template <int Count, int First = 0>
[[gnu::always_inline]] inline void for_each_index(auto visit) {
    visit.template operator()<First>();
    if constexpr (First + 1 < Count) for_each_index<Count, First + 1>(visit);
}

/// Visits the channels of a pixel vector by vector: visit.template operator()<Lanes>(first channel), whole vectors first.
template <int Channels, class Simd, class Visit>
[[gnu::always_inline]] inline void for_each_vector(Visit visit) {
    constexpr int whole = Channels / Simd::lanes * Simd::lanes;
    for (int channel = 0; channel < whole; channel += Simd::lanes) visit.template operator()<Simd::lanes>(channel);
    if constexpr (whole < Channels) visit.template operator()<Channels - whole>(whole);
}
/// The same for some of those vectors.
template <int Channels, class Simd, class Visit>
[[gnu::always_inline]] inline void for_each_vector(range vectors, Visit visit) {
    constexpr int whole = Channels / Simd::lanes;
    for (int v = vectors.begin; v < vectors.end && v < whole; ++v) visit.template operator()<Simd::lanes>(v * Simd::lanes);
    if constexpr (Channels % Simd::lanes != 0)
        if (vectors.begin <= whole && vectors.end > whole) visit.template operator()<Channels % Simd::lanes>(whole * Simd::lanes);
}

}  // namespace dlas
