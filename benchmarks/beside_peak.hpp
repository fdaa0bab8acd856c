// Times a kernel in turns with the loop that measures the core's peak: a core's clock changes, and both see the same one. For `conv2d`.
#pragma once

#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include <dlas/explore/peak.hpp>

/// Runs `kernel`, which counts for so many floating-point operations, with the counters GFLOP/s and peak_share. The benchmark has to be one
/// with manual times.
template <class Kernel>
void run_beside_peak(benchmark::State& state, const dlas::peak_loop& loop, double operations, Kernel kernel) {
    auto kernel_seconds = [&kernel] {
        const auto start = std::chrono::steady_clock::now();
        kernel();
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    kernel();
    const double about = kernel_seconds();
    const int rounds = std::clamp(static_cast<int>(0.25 * about / dlas::peak_loop_seconds(loop, 20) * 20), 1, 1000);
    double of_kernel = 0, of_loop = 0;
    for (auto unused : state) {
        (void)unused;
        const double seconds = kernel_seconds();
        state.SetIterationTime(seconds);
        of_kernel += seconds;
        of_loop += dlas::peak_loop_seconds(loop, rounds);
    }
    const auto iterations = static_cast<double>(state.iterations());
    const double rate = operations * iterations / of_kernel;
    state.counters["GFLOP/s"] = rate * 1e-9;
    state.counters["peak_share"] = rate / (loop.operations * rounds * iterations / of_loop);
}
