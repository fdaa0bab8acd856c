// Points of a design space, as plain data: what crosses from the unit that compiles them to the program that runs them. Explore.
#pragma once

#include <span>
#include <string_view>

#include <dlas/core/preprocessing.hpp>
#include <dlas/systems/executable.hpp>

namespace dlas {

/// One model with one stack, or the reason why there is no such network.
struct design_point {
    std::string_view model;
    std::string_view dataset;
    std::string_view stack;
    std::string_view target;
    std::string_view refusal;          ///< empty where the point exists
    const executable* code = nullptr;  ///< null where it does not
    const dlas::preprocessing* preprocessing = nullptr;
    const executable* observed = nullptr;  ///< of integers: the float network that calibration images run through
};

/// What a set of units has in common: models times a space.
template <class Space, class... Models>
struct exploration {
    using space = Space;
    static constexpr int points = Space::size * static_cast<int>(sizeof...(Models));
};

/// The points of an exploration whose target is `Target`. Defined in a unit compiled for the target, which includes
/// dlas/explore/compile_points.hpp, by an explicit instantiation:
///   template std::span<const dlas::design_point> dlas::compiled_points<my_exploration, dlas::avx2>();
template <class Exploration, class Target, int Shard = 0, int Shards = 1>
std::span<const design_point> compiled_points();

/// How a unit compiled for a target hands the loop that measures the core's peak to the rest of the program.
struct peak_loop {
    std::string_view target;
    float (*run)(const float* seed) = nullptr;
    double operations = 0;
    bool (*available)() = nullptr;
};

/// Defined beside compiled_points.
template <class Target>
peak_loop compiled_peak();

}  // namespace dlas
