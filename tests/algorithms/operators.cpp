// Pooling and elementwise kernels on every target against the definitions.
#include "operators.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <dlas/algorithms/reference.hpp>

#include "byte_map.hpp"
#include "feature_maps.hpp"

namespace {

using namespace operators;
using namespace feature_maps;

std::vector<float> absolute(std::vector<float> values) {
    for (float& value : values) value = std::abs(value);
    return values;
}

/// Every result must lie within `roundings` roundings of the expected, relative to the magnitudes of what was added up.
void check(placed_map& output, shape map, std::span<const double> expected, std::vector<double> bounds, int roundings) {
    for (double& bound : bounds) bound *= rounding_bound(roundings);
    const comparison found = compare(output.read(), expected, bounds, map);
    CHECK_MESSAGE(found.wrong == 0, found.first_wrong);
    CHECK(output.rest_intact());
}

void check_pool(const kernel<dlas::pool2d_key>& code) {
    const dlas::pool2d_layer& layer = code.key.layer;
    const shape map = layer.out();
    // Mostly negative, so that a zero from the padding would be a maximum.
    const std::vector<float> numbers_in = numbers(3).reals(layer.in.elements(), -2.0f, 0.25f);
    placed_map input(layer.in, 0, code.key.in), output(map, 0, code.key.out);
    input.write(numbers_in);
    code.run({.input = input.first_pixel(), .output = output.first_pixel()});
    std::vector<double> expected(static_cast<std::size_t>(map.elements())), sums(expected.size());
    dlas::reference::pool2d(layer, numbers_in.data(), expected.data());
    dlas::reference::pool2d(layer, absolute(numbers_in).data(), sums.data());
    // A maximum is one of the inputs. An average: its additions, the reciprocal and the product.
    check(output, map, expected, sums, layer.maximum ? 0 : layer.kernel.area() + 2);
}

template <class Integer>
void check_stored(const kernel<dlas::pool2d_key>& code) {
    const dlas::pool2d_layer& layer = code.key.layer;
    const shape map = layer.out();
    std::vector<Integer> integers;
    std::vector<float> reals;
    for (const float real : numbers(8).reals(layer.in.elements(), std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max())) {
        integers.push_back(static_cast<Integer>(real));
        reals.push_back(integers.back());
    }
    byte_map input(layer.in, {}, code.key.in, 0), output(map, {}, code.key.out, 0);
    input.write(integers, 0);
    code.run({.input = input.first_pixel(), .output = output.first_pixel()});
    std::vector<double> expected(static_cast<std::size_t>(map.elements()));
    dlas::reference::pool2d(layer, reals.data(), expected.data());
    const std::vector<Integer> found = output.read<Integer>();
    CHECK(std::ranges::equal(found, expected));
    CHECK(output.rest_intact());
}

void check_global_pool(const kernel<dlas::global_pool_key>& code) {
    const shape map = code.key.map;
    const std::vector<float> numbers_in = numbers(4).reals(map.elements(), -1.0f, 2.0f);
    placed_map input(map, 0, code.key.in), output({1, 1, map.channels}, 0, {map.channels, map.channels});
    input.write(numbers_in);
    code.run({.input = input.first_pixel(), .output = output.first_pixel()});
    std::vector<double> expected(static_cast<std::size_t>(map.channels)), sums(expected.size());
    dlas::reference::global_average_pool(map, numbers_in.data(), expected.data());
    dlas::reference::global_average_pool(map, absolute(numbers_in).data(), sums.data());
    // An input meets the additions of its row, those of the rows, the reciprocal and the product.
    check(output, {1, 1, map.channels}, expected, sums, map.width + map.height + 2);
}

void check_elementwise(const kernel<dlas::elementwise_key>& code) {
    const dlas::elementwise_key& key = code.key;
    numbers random(5);
    const std::vector<float> numbers_in = random.reals(key.map.elements(), -12.0f, 12.0f);
    const std::vector<float> numbers_second = random.reals(key.map.elements(), -12.0f, 12.0f);
    const std::vector<float> scale_shift = random.reals(2 * key.map.channels, -1.5f, 1.5f);
    const bool adds = key.function == elementwise::add, scales = key.function == elementwise::affine, gates = key.function == elementwise::multiply;
    const bool smooth = key.activation == dlas::activation::silu || key.activation == dlas::activation::sigmoid;
    const shape of_second = second_map(key.map, key.function);
    placed_map input(key.map, 0, key.in), second(of_second, 0, key.second), output(key.map, 0, key.out);
    const buffer weights(scale_shift);
    input.write(numbers_in);
    second.write(std::span(numbers_second).first(static_cast<std::size_t>(of_second.elements())));
    code.run({.input = input.first_pixel(), .second = adds || gates ? second.first_pixel() : nullptr, .weights = scales ? weights.data() : nullptr,
              .output = output.first_pixel()});
    std::vector<double> expected, sums;
    for (std::size_t i = 0; i < numbers_in.size(); ++i) {
        const std::size_t channel = i % static_cast<std::size_t>(key.map.channels);
        const double shift = double{scale_shift[channel + static_cast<std::size_t>(key.map.channels)]};
        const double factor = scales ? double{scale_shift[channel]} : gates ? double{numbers_second[channel]} : 1.0;
        const double product = double{numbers_in[i]} * factor;
        const double added = adds ? double{numbers_second[i]} : scales ? shift : 0.0;
        expected.push_back(dlas::reference::activated(key.activation, product + added));
        sums.push_back(std::abs(product) + std::abs(added));
        // A sigmoid is within 1.2e-6 of its own for inputs of up to 29, and 1 at most.
        if (smooth) sums.back() += std::abs(expected.back());
    }
    check(output, key.map, expected, sums, (smooth ? 20 : 0) + (adds || gates ? 1 : scales ? 2 : 0));
}

void check_subsample(const kernel<dlas::subsample_key>& code) {
    const dlas::subsample_key& key = code.key;
    const std::vector<float> numbers_in = numbers(6).reals(key.in_map.elements(), -1.0f, 1.0f);
    placed_map input(key.in_map, 0, key.in), output(key.out_map, 0, key.out);
    input.write(numbers_in);
    code.run({.input = input.first_pixel(), .output = output.first_pixel()});
    std::vector<double> expected(static_cast<std::size_t>(key.out_map.elements()));
    dlas::reference::subsample(key.in_map, key.out_map, key.stride, key.channels_before, numbers_in.data(), expected.data());
    check(output, key.out_map, expected, std::vector<double>(expected.size()), 0);
}

/// The exponential and what is made of it, over all exponents of both signs.
void check_sigmoid(const kernels& all) {
    double exp_error = 0, sigmoid_error = 0, silu_error = 0;  // as shares of what is promised
    std::vector<float> in(static_cast<std::size_t>(all.lanes)), to(in.size());
    auto check_vector = [&] {
        auto apply = [&](auto function, double& worst, double constant, auto expected) {
            function(in.data(), to.data());
            for (std::size_t i = 0; i < in.size(); ++i) {
                const double x = double{in[i]}, near = std::clamp(x, -86.0, 86.0), wanted = expected(x, std::exp(-near));
                const double error = std::abs(double{to[i]} - wanted) / std::max(std::abs(wanted), 1.2e-38) / (constant + 1.4e-8 * std::abs(near));
                worst = error <= worst ? worst : error;  // and where it is not a number
            }
        };
        // Its quotient and its product with a power are rounded, too.
        apply(all.negated_exp, exp_error, 8e-7, [](double, double exp) { return exp; });
        apply(all.sigmoid, sigmoid_error, 8e-7, [](double, double exp) { return 1 / (1 + exp); });
        apply(all.silu, silu_error, 8e-7, [](double x, double exp) { return x / (1 + exp); });
    };
    numbers random(7);
    for (int exponent = -30; exponent < 126; ++exponent)
        for (const float sign : {-1.0f, 1.0f})
            for (int i = 0; i < 64; ++i) {
                in = random.reals(all.lanes, sign * std::ldexp(1.0f, exponent), sign * std::ldexp(2.0f, exponent));
                check_vector();
            }
    for (int i = 0; i < 4000; ++i) {
        in = random.reals(all.lanes, -90.0f, 90.0f);
        check_vector();
    }
    CHECK(exp_error <= 1);
    CHECK(sigmoid_error <= 1);
    CHECK(silu_error <= 1);
    std::ranges::fill(in, 0.0f);
    all.silu(in.data(), to.data());
    CHECK(to[0] == 0.0f);
}

template <class Target>
void check_target() {
    if (!Target::available()) {
        MESSAGE(Target::name << " is skipped: this CPU lacks it");
        return;
    }
    auto check_each = [](std::string_view list, const auto& codes, auto check_one) {
        for (std::size_t i = 0; i < codes.size(); ++i) {
            INFO(std::string(Target::name) << ", " << std::string(list) << "[" << i << "]");
            check_one(codes[i]);
        }
    };
    const kernels& all = compiled_kernels<Target>();
    check_sigmoid(all);
    check_each("pools", all.pools, check_pool);
    if constexpr (Target::quantized_element == dlas::element::u8) check_each("byte_pools", all.byte_pools, check_stored<std::uint8_t>);
    else check_each("byte_pools", all.byte_pools, check_stored<std::int8_t>);
    check_each("short_pools", all.short_pools, check_stored<std::int16_t>);
    check_each("global_pools", all.global_pools, check_global_pool);
    check_each("elementwise_maps", all.elementwise_maps, check_elementwise);
    check_each("subsamples", all.subsamples, check_subsample);
}

template <class... Targets>
void check_targets() {
    (check_target<Targets>(), ...);
}

}  // namespace

TEST_CASE("operators: pooling and elementwise kernels compute their definitions on every target, within their memory") {
    check_targets<DLAS_UNIT_TARGETS>();
}
