// Kernels of fixed-point scaling by the core's own instructions against the definition: all bits of every integer. Says how many were wrong.
#include "boards/board.hpp"
#include "boards/target.hpp"

#include <dlas/hardware/targets.hpp>

#include "../algorithms/fixed_point.hpp"
#include "../algorithms/fixed_point_definition.hpp"

namespace {

using board::target;

constexpr const fixed_point::kernels& code = fixed_point::compilation<target, DLAS_STEP, DLAS_FIRST>::all;

constexpr std::int64_t most(auto bytes_of) {
    std::int64_t largest = 0;
    for (const fixed_point::fixed_kernel& k : code.convolutions) largest = bytes_of(k) > largest ? bytes_of(k) : largest;
    return largest;
}
constexpr std::int64_t most_inputs = most([](const auto& k) { return k.layer.key.layer.in.elements(); });
constexpr std::int64_t most_outputs = most([](const auto& k) { return k.layer.key.layer.out().elements(); });
constexpr std::int64_t most_channels = most([](const auto& k) { return k.layer.key.layer.channels; });
constexpr std::int64_t most_filters = most([](const auto& k) { return k.layer.key.layer.filter_elements(); });
constexpr std::int64_t most_workspace = most([](const auto& k) { return k.workspace_bytes; });
constexpr std::int64_t most_weights = most([](const auto& k) { return k.weight_bytes; });

std::int8_t input[most_inputs], residual[most_outputs], expected[most_outputs], filter[most_filters];
std::int32_t bias[most_channels];
float scales[most_channels];
alignas(64) float weights[most_weights / 4 + 1];
alignas(64) std::byte workspace[most_workspace];
/// Room for maps with gaps and for an output that begins before its input.
std::int8_t placed_input[4 * most_inputs], placed_residual[4 * most_outputs], output[4 * most_outputs + 2 * most_inputs];

/// Calls visit(byte of the dense map, byte of the placed one).
void for_each_byte(dlas::shape map, dlas::placement place, auto visit) {
    int dense = 0;
    for (int row = 0; row < map.height; ++row)
        for (int column = 0; column < map.width; ++column)
            for (int channel = 0; channel < map.channels; ++channel) visit(dense++, row * place.row_stride + column * place.pixel_stride + channel);
}

int wrong_bytes(const std::int8_t* found, dlas::shape map, dlas::placement place) {
    int wrong = 0;
    for_each_byte(map, place, [&](int dense, int placed) { wrong += expected[dense] != found[placed]; });
    return wrong;
}

int check_convolution(const fixed_point::fixed_kernel& kernel, fixed_point_layers::numbers kind, unsigned seed) {
    const dlas::conv2d_key& key = kernel.layer.key;
    const dlas::conv2d_layer& layer = key.layer;
    const dlas::quantized_parameters p = make_numbers(kernel.layer, kind, seed, input, residual, filter, bias, scales);
    fixed_point_definition::conv2d(layer, p, kernel.layer.way, input, layer.residual ? residual : nullptr, expected);
    kernel.pack(p, weights);
    for_each_byte(layer.in, key.in, [](int dense, int placed) { placed_input[placed] = input[dense]; });
    if (layer.residual) for_each_byte(layer.out(), key.residual, [](int dense, int placed) { placed_residual[placed] = residual[dense]; });
    kernel.run({.input = placed_input, .second = layer.residual ? placed_residual : nullptr, .weights = weights, .output = output, .workspace = workspace});
    int wrong = wrong_bytes(output, layer.out(), key.out);
    if (key.in.pixel_stride != layer.in.channels || key.out.row_stride != layer.out().width * layer.channels || key.in.row_stride != layer.in.width * layer.in.channels)
        return wrong;
    // The output over its input.
    for (std::int64_t i = 0; i < layer.in.elements(); ++i) output[kernel.in_place_distance + i] = input[i];
    kernel.run({.input = output + kernel.in_place_distance, .second = layer.residual ? placed_residual : nullptr, .weights = weights, .output = output, .workspace = workspace});
    return wrong + wrong_bytes(output, layer.out(), key.out);
}

int check_sum(const fixed_point::sum_kernel& kernel, unsigned seed) {
    const dlas::elementwise_key& key = kernel.key.key;
    dlas::seeded_numbers random(seed);
    dlas::quantized_parameters p;
    for (dlas::quantization* q : {&p.input, &p.second, &p.output}) *q = {static_cast<float>(random.between(0.01, 0.1)), static_cast<int>(random.bits() % 256) - 128};
    if (kernel.key.way == dlas::scaling::power_of_two)
        for (dlas::quantization* q : {&p.input, &p.second, &p.output}) q->scale = random.bits() % 2 == 0 ? 0x1p-4f : 0x1p-6f;
    const auto elements = static_cast<int>(key.map.elements());
    for (int i = 0; i < elements; ++i) {
        input[i] = static_cast<std::int8_t>(random.bits());
        residual[i] = static_cast<std::int8_t>(random.bits());
        expected[i] = fixed_point_definition::added(input[i], p.input, residual[i], p.second, p.output, key.activation, kernel.key.way);
    }
    kernel.pack(dlas::fixed_parameters_of(p, p.input, kernel.key.way, true, key.activation), weights);
    for_each_byte(key.map, key.in, [](int dense, int placed) { placed_input[placed] = input[dense]; });
    for_each_byte(key.map, key.second, [](int dense, int placed) { placed_residual[placed] = residual[dense]; });
    kernel.run({.input = placed_input, .second = placed_residual, .weights = weights, .output = output});
    return wrong_bytes(output, key.map, key.out);
}

int check_pool(const fixed_point::pool_kernel& kernel) {
    const dlas::pool2d_layer& layer = kernel.key.layer;
    dlas::seeded_numbers random(7);
    for (std::int64_t i = 0; i < layer.in.elements(); ++i) input[i] = static_cast<std::int8_t>(random.bits());
    dlas::fixed_parameters parameters;
    parameters.input_zero = -11;
    fixed_point_definition::pool2d(layer, parameters.input_zero, input, expected);
    kernel.pack(parameters, weights);
    for_each_byte(layer.in, kernel.key.in, [](int dense, int placed) { placed_input[placed] = input[dense]; });
    kernel.run({.input = placed_input, .weights = weights, .output = output});
    return wrong_bytes(output, layer.out(), kernel.key.out);
}

}  // namespace

int main() {
    int failures = 0, checks = 0;
    auto count = [&](std::string_view what, int index, int numbers, int wrong) {
        ++checks;
        if (wrong == 0) return;
        ++failures;
        board::print_line("WRONG: ", what, " ", index, ", numbers ", numbers, ": ", wrong, " bytes");
    };
    for (int index = 0; index < static_cast<int>(code.convolutions.size()); ++index)
        for (const fixed_point_layers::numbers kind : fixed_point_layers::all_numbers)
            count("convolution", index, static_cast<int>(kind),
                  check_convolution(code.convolutions[static_cast<std::size_t>(index)], kind, static_cast<unsigned>(index)));
    for (int index = 0; index < static_cast<int>(code.sums.size()); ++index)
        for (unsigned seed = 0; seed < 8; ++seed) count("sum", index, static_cast<int>(seed), check_sum(code.sums[static_cast<std::size_t>(index)], seed));
    for (int index = 0; index < static_cast<int>(code.pools.size()); ++index) count("pool", index, 0, check_pool(code.pools[static_cast<std::size_t>(index)]));
    board::print_line(code.target, ": ", failures, " of ", checks, " wrong");
    return failures == 0 ? 0 : 1;
}
