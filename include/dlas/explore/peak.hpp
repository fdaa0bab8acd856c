// The most arithmetic that one core does on a target, measured: what a kernel's speed is a share of. Explore.
#pragma once

#include <chrono>

#include <dlas/explore/points.hpp>

namespace dlas {

/// Floating-point operations a second of one core: the best of many short runs.
inline double measure_peak(const peak_loop& loop) {
    const volatile float source[2] = {0.999f, 1e-3f};
    const float seed[2] = {source[0], source[1]};
    double best = 0;
    volatile float sink = 0;
    for (int run = 0; run < 100; ++run) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 20; ++i) sink = loop.run(seed);
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        const double rate = 20 * loop.operations / elapsed.count();
        if (rate > best) best = rate;
    }
    (void)sink;
    return best;
}

}  // namespace dlas
