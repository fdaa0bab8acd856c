// The most arithmetic that one core does on a target, measured: what a kernel's speed is a share of. Explore.
#pragma once

#include <chrono>

#include <dlas/explore/points.hpp>

namespace dlas {

/// Seconds that so many rounds of a peak's loop take.
inline double peak_loop_seconds(const peak_loop& loop, int rounds) {
    const volatile float source[2] = {0.999f, 1e-3f};
    const float seed[2] = {source[0], source[1]};
    volatile float sink = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) sink = loop.run(seed);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    (void)sink;
    return elapsed.count();
}

/// Floating-point operations a second of one core: the best of many short runs.
inline double measure_peak(const peak_loop& loop) {
    double best = 0;
    for (int run = 0; run < 400; ++run) {
        const double rate = 20 * loop.operations / peak_loop_seconds(loop, 20);
        if (rate > best) best = rate;
    }
    return best;
}

}  // namespace dlas
