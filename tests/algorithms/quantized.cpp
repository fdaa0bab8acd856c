// Quantized convolutions on every target against the definition: all bits of every integer.
#include "quantized.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <cstring>
#include <memory>
#include <vector>

#include <dlas/algorithms/reference.hpp>
#include <dlas/core/layer_text.hpp>
#include <dlas/core/seeded_numbers.hpp>
#include <dlas/optimizations/quantization.hpp>
#include <dlas/systems/quantize.hpp>

#include "byte_map.hpp"
#include "run_in_parts.hpp"

namespace {

using namespace quantized_layers;

/// A layer's integers: the whole range of each, some extremes among them, so that instructions that saturate on the way show.
template <class Input>
struct problem {
    std::vector<Input> input, residual;
    std::vector<std::int8_t> filter;
    std::vector<std::int32_t> bias;
    std::vector<float> scales;
    dlas::quantized_parameters parameters;

    problem(const conv2d_layer& layer, int weight_bits, unsigned seed, bool extreme) {
        dlas::seeded_numbers random(seed);
        auto fill = [&]<class Integer>(std::vector<Integer>& values, std::int64_t count, int usual, int other) {
            values.resize(static_cast<std::size_t>(count));
            const int lowest = std::min(usual, other), highest = std::max(usual, other);
            for (auto& v : values)
                v = static_cast<Integer>(extreme ? (random.bits() % 8 == 0 ? other : usual) : std::floor(random.between(lowest, highest + 0.999)));
        };
        constexpr bool wide = std::same_as<Input, std::int16_t>;
        const int largest = 1 << (weight_bits - 1), terms = layer.group_in() * layer.kernel.area();
        // Sums of 16 bits have to fit 32 with the largest bias.
        const int highest = wide ? std::min(32767, (1 << 30) / (terms * largest)) : 127, lowest = wide ? -highest : -128;
        fill(input, layer.in.elements(), highest, lowest);
        fill(filter, layer.filter_elements(), -largest, largest - 1);
        if (layer.residual) fill(residual, layer.out().elements(), highest, lowest);
        for (int channel = 0; channel < layer.channels; ++channel) {
            bias.push_back(static_cast<std::int32_t>(random.between(-20000, 20000)) * (channel % 7 == 3 ? 50000 : 1));
            scales.push_back(static_cast<float>(random.between(0.001, 0.01) * (channel % 11 == 5 ? 1e7 : 1)));  // some outputs beyond 32 bits
        }
        const float scale = 0.02f * 0.005f * static_cast<float>(largest) / 2 * std::sqrt(static_cast<float>(terms));
        parameters = {filter.data(), bias.data(), scales.data(), {0.02f, wide ? 0 : -7}, {0.05f, wide ? 0 : 11}, {scale, wide ? 0 : 3}};
    }
};

constexpr int most_parts = 3;

template <class Output, class Input>
void check(const quantized_kernel& code, const problem<Input>& p) {
    const conv2d_layer& l = code.key.layer;
    const auto outputs = static_cast<std::size_t>(l.out().elements());
    std::vector<Output> expected(outputs);
    dlas::reference::quantized_conv2d(l, p.parameters, p.input.data(), l.residual ? p.residual.data() : nullptr, expected.data());
    if constexpr (std::same_as<Output, std::int8_t>)
        for (auto& value : expected) value = static_cast<std::int8_t>(value + dlas::stored_offset(code.key.out.type));

    byte_map input(l.in, l.padding, code.key.in, code.slack), output(l.out(), 0, code.key.out, 0);
    byte_map residual(l.residual ? l.out() : dlas::shape{}, 0, code.key.residual, 0);
    const int offset = dlas::stored_offset(code.key.in.type);
    input.fill_halo(p.parameters.input.zero + offset);
    input.write(p.input, offset);
    if (l.residual) residual.write(p.residual, offset);
    std::vector<float> packed(static_cast<std::size_t>(code.weight_bytes / 4) + 1, -1.0f);
    code.pack(p.parameters, packed.data());
    CHECK(packed.back() == -1.0f);
    const std::unique_ptr<std::byte[]> workspace(new std::byte[static_cast<std::size_t>(most_parts * code.workspace_bytes)]);
    dlas::kernel_arguments arguments = {input.first_pixel(), l.residual ? residual.first_pixel() : nullptr, packed.data(), output.first_pixel(),
                                        workspace.get()};
    arguments.workspace_stride = code.workspace_bytes;
    for (const int parts : {1, most_parts}) {
        CAPTURE(parts);
        if (parts == 1) code.run(arguments);
        else run_in_parts(code.run, arguments, parts);
        const std::vector<Output> found = output.read<Output>();
        CHECK(std::memcmp(found.data(), expected.data(), outputs * sizeof(Output)) == 0);
        CHECK(output.rest_intact());
    }
}

/// Integers as a kernel reads them, all of its range and its extremes.
template <class Integer>
void check_kernel(const quantized_kernel& code) {
    const std::string description = std::string(code.target) + " " + std::string(code.algorithm) + " w" + std::to_string(code.weight_bits) + "a" +
                                    std::to_string(8 * sizeof(Integer)) + " " + std::string(dlas::layer_text(code.key.layer).view());
    INFO(description);
    for (const bool extreme : {false, true}) {
        CAPTURE(extreme);
        const problem<Integer> p(code.key.layer, code.weight_bits, 7, extreme);
        if (code.key.out.type == dlas::element::f32) check<float>(code, p);
        else check<Integer>(code, p);
    }
}

template <class Target>
void check_target() {
    if (!Target::available()) {
        MESSAGE(Target::name << " is skipped: this CPU lacks it");
        return;
    }
    for (const quantized_kernel& code : compiled_quantized<Target>(8)) check_kernel<std::int8_t>(code);
    for (const quantized_kernel& code : compiled_quantized<Target>(16)) check_kernel<std::int16_t>(code);
}

template <class... Targets>
void check_targets(dlas::policy_list<Targets...>) {
    (check_target<Targets>(), ...);
}

}  // namespace

TEST_CASE("integers: convolutions are the definition's, bit by bit") { check_targets(dlas::policy_list<DLAS_UNIT_TARGETS>{}); }

TEST_CASE("quantization: ranges become scales that hold 0 exactly") {
    CHECK(dlas::quantization_for({0, 0}) == dlas::quantization{1.0f, 0});
    CHECK(dlas::quantization_for({0, 255}) == dlas::quantization{1.0f, -128});
    CHECK(dlas::quantization_for({-255, 0}) == dlas::quantization{1.0f, 127});
    CHECK(dlas::quantization_for({-128, 127}) == dlas::quantization{1.0f, 0});
    CHECK(dlas::quantization_for({-1, 1}) == dlas::quantization{1.0f / 127, 0});
    // A range beside 0 is widened to it.
    CHECK(dlas::quantization_for({51, 102}) == dlas::quantization{0.4f, -128});
    CHECK(dlas::quantization_for({-32767, 5}, {.type = dlas::element::s16}) == dlas::quantization{1.0f, 0});
}

TEST_CASE("quantization: powers of two lose nothing of a range, and of a filter what costs least") {
    CHECK(dlas::quantization_for({0, 255}, {.power_of_two = true}) == dlas::quantization{1.0f, -128});
    CHECK(dlas::quantization_for({51, 102}, {.power_of_two = true}) == dlas::quantization{0.5f, -128});
    CHECK(dlas::quantization_for({-1, 1}, {.power_of_two = true}) == dlas::quantization{0x1p-6f, 0});
    const float filter[] = {0.51f, 0.04f, -0.06f, 0.07f, -0.06f, 0.065f};
    std::int8_t rounded[6];
    CHECK(dlas::quantize_filter(filter, 8, rounded, {.power_of_two = true}) == 0x1p-7f);
    CHECK(rounded[0] == 65);
    CHECK(dlas::quantize_filter(filter, 4, rounded, {.power_of_two = true}) == 0x1p-4f);
    CHECK(rounded[0] == 7);
    CHECK(rounded[2] == -1);
    CHECK(dlas::quantize_filter(filter, 8, rounded, {.most = 0x1p-9f, .power_of_two = true}) == 0x1p-9f);
    CHECK(rounded[0] == 127);
    CHECK(dlas::quantize_filter(filter, 8, rounded, {.least = 0.3f, .power_of_two = true}) == 0.5f);
    CHECK(rounded[0] == 1);
}

TEST_CASE("quantization: ranges by rule") {
    dlas::value_range extremes = {-1, 3};
    dlas::value_histogram histogram(extremes);
    for (int i = 0; i < 100000; ++i) histogram.count(static_cast<float>(i % 1000) / 1000);
    histogram.count(-1);
    histogram.count(3);
    CHECK(histogram.range(dlas::range_rule::min_max) == extremes);
    const dlas::value_range most = histogram.range(dlas::range_rule::percentile);
    CHECK(most.low == doctest::Approx(0).epsilon(0.01));
    CHECK(most.high == doctest::Approx(1).epsilon(0.01));
    // At f times the extremes rounding costs 100000 (4 f / 255)^2 / 12, clipping (3 - 3 f)^2 + (1 - f)^2: least at f = 0.83.
    const dlas::value_range least = histogram.range(dlas::range_rule::mean_squared_error);
    CHECK(least.high == doctest::Approx(2.49).epsilon(0.01));
    CHECK(least.low == doctest::Approx(-0.83).epsilon(0.01));
    // Sixteen bits leave no error to weigh against what is cut off.
    CHECK(histogram.range(dlas::range_rule::mean_squared_error, {.type = dlas::element::s16}) == extremes);
}

TEST_CASE("quantization: filters and biases") {
    const float filter[] = {0.5f, -1.0f, 0.25f, 0.0f};
    std::int8_t rounded[4];
    CHECK(dlas::quantize_filter(filter, 8, rounded) == 1.0f / 127);
    CHECK(rounded[0] == 64);  // 63.5, ties to even
    CHECK(rounded[1] == -127);
    CHECK(rounded[2] == 32);
    // Fewer bits cut the largest weight off where that costs less than it saves.
    CHECK(dlas::quantize_filter(filter, 4, rounded) == doctest::Approx(0.96 / 7));
    CHECK(rounded[1] == -7);
    const float none[] = {0.0f, 0.0f};
    CHECK(dlas::quantize_filter(none, 8, rounded) == 1.0f);
    CHECK(rounded[0] == 0);
    CHECK(dlas::quantize_bias(0.75, 0.5) == 2);
    CHECK(dlas::quantize_bias(1e9, 1e-9) == 1 << 30);
}
