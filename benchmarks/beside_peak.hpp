// Times a kernel in turns with the loop that measures the core's peak: a core's clock changes, and both see the same one. For `conv2d`.
#pragma once

#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include <dlas/explore/points.hpp>

/// Runs `kernel`, which counts for so many floating-point operations, with the counters GFLOP/s and peak_share. The benchmark has to be one
/// with manual times.
template <class Kernel>
void run_beside_peak(benchmark::State& state, const dlas::peak_loop& loop, double operations, Kernel kernel) {
    using clock = std::chrono::steady_clock;
    const volatile float source[2] = {0.999f, 1e-3f};
    const float seed[2] = {source[0], source[1]};
    auto seconds_of = [](int times, auto&& run) {
        const auto start = clock::now();
        for (int i = 0; i < times; ++i) run();
        return std::chrono::duration<double>(clock::now() - start).count();
    };
    auto loop_once = [&] { benchmark::DoNotOptimize(loop.run(seed)); };
    kernel();
    const double about = seconds_of(1, kernel);
    const int loops = std::clamp(static_cast<int>(0.25 * about / seconds_of(20, loop_once) * 20), 1, 1000);
    double of_kernel = 0, of_loop = 0;
    for (auto unused : state) {
        (void)unused;
        const double seconds = seconds_of(1, kernel);
        state.SetIterationTime(seconds);
        of_kernel += seconds;
        of_loop += seconds_of(loops, loop_once);
    }
    const double runs = static_cast<double>(state.iterations());
    state.counters["GFLOP/s"] = operations * runs / of_kernel * 1e-9;
    state.counters["peak_share"] = operations / of_kernel / (loop.operations * loops / of_loop);
}
