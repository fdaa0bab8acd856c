// A compiled network as plain data: kernels by address, buffers by offset, parameters by name. Systems Software.
// This is what crosses from a unit compiled for one ISA to the rest of a program, which needs none of its flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <dlas/algorithms/requantize.hpp>
#include <dlas/core/scaling.hpp>
#include <dlas/systems/program.hpp>

namespace dlas {

/// Goes up with every change of how weights are packed that the numbers in a fingerprint do not show.
inline constexpr std::uint64_t packing_version = 5;

/// The zeros (or zero points) around a feature map: written before its first step, for its memory may have been another's.
struct halo_fill {
    std::int64_t offset = 0;       ///< bytes from the start of the arena
    int rows = 0;                  ///< of the map; 0 where there is no halo
    std::int64_t top_bytes = 0;
    std::int64_t left_bytes = 0;
    std::int64_t row_bytes = 0;    ///< one row of the map, halo excluded
    std::int64_t right_bytes = 0;
    std::int64_t bottom_bytes = 0;
};

/// One kernel call and where its parameters come from. Offsets are bytes into the arena or the packed weights.
struct executable_step {
    void (*run)(const kernel_arguments&) = nullptr;  ///< null where a later step runs this one too
    std::int64_t input = -1;  ///< -1: the caller's image
    std::int64_t second = -1;
    std::int64_t gate = -1;
    std::int64_t output = 0;
    std::int64_t workspace = 0;
    std::int64_t workspace_stride = 0;  ///< to the next thread's own
    std::int64_t weights = 0;      ///< the step's own
    std::int64_t run_weights = 0;  ///< those of the first step that runs with it
    halo_fill halo;

    step_kind kind = step_kind::copy;
    std::string_view layer;       ///< name of the parameters; empty where there are none
    std::string_view algorithm;   ///< of a convolution
    conv2d_layer conv;
    pool2d_layer pool;
    dlas::activation activation = dlas::activation::none;
    std::int64_t workspace_bytes = 0;

    void (*pack)(const float* filter, const float* bias, float* packed) = nullptr;
    void (*pack_quantized)(const quantized_parameters&, float* packed) = nullptr;  ///< where any of its maps is quantized
    std::int64_t weight_bytes = 0;  ///< packed
    std::string_view batch_norm;  ///< folded, or, for an affine step, what it applies
    float epsilon = 0;
    int channels = 0;
    bool bias = false;
    bool linear = false;          ///< the filter is stored as a matrix

    // The maps that a step touches: numbers from 0 below executable::maps, the same for all plans of a model. Slices of one map share one.
    int input_map = -1;
    int second_map = -1;
    int gate_map = -1;
    int output_map = -1;
    placement input_place;
    shape output_shape;
    placement output_place;
    int weight_bits = 32;
    bool keeps_scale = false;     ///< integers go through it unchanged, or their averages
    bool scales_result = false;   ///< a convolution's result has a scale of its own before a residual is added

    /// Whether `run` runs this step and no other.
    constexpr bool runs_alone() const { return run != nullptr && run_weights == weights; }
};

/// Why a target's code cannot run here; empty where it can.
template <class Target>
std::string_view unavailable_because() {
    if constexpr (requires { Target::unavailable_because(); }) return Target::unavailable_because();
    else return Target::available() ? std::string_view() : "this CPU lacks it";
}

/// A network compiled for one plan.
struct executable {
    std::string_view model;
    std::string_view plan;
    std::string_view target;
    shape input;
    shape output;
    std::int64_t arena_bytes = 0;
    std::int64_t weight_bytes = 0;  ///< packed
    std::int64_t parameters = 0;
    std::int64_t macs = 0;
    std::int64_t output_offset = 0;
    std::span<const executable_step> steps;
    std::string_view (*unavailable_because)() = nullptr;  ///< why the target cannot run here; empty where it can
    bool quantized = false;         ///< whether any step needs scales: quantize() finds them (systems/quantize.hpp)
    int threads = 1;                ///< the most that may run it together (systems/thread_pool.hpp)
    int maps = 0;
    element image_type = element::f32;   ///< s8: signed bytes that stand for what the file's first map says
    element output_type = element::f32;
    std::uint64_t fingerprint = 0;       ///< of all that packed weights depend on: equal where they fit
    dlas::scaling scaling = dlas::scaling::real;  ///< of its integers

    bool available() const { return unavailable_because().empty(); }
    /// Whether its integers have 16 bits, not 8.
    constexpr bool has_16_bits() const {
        for (const executable_step& step : steps)
            if (step.input_place.type == element::s16 || step.output_place.type == element::s16) return true;
        return false;
    }
};

/// Fills the bytes of a halo.
inline void fill_halo(const halo_fill& h, std::int32_t value, std::byte* arena) {
    std::byte* at = arena + h.offset;
    auto fill = [&at, value](std::int64_t bytes) {
        __builtin_memset(at, value, static_cast<std::size_t>(bytes));
        at += bytes;
    };
    fill(h.top_bytes);
    for (int row = 0; row < h.rows; ++row) {
        fill(h.left_bytes);
        at += h.row_bytes;
        fill(h.right_bytes);
    }
    fill(h.bottom_bytes);
}

/// What the halo of a step's output is filled with: 0, or the zero point that stands before the step's parameters.
inline std::int32_t halo_value(element type, const std::byte* weights) {
    return is_quantized(type) ? reinterpret_cast<const requantization*>(weights)->zero : 0;
}

/// Writes the halo of a step's output, if this is the first step to touch it.
inline void fill_halo(const executable_step& step, const std::byte* weights, std::byte* arena) {
    if (step.halo.rows > 0) fill_halo(step.halo, halo_value(step.output_place.type, weights + step.weights), arena);
}

/// The pointers that a step's kernel is given.
inline kernel_arguments arguments_of(const executable_step& step, const void* image, const std::byte* weights, std::byte* arena) {
    return {step.input < 0 ? image : arena + step.input, step.second < 0 ? nullptr : arena + step.second,
            weights + step.run_weights, arena + step.output, arena + step.workspace, step.gate < 0 ? nullptr : arena + step.gate,
            0, 1, step.workspace_stride};
}

/// Runs a network: `image` NHWC, of code.image_type, `weights` packed for this executable, both it and `arena` aligned to 64 bytes.
/// The result, of code.output_type, lies in the arena until the next run.
inline const std::byte* run_steps(const executable& code, const void* image, const std::byte* weights, std::byte* arena) {
    for (const executable_step& step : code.steps) {
        if (step.run == nullptr) continue;
        fill_halo(step, weights, arena);
        step.run(arguments_of(step, image, weights, arena));
    }
    return arena + code.output_offset;
}

/// The same where image and output are floats; null where they are not.
inline const float* run(const executable& code, const float* image, const std::byte* weights, std::byte* arena) {
    if (code.image_type != element::f32 || code.output_type != element::f32) return nullptr;
    return reinterpret_cast<const float*>(run_steps(code, image, weights, arena));
}
/// The same where both are integers; null where they are not.
inline const std::int8_t* run(const executable& code, const std::int8_t* image, const std::byte* weights, std::byte* arena) {
    if (code.image_type != element::s8 || code.output_type != element::s8) return nullptr;
    return reinterpret_cast<const std::int8_t*>(run_steps(code, image, weights, arena));
}

}  // namespace dlas
