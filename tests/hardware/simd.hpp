// The vocabulary of vectors behind function pointers, so that a program of no flags can call every target's.
#pragma once

#include <dlas/hardware/targets.hpp>

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
    void (*round_product)(const float* a, const float* b, float* nearest, float* power) = nullptr;
};

/// Defined by units compiled for the target.
template <class Target>
const simd_functions& compiled_simd();
