// Whole networks, batch 1, one thread: a row for each model and stack. Weights are made up; time does not depend on them.
//   networks [--profile] [options of Google Benchmark]
// --profile prints, for the networks that --benchmark_filter selects, the time of each layer instead.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <regex>

#include <dlas/explore/runner.hpp>

#include "networks_list.hpp"

namespace {

template <class Target, int... Shards>
void add_units(dlas::sweep_runner& runner, std::integer_sequence<int, Shards...>) {
    (runner.add(dlas::compiled_points<measured_networks, Target, Shards, sizeof...(Shards)>(), dlas::compiled_peak<Target>()), ...);
}

template <class... Targets>
void add_targets(dlas::sweep_runner& runner, dlas::policy_list<Targets...>) {
    (add_units<Targets>(runner, std::make_integer_sequence<int, DLAS_UNIT_SHARDS>{}), ...);
}

/// Median time of each step within runs of the whole network, so that caches are as cold as they are in use.
void profile(const dlas::design_point& point, double peak) {
    using clock = std::chrono::steady_clock;
    const dlas::executable& code = *point.code;
    dlas::aligned_bytes weights(code.weight_bytes), arena(code.arena_bytes);
    dlas::pack_seeded_weights(code, weights.data());
    const std::vector<float> image(static_cast<std::size_t>(code.input.elements()), 0.5f);
    std::vector<std::vector<double>> seconds(code.steps.size());
    const auto start = clock::now();
    for (int run = 0; run < 7 || clock::now() - start < std::chrono::seconds(1); ++run)
        for (std::size_t i = 0; i < code.steps.size(); ++i) {
            const auto before = clock::now();
            dlas::fill_halo(code.steps[i].halo, arena.data());
            code.steps[i].run(dlas::arguments_of(code.steps[i], image.data(), weights.data(), arena.data()));
            seconds[i].push_back(std::chrono::duration<double>(clock::now() - before).count());
        }
    std::printf("%s/%s/%s\n  %-34s %-12s %-30s %9s %8s %6s %9s\n", std::string(point.model).c_str(), std::string(point.dataset).c_str(),
                std::string(point.stack).c_str(), "layer", "algorithm", "shape", "us", "GFLOP/s", "peak", "weights");
    double total = 0;
    for (std::size_t i = 0; i < code.steps.size(); ++i) {
        const dlas::executable_step& step = code.steps[i];
        std::ranges::nth_element(seconds[i], seconds[i].begin() + static_cast<std::ptrdiff_t>(seconds[i].size() / 2));
        const double time = seconds[i][seconds[i].size() / 2];
        total += time;
        char shape[64] = "";
        const dlas::conv2d_layer& c = step.conv;
        const bool convolution = step.kind == dlas::step_kind::conv2d;
        if (convolution)
            std::snprintf(shape, sizeof shape, "%dx%dx%d-%dk%ds%d%s%s", c.in.height, c.in.width, c.in.channels, c.channels, c.kernel.height,
                          c.stride.height, c.groups > 1 ? " grouped" : "", c.residual ? " +add" : "");
        const double rate = convolution ? 2.0 * static_cast<double>(c.macs()) / time : 0;
        constexpr const char* kinds[] = {"input", "", "pool", "global pool", "add", "multiply", "affine", "activation", "subsample", "copy"};
        std::printf("  %-34s %-12s %-30s %9.1f %8.1f %5.0f%% %6.0f KB\n", std::string(step.layer).c_str(),
                    convolution ? std::string(step.algorithm).c_str() : kinds[static_cast<int>(step.kind)], shape, time * 1e6, rate * 1e-9,
                    100 * rate / peak, static_cast<double>(step.weight_bytes) / 1024);
    }
    std::printf("  sum %.3f ms, %.1f GFLOP/s of %.1f\n", total * 1e3, 2e-9 * static_cast<double>(code.macs) / total, peak * 1e-9);
}

int run(int argc, char** argv) {
    dlas::sweep_runner runner;
    add_targets(runner, dlas::policy_list<DLAS_UNIT_TARGETS>{});
    const auto asked = std::find_if(argv + 1, argv + argc, [](std::string_view argument) { return argument == "--profile"; });
    if (asked == argv + argc) return runner.run(argc, argv);

    std::string filter = ".";
    for (int i = 1; i < argc; ++i)
        if (const std::string_view argument = argv[i]; argument.starts_with("--benchmark_filter=")) filter = argument.substr(19);
    for (const dlas::design_point& point : runner.points())
        if (point.code != nullptr && point.code->available() && std::regex_search(dlas::point_name(point), std::regex(filter)))
            profile(point, runner.peak(point.target));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "networks: %s\n", failure.what());
        return 1;
    }
}
