// The vocabulary of vectors behind function pointers, so that a program of no flags can call every target's.
#pragma once

#include <dlas/hardware/targets.hpp>

#include "emulated.hpp"

inline constexpr int most_lanes = 16;

/// Each function reads and writes whole vectors, except where N lanes are asked for.
struct simd_functions {
    using unary = void (*)(const float* from, float* to);
    using binary = void (*)(const float* a, const float* b, float* to);

    int lanes = 0;
    unary load_store = nullptr;
    unary load_first[most_lanes + 1] = {};   ///< [N]: reads N, writes all
    unary store_first[most_lanes + 1] = {};  ///< [N]: reads all, writes N
    void (*broadcast)(float value, float* to) = nullptr;
    binary add = nullptr, subtract = nullptr, multiply = nullptr, max = nullptr, min = nullptr;
    void (*multiply_add)(const float* a, const float* b, const float* c, float* to) = nullptr;
    binary divide = nullptr, clamp = nullptr;
    unsigned (*above)(const float* x, const float* limit) = nullptr;
    void (*load_reals)(const std::int8_t* from, float* bytes, float* low, float* high) = nullptr;  ///< of 8 bits; of 4
    void (*sums)(const std::int32_t* a, const std::int32_t* b, std::int32_t* sum, std::int32_t* difference, std::int32_t* quarter) = nullptr;  ///< of a
    void (*shorts)(const std::int16_t* a, const std::int16_t* b, std::int16_t* sum, std::int16_t* difference) = nullptr;  ///< twice as many
    void (*short_bytes[2 * most_lanes + 1])(const void* bytes, std::int16_t* to) = {};                 ///< [N]: reads N, writes all
    void (*load_short_reals[most_lanes + 1])(const std::int16_t* from, float* to) = {};                ///< [N]: reads N, writes all
    void (*store_short_reals[most_lanes + 1])(const float* from, std::int16_t* to) = {};               ///< [N]: reads all, writes N
    void (*short_dots)(const std::int16_t* pair, const std::int8_t* of_8, const std::int16_t* of_16, std::int32_t* with_8, std::int32_t* with_16) = nullptr;
    void (*interleaved[most_lanes + 1])(const std::int16_t* a, const std::int16_t* b, const std::int16_t* weights, std::int32_t* sums) = {};
    void (*round_product)(const float* a, const float* b, float* nearest, float* power) = nullptr;
};

/// Defined by units compiled for the target.
template <class Target>
const simd_functions& compiled_simd();
