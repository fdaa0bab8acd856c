// Whole networks, batch 1: a row for each model and stack. Weights are made up; time does not depend on them.
//   networks [--profile] [options of Google Benchmark]
// --profile prints, for the networks that --benchmark_filter selects, the time of each layer instead, and where most of it is lost: by all
// threads where the stack has several, beyond the arithmetic at the peak of as many cores.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <regex>

#include <dlas/core/layer_text.hpp>
#include <dlas/explore/runner.hpp>

#include "networks_list.hpp"

namespace {

template <class Target, int... Shards>
void add_units(dlas::sweep_runner& runner, std::integer_sequence<int, Shards...>) {
    (runner.add(dlas::compiled_points<measured_networks, Target, Shards, sizeof...(Shards)>(), dlas::compiled_peak<Target>()), ...);
    runner.add(dlas::compiled_points<threaded_networks, Target>(), dlas::compiled_peak<Target>());
    runner.add(dlas::compiled_points<integer_networks, Target>(), dlas::compiled_peak<Target>());
    runner.add(dlas::compiled_points<seven_bit_networks, Target>(), dlas::compiled_peak<Target>());
    runner.add(dlas::compiled_points<bf16_networks, Target>(), dlas::compiled_peak<Target>());
    runner.add(dlas::compiled_points<f16_networks, Target>(), dlas::compiled_peak<Target>());
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
    const std::unique_ptr<dlas::thread_pool> threads = dlas::threads_for(code);
    peak *= code.threads;
    const auto start = clock::now();
    for (int run = 0; run < 7 || clock::now() - start < std::chrono::seconds(1); ++run)
        for (std::size_t i = 0; i < code.steps.size(); ++i) {
            if (code.steps[i].run == nullptr) continue;
            dlas::executable step = code;
            step.steps = code.steps.subspan(i, 1);
            const auto before = clock::now();
            dlas::run_steps(step, image.data(), weights.data(), arena.data(), threads.get());
            seconds[i].push_back(std::chrono::duration<double>(clock::now() - before).count());
        }
    std::printf("%s/%s/%s\n  %-34s %-12s %-36s %9s %8s %6s %9s %9s\n", std::string(point.model).c_str(), std::string(point.dataset).c_str(),
                std::string(point.stack).c_str(), "layer", "algorithm", "shape", "us", "GFLOP/s", "peak", "weights", "lost us");
    double total = 0;
    std::int64_t macs = 0, weight_bytes = 0;  // of the steps that run together
    std::vector<std::pair<double, std::string>> losses;
    for (std::size_t i = 0; i < code.steps.size(); ++i) {
        const dlas::executable_step& step = code.steps[i];
        const bool convolution = step.kind == dlas::step_kind::conv2d;
        const std::string shape(convolution ? std::string_view(dlas::layer_text(step.conv)) : std::string_view());
        constexpr const char* kinds[] = {"input", "", "pool", "global pool", "add", "multiply", "affine", "activation", "subsample", "copy"};
        const std::string algorithm = convolution ? std::string(step.algorithm) : kinds[static_cast<int>(step.kind)];
        std::printf("  %-34s %-12s %-36s ", std::string(step.layer).c_str(), algorithm.c_str(), shape.c_str());
        if (convolution) macs += step.conv.macs();
        weight_bytes += step.weight_bytes;
        if (step.run == nullptr) {
            std::printf("%9s\n", "with next");
            continue;
        }
        std::ranges::nth_element(seconds[i], seconds[i].begin() + static_cast<std::ptrdiff_t>(seconds[i].size() / 2));
        const double time = seconds[i][seconds[i].size() / 2], operations = 2.0 * static_cast<double>(macs), lost = time - operations / peak;
        total += time;
        losses.emplace_back(lost, step.layer.empty() ? algorithm : std::string(step.layer) + " " + shape);
        std::printf("%9.1f %8.1f %5.0f%% %6.0f KB %9.1f\n", time * 1e6, operations / time * 1e-9, 100 * operations / time / peak,
                    static_cast<double>(weight_bytes) / 1024, lost * 1e6);
        macs = weight_bytes = 0;
    }
    std::printf("  sum %.3f ms, %.1f GFLOP/s of %.1f; most is lost (beyond the arithmetic at the peak) in\n", total * 1e3,
                2e-9 * static_cast<double>(code.macs) / total, peak * 1e-9);
    std::ranges::sort(losses, std::greater{});
    for (std::size_t i = 0; i < std::min<std::size_t>(losses.size(), 5); ++i)
        std::printf("    %8.1f us %4.1f%%  %s\n", losses[i].first * 1e6, 100 * losses[i].first / total, losses[i].second.c_str());
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
