// Single convolution layers, warm: every algorithm on every ISA, and oneDNN where it is installed.
// Names are conv2d/<layer>/<format>/<sparsity>/<algorithm>/<target>.
// GFLOP/s counts the multiply-accumulates of the definition, and the peak is that of floats, measured in turns
// with each layer: Winograd and integers may exceed it.
#include <algorithm>
#include <vector>

#include <benchmark/benchmark.h>

#include <dlas/systems/host_network.hpp>

#include "beside_peak.hpp"
#include "conv2d_layers.hpp"
#include "conv2d_onednn.hpp"

namespace {

void measure(benchmark::State& state, const dlas::conv2d_executable& code, const dlas::peak_loop& loop) {
    dlas::aligned_bytes input(code.input_bytes), output(code.output_bytes), weights(code.weight_bytes), workspace(code.workspace_bytes);
    const auto elements = static_cast<std::size_t>(code.layer.filter_elements()), channels = static_cast<std::size_t>(code.layer.channels);
    if (code.pack_quantized != nullptr) {
        const std::vector<std::int8_t> filter(elements, 1);
        const std::vector<std::int32_t> bias(channels, 1);
        const std::vector<float> scales(channels, 0.01f);
        code.pack_quantized({filter.data(), bias.data(), scales.data(), {0.1f, 0}, {0.1f, 0}, {0.1f, 0}}, reinterpret_cast<float*>(weights.data()));
        std::fill_n(input.data(), code.input_bytes, std::byte{3});
    } else {
        const std::vector<float> filter(elements, 0.01f), bias(channels, 0.1f);
        code.pack(filter.data(), bias.data(), reinterpret_cast<float*>(weights.data()));
        std::fill_n(reinterpret_cast<float*>(input.data()), code.input_bytes / 4, 0.5f);
    }
    const dlas::kernel_arguments arguments = {input.data() + code.first_pixel, nullptr, weights.data(), output.data(), workspace.data()};
    run_beside_peak(state, loop, 2.0 * static_cast<double>(code.layer.macs()), [&] {
        code.run(arguments);
        benchmark::ClobberMemory();
    });
    state.counters["weight_bytes"] = static_cast<double>(code.weight_bytes);
    state.counters["workspace_bytes"] = static_cast<double>(code.workspace_bytes);
}

/// That of the most capable target of this CPU.
[[maybe_unused]] dlas::peak_loop best_loop;

template <class Target>
void add_target() {
    const dlas::peak_loop loop = dlas::compiled_peak<Target>();
    if (Target::available() && loop.operations > best_loop.operations) best_loop = loop;
    for (const dlas::conv2d_executable& code : compiled_layers<Target>())
        if (code.run != nullptr && code.available())
            benchmark::RegisterBenchmark(std::string(code.name).c_str(), [&code, loop](benchmark::State& state) { measure(state, code, loop); })
                ->Unit(benchmark::kMicrosecond)
                ->UseManualTime();
}

template <class... Targets>
void add_targets(dlas::policy_list<Targets...>) {
    (add_target<Targets>(), ...);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    add_targets(dlas::policy_list<DLAS_UNIT_TARGETS>{});
#ifdef DLAS_WITH_ONEDNN
    for (const dlas::conv2d_layer& layer : measured_layers) register_onednn(layer, best_loop);
#endif
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
