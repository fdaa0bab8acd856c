// Kernels of fixed-point scaling on every target against the definition: all bits of every integer.
#include "fixed_point.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <dlas/core/layer_text.hpp>
#include <dlas/core/seeded_numbers.hpp>
#include <dlas/hardware/targets.hpp>

#include "byte_map.hpp"
#include "fixed_point_definition.hpp"
#include "run_in_parts.hpp"

namespace {

using namespace fixed_point;
using fixed_point_definition::multiplier;
using fixed_point_layers::all_numbers;
using fixed_point_layers::fixed_layer;

using bytes = std::vector<std::int8_t>;

/// Calls check(compiled kernels) for each target of this program that the CPU has.
template <class... Targets>
void for_each_target(dlas::policy_list<Targets...>, auto check) {
    auto one = [&]<class Target>() {
        if (!Target::available()) {
            MESSAGE(Target::name << " is skipped: this CPU lacks it");
            return;
        }
        const std::string target(Target::name);
        CAPTURE(target);
        check(compiled_kernels<Target>());
    };
    (one.template operator()<Targets>(), ...);
}
void for_each_target(auto check) {
    for_each_target(dlas::policy_list<DLAS_UNIT_TARGETS>{}, check);
    for_each_target(dlas::microcontrollers{}, check);
}

/// A layer's numbers and what comes out.
struct problem {
    bytes input, residual, filter, expected;
    std::vector<std::int32_t> bias;
    std::vector<float> scales;
    dlas::quantized_parameters parameters;

    problem(const fixed_layer& l, fixed_point_layers::numbers kind, unsigned seed)
        : input(static_cast<std::size_t>(l.key.layer.in.elements())), residual(l.key.layer.residual ? static_cast<std::size_t>(l.key.layer.out().elements()) : 0),
          filter(static_cast<std::size_t>(l.key.layer.filter_elements())), expected(static_cast<std::size_t>(l.key.layer.out().elements())),
          bias(static_cast<std::size_t>(l.key.layer.channels)), scales(bias.size()),
          parameters(make_numbers(l, kind, seed, input.data(), residual.data(), filter.data(), bias.data(), scales.data())) {
        fixed_point_definition::conv2d(l.key.layer, parameters, l.way, input.data(), l.key.layer.residual ? residual.data() : nullptr, expected.data());
    }
    problem(const problem&) = delete;
    problem& operator=(const problem&) = delete;
};

std::string difference(const bytes& found, const bytes& expected, int channels) {
    const auto first = std::ranges::mismatch(found, expected).in1 - found.begin();
    if (first == std::ssize(found)) return {};
    const auto at = static_cast<std::size_t>(first);
    return "pixel " + std::to_string(first / channels) + ", channel " + std::to_string(first % channels) + " is " + std::to_string(found[at]) + ", not " +
           std::to_string(expected[at]);
}

/// A kernel with its weights packed and a workspace of exactly as many bytes as it asks for.
class packed_kernel {
public:
    packed_kernel(const fixed_kernel& code, const problem& p)
        : code_(code), packed_(static_cast<std::size_t>(code.weight_bytes / 4) + 1, -1.0f),
          workspace_(new std::uint64_t[static_cast<std::size_t>(code.workspace_bytes * most_parts / 8)]) {
        code.pack(p.parameters, packed_.data());
        CHECK(packed_.back() == -1.0f);
        REQUIRE(code.workspace_bytes % 8 == 0);
    }
    static constexpr int most_parts = 3;

    void run(const void* input, const void* residual, void* output, int parts) const {
        std::memset(workspace_.get(), 0x5a, static_cast<std::size_t>(code_.workspace_bytes * most_parts));
        const dlas::kernel_arguments arguments = {.input = input, .second = residual, .weights = packed_.data(), .output = output, .workspace = workspace_.get(),
                                                  .workspace_stride = code_.workspace_bytes};
        if (parts == 1) code_.run(arguments);
        else run_in_parts(code_.run, arguments, parts);
    }

private:
    const fixed_kernel& code_;
    std::vector<float> packed_;
    std::unique_ptr<std::uint64_t[]> workspace_;
};

void check_apart(const fixed_kernel& code, const packed_kernel& kernel, const problem& p) {
    const dlas::conv2d_key& key = code.layer.key;
    const shape out = key.layer.out();
    byte_map input(key.layer.in, 0, key.in, 0), output(out, 0, key.out, 0), residual(key.layer.residual ? out : shape{}, 0, key.residual, 0);
    input.write(p.input, 0);
    if (key.layer.residual) residual.write(p.residual, 0);
    for (const int parts : {1, packed_kernel::most_parts}) {
        CAPTURE(parts);
        kernel.run(input.first_pixel(), key.layer.residual ? residual.first_pixel() : nullptr, output.first_pixel(), parts);
        const std::string wrong = difference(output.read<std::int8_t>(), p.expected, out.channels);
        CHECK_MESSAGE(wrong.empty(), wrong);
        CHECK(output.rest_intact());
    }
}

bool gapless(const fixed_layer& l) {
    const dlas::conv2d_key& k = l.key;
    return k.in == dense(k.layer.in) && k.out == dense(k.layer.out()) && (!k.layer.residual || k.residual == dense(k.layer.out()));
}

/// The output lies over the input, or over the residual, as close as it may.
void check_in_place(const fixed_kernel& code, const packed_kernel& kernel, const problem& p) {
    const std::size_t distance = static_cast<std::size_t>(code.in_place_distance);
    bytes memory(std::max(distance + p.input.size(), p.expected.size()), 85);
    std::ranges::copy(p.input, memory.begin() + static_cast<std::ptrdiff_t>(distance));
    kernel.run(memory.data() + distance, p.residual.data(), memory.data(), 1);
    memory.resize(p.expected.size());
    const std::string over_input = difference(memory, p.expected, code.layer.key.layer.channels);
    CHECK_MESSAGE(over_input.empty(), over_input);
    if (!code.layer.key.layer.residual) return;
    for (const std::int64_t before : {std::int64_t{0}, code.residual_distance, code.residual_distance + 5}) {
        if (before == 0 && !code.begins_with_residual) continue;
        CAPTURE(before);
        memory.assign(static_cast<std::size_t>(before), 85);
        memory.insert(memory.end(), p.residual.begin(), p.residual.end());
        kernel.run(p.input.data(), memory.data() + before, memory.data(), 1);
        memory.resize(p.expected.size());
        const std::string over_residual = difference(memory, p.expected, code.layer.key.layer.channels);
        CHECK_MESSAGE(over_residual.empty(), over_residual);
    }
}

/// Scales as the definition has them.
dlas::fixed_scale scale_by_definition(double real) {
    const multiplier m(real);
    return {static_cast<std::int32_t>(m.mantissa), m.shift};
}

/// Multipliers and shifts at their bounds and between them.
std::vector<dlas::fixed_scale> some_scales(int most_shift) {
    std::vector<dlas::fixed_scale> scales = {{0, 0}};
    dlas::seeded_numbers random(11);
    for (int shift = -31; shift <= most_shift; ++shift)
        for (const std::uint32_t multiplier : {0x40000000u, 0x40000001u, 0x7fffffffu, 0x60000000u, 0x40000000u + static_cast<std::uint32_t>(random.bits() >> 34)})
            scales.push_back({static_cast<std::int32_t>(multiplier), shift});
    return scales;
}

/// Below `most` in magnitude: its bounds, powers of two and their neighbours, what is halfway for a scale, and any others.
std::vector<std::int32_t> some_integers(std::int32_t most, const dlas::fixed_scale& scale) {
    std::vector<std::int64_t> all = {0, most - 1};
    for (std::int64_t power = 1; power <= most; power *= 2)
        for (const int beside : {-1, 0, 1}) all.push_back(power + beside);
    const double real = std::ldexp(scale.multiplier, scale.shift - 31);
    for (const double half : {0.5, 1.5, 2.5, 127.5})
        if (real > 0 && half / real < most) all.push_back(std::llround(half / real));
    dlas::seeded_numbers random(12);
    for (int i = 0; i < 40; ++i) all.push_back(static_cast<std::int64_t>(random.bits() % static_cast<std::uint64_t>(most)) >> (i % 24));
    std::vector<std::int32_t> integers;
    for (const std::int64_t x : all)
        for (const std::int64_t signed_x : {x, -x})
            if (std::abs(signed_x) < most) integers.push_back(static_cast<std::int32_t>(signed_x));
    return integers;
}

std::int64_t scaled(std::int64_t x, const dlas::fixed_scale& scale, scaling way) {
    multiplier m(1.0);
    m.mantissa = scale.multiplier;
    m.shift = scale.shift;
    return fixed_point_definition::scaled(x, m, way);
}

/// Where all below `zero` is one, it may also be `zero`.
bool agree(std::int64_t found, std::int64_t expected, std::int64_t zero, bool above_zero) {
    return found == expected || (above_zero && found <= zero && expected <= zero);
}

void check_scalers(const kernels& target) {
    std::int64_t wrong = 0;
    std::string first;
    for (const word_functions& f : target.words) {
        const std::vector<dlas::fixed_scale> scales = some_scales(27);
        // Neighbouring lanes have other scales.
        for (std::size_t s = 0; s < scales.size(); ++s)
            for (const std::int32_t x : some_integers(1 << (29 - std::max(0, scales[s].shift)), scales[s]))
                for (const std::int32_t zero : {-128, 0, 127}) {
                    std::int32_t multipliers[8] = {}, shifts[8] = {}, in[8] = {}, out[8] = {};
                    const auto lane = s % static_cast<std::size_t>(target.lanes);
                    multipliers[lane] = scales[s].multiplier;
                    shifts[lane] = scales[s].shift;
                    in[lane] = x;
                    f.scaler(multipliers, shifts, zero, in, out);
                    const std::int64_t expected = scaled(x, scales[s], f.way) + zero;
                    if (agree(out[lane], expected, zero, f.above_zero)) continue;
                    if (wrong++ == 0)
                        first = std::to_string(x) + " times " + std::to_string(scales[s].multiplier) + " * 2^" + std::to_string(scales[s].shift) + "-31 is " +
                                std::to_string(out[lane]) + ", not " + std::to_string(expected);
                }
    }
    CHECK_MESSAGE(wrong == 0, first);
}

void check_factors(const kernels& target) {
    std::int64_t wrong = 0;
    for (const word_functions& f : target.words)
        for (const dlas::fixed_scale& scale : some_scales(f.way == scaling::fixed_once ? -1 : 0)) {
            for (const std::int32_t zero : {-128, -5, 127})
                for (int x = -128; x <= 127; ++x) {
                    std::int32_t in[8] = {}, out[8] = {};
                    in[x & (target.lanes - 1)] = x;
                    f.factor_of_sums(scale, zero, 3, in, out);
                    wrong += !agree(out[x & (target.lanes - 1)], scaled(std::int64_t{x - zero} * (1 << dlas::sum_bits), scale, f.way) + 3, 3, f.above_zero);
                }
            for (const std::int32_t x : some_integers(1 << 29, scale)) {
                std::int32_t in[8] = {}, out[8] = {};
                in[target.lanes - 1] = x;
                f.factor(scale, 0, -7, in, out);
                wrong += !agree(out[target.lanes - 1], scaled(x, scale, f.way) - 7, -7, f.above_zero);
            }
        }
    CHECK(wrong == 0);
}

void check_shifts(const kernels& target) {
    std::int64_t wrong = 0;
    for (int left = 0; left < 32; ++left)
        for (int right = 0; right < 32; ++right)
            for (const std::int32_t x : some_integers(0x7fffffff, {1 << 30, 0})) {
                std::int32_t lefts[8] = {}, rights[8] = {}, in[8] = {}, out[8] = {};
                const int lane = (left + right) % target.lanes;
                lefts[lane] = left;
                rights[lane] = right;
                in[lane] = x;
                target.shifted(lefts, rights, in, out);
                wrong += out[lane] != static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << left) >> right;
            }
    CHECK(wrong == 0);
}

void check_saturation(const kernels& target) {
    for (const std::int32_t x : {-2147483647, -1000, -129, -128, -127, -1, 0, 1, 126, 127, 128, 100000, 2147483647})
        for (int count = 1; count <= target.lanes; ++count) {
            std::int32_t in[8];
            for (int lane = 0; lane < 8; ++lane) in[lane] = lane == count - 1 ? x : lane;
            const bytes untouched(static_cast<std::size_t>(count), 99);
            bytes out = untouched;
            target.saturated(in, out.data(), count);
            CHECK(out[static_cast<std::size_t>(count - 1)] == std::clamp(x, -128, 127));
        }
}

bytes random_bytes(std::int64_t count, unsigned seed, bool extreme) {
    dlas::seeded_numbers random(seed);
    bytes values(static_cast<std::size_t>(count));
    for (auto& v : values) v = static_cast<std::int8_t>(extreme ? (random.bits() % 5 == 0 ? 127 : -128) : static_cast<int>(random.bits() % 256) - 128);
    return values;
}

void check_pool(const pool_kernel& code) {
    const dlas::pool2d_layer& layer = code.key.layer;
    CAPTURE(layer.maximum);
    CAPTURE(layer.count_padding);
    for (const std::int32_t zero : {-128, -3, 127})
        for (const bool extreme : {false, true}) {
            const bytes values = random_bytes(layer.in.elements(), 3, extreme);
            bytes expected(static_cast<std::size_t>(layer.out().elements()));
            fixed_point_definition::pool2d(layer, zero, values.data(), expected.data());
            byte_map input(layer.in, 0, code.key.in, 0), output(layer.out(), 0, code.key.out, 0);
            input.write(values, 0);
            std::byte packed[dlas::fixed_parameter_bytes];
            dlas::fixed_parameters parameters;
            parameters.input_zero = zero;
            code.pack(parameters, packed);
            for (const int parts : {1, 3}) {
                run_in_parts(code.run, {.input = input.first_pixel(), .weights = packed, .output = output.first_pixel()}, parts);
                const std::string wrong = difference(output.read<std::int8_t>(), expected, layer.in.channels);
                CHECK_MESSAGE(wrong.empty(), wrong);
                CHECK(output.rest_intact());
            }
        }
}

void check_sum(const sum_kernel& code) {
    const dlas::elementwise_key& key = code.key.key;
    const std::int64_t elements = key.map.elements();
    dlas::seeded_numbers random(6);
    for (int round = 0; round < 12; ++round) {
        dlas::quantized_parameters p;
        auto any = [&random] { return dlas::quantization{static_cast<float>(random.between(0.01, 0.1)), static_cast<int>(random.bits() % 256) - 128}; };
        p.input = any();
        p.second = round % 3 == 0 ? p.input : any();
        p.output = any();
        if (round % 4 == 1) p.output.zero = -128;
        if (round == 5) p.input.scale *= 100;   // the second vanishes beside the first
        if (round == 7) p.output.scale *= 200;  // all becomes nearly nothing
        if (code.key.way == scaling::power_of_two)
            for (dlas::quantization* q : {&p.input, &p.second, &p.output}) q->scale = std::ldexp(1.0f, std::ilogb(q->scale));
        const bytes x = random_bytes(elements, static_cast<unsigned>(2 * round), round == 2), y = random_bytes(elements, static_cast<unsigned>(2 * round + 1), round == 2);
        bytes expected(x.size());
        for (std::size_t i = 0; i < x.size(); ++i)
            expected[i] = fixed_point_definition::added(x[i], p.input, y[i], p.second, p.output, key.activation, code.key.way);
        std::byte packed[dlas::fixed_parameter_bytes];
        code.pack(dlas::fixed_parameters_of(p, p.input, code.key.way, true, key.activation), packed);
        byte_map input(key.map, 0, key.in, 0), second(key.map, 0, key.second, 0), output(key.map, 0, key.out, 0);
        input.write(x, 0);
        second.write(y, 0);
        for (const int parts : {1, 3}) {
            run_in_parts(code.run, {.input = input.first_pixel(), .second = second.first_pixel(), .weights = packed, .output = output.first_pixel()}, parts);
            const std::string wrong = difference(output.read<std::int8_t>(), expected, key.map.channels);
            CHECK_MESSAGE(wrong.empty(), wrong);
            CHECK(output.rest_intact());
        }
        if (key.in != key.out || key.second != key.out) continue;
        for (const std::size_t before : {0u, 1u, 5u}) {  // the output over one of its operands, or some bytes before it
            bytes over_first(before + x.size()), over_second(before + y.size());
            std::ranges::copy(x, over_first.begin() + static_cast<std::ptrdiff_t>(before));
            std::ranges::copy(y, over_second.begin() + static_cast<std::ptrdiff_t>(before));
            code.run({.input = over_first.data() + before, .second = y.data(), .weights = packed, .output = over_first.data()});
            code.run({.input = x.data(), .second = over_second.data() + before, .weights = packed, .output = over_second.data()});
            CHECK(std::equal(expected.begin(), expected.end(), over_first.begin()));
            CHECK(std::equal(expected.begin(), expected.end(), over_second.begin()));
        }
    }
}

}  // namespace

TEST_CASE("fixed point: convolutions are the definition's, bit by bit") {
    // One problem after another, on all targets: the definition is the slowest of them.
    for (int index = 0; index < fixed_point_layers::layers.size(); ++index) {
        const fixed_layer& layer = fixed_point_layers::layers[index];
        const std::string description = std::string(layer.way == scaling::fixed_once    ? "once w"
                                                    : layer.way == scaling::fixed_twice ? "twice w"
                                                                                        : "shifted w") +
                                        std::to_string(layer.weight_bits) + " " + std::string(dlas::layer_text(layer.key.layer).view());
        CAPTURE(index);
        INFO(description);
        for (const fixed_point_layers::numbers kind : all_numbers) {
            const int numbers = static_cast<int>(kind);
            CAPTURE(numbers);
            const problem p(layer, kind, static_cast<unsigned>(index));
            for_each_target([&](const kernels& target) {
                for (const fixed_kernel& code : target.convolutions) {
                    if (code.layer.key != layer.key || code.layer.way != layer.way || code.layer.weight_bits != layer.weight_bits) continue;
                    const packed_kernel kernel(code, p);
                    check_apart(code, kernel, p);
                    if (gapless(layer)) check_in_place(code, kernel, p);
                    break;
                }
            });
        }
    }
}

TEST_CASE("fixed point: words are scaled as the definition has it") {
    for_each_target([](const kernels& target) {
        check_scalers(target);
        check_factors(target);
        check_shifts(target);
        check_saturation(target);
    });
}

TEST_CASE("fixed point: pools and sums are the definition's, bit by bit") {
    for_each_target([](const kernels& target) {
        for (const pool_kernel& code : target.pools) check_pool(code);
        for (const sum_kernel& code : target.sums) check_sum(code);
    });
}

TEST_CASE("fixed point: real numbers become the nearest multipliers") {
    dlas::seeded_numbers random(5);
    for (int i = 0; i < 20000; ++i) {
        const double real = std::ldexp(random.between(0.5, 1), static_cast<int>(random.bits() % 57) - 30);
        int exponent = 0;
        double fraction = std::round(std::frexp(real, &exponent) * 0x1p31);
        if (fraction == 0x1p31) {
            fraction /= 2;
            ++exponent;
        }
        const dlas::fixed_scale expected = {static_cast<std::int32_t>(fraction), exponent};
        CHECK(dlas::fixed_scale_of(real) == expected);
        CHECK(scale_by_definition(real) == expected);
    }
    CHECK(dlas::fixed_scale_of(1) == dlas::fixed_scale{1 << 30, 1});
    CHECK(dlas::fixed_scale_of(0.5) == dlas::fixed_scale{1 << 30, 0});
    CHECK(dlas::fixed_scale_of(std::nextafter(1.0, 0.0)) == dlas::fixed_scale{1 << 30, 1});
    CHECK(dlas::fixed_scale_of(1 - 0x1p-31) == dlas::fixed_scale{0x7fffffff, 0});
    CHECK(dlas::fixed_scale_of(0x1p-32) == dlas::fixed_scale{1 << 30, -31});
    // Nothing, and as much as there is.
    CHECK(dlas::fixed_scale_of(0x1p-33) == dlas::fixed_scale{});
    CHECK(dlas::fixed_scale_of(1e-300) == dlas::fixed_scale{});
    CHECK(dlas::fixed_scale_of(0) == dlas::fixed_scale{});
    CHECK(dlas::fixed_scale_of(-1) == dlas::fixed_scale{});
    CHECK(dlas::fixed_scale_of(NAN) == dlas::fixed_scale{});
    CHECK(dlas::fixed_scale_of(0x1p29) == dlas::fixed_scale{0x7fffffff, 29});
    CHECK(dlas::fixed_scale_of(1e30) == dlas::fixed_scale{0x7fffffff, 29});
}

TEST_CASE("fixed point: the library's own definition is the test's") {
    for (const scaling way : {scaling::fixed_once, scaling::fixed_twice})
        for (const dlas::fixed_scale& scale : some_scales(29))
            for (const std::int32_t x : some_integers(0x7fffffff, scale)) {
                const std::int64_t exactly = scaled(x, scale, way), found = dlas::scaled_exactly(x, scale, way);
                CHECK((found == exactly || (std::abs(exactly) >= 0x3fffffff && std::abs(found) >= 0x3fffffff && (found < 0) == (exactly < 0))));
            }
}

TEST_CASE("quantized values: the nearest, halves away from zero") {
    const dlas::quantization half = {0.5f, 3};
    CHECK(dlas::quantized_value(0, half) == 3);
    CHECK(dlas::quantized_value(0.25f, half) == 4);
    CHECK(dlas::quantized_value(-0.25f, half) == 2);
    CHECK(dlas::quantized_value(0.2499f, half) == 3);
    CHECK(dlas::quantized_value(-0.74f, half) == 2);
    CHECK(dlas::quantized_value(-0.75f, half) == 1);
    CHECK(dlas::quantized_value(62, half) == 127);
    CHECK(dlas::quantized_value(62.5f, half) == 127);
    CHECK(dlas::quantized_value(-65.5f, half) == -128);
    CHECK(dlas::quantized_value(-66, half) == -128);
    CHECK(dlas::quantized_value(1e30f, half) == 127);
    CHECK(dlas::quantized_value(-1e30f, half) == -128);
    CHECK(dlas::quantized_value(INFINITY, half) == 127);
    CHECK(dlas::quantized_value(-INFINITY, half) == -128);
    CHECK(dlas::quantized_value(NAN, half) == -128);
    // A large part of the range on the other side of its zero point.
    CHECK(dlas::quantized_value(-127.5f, {0.5f, 127}) == -128);
    CHECK(dlas::quantized_value(127.5f, {0.5f, -128}) == 127);
    dlas::seeded_numbers random(9);
    for (int i = 0; i < 2000; ++i) {
        const dlas::quantization q = {static_cast<float>(random.between(0.001, 3)), static_cast<int>(random.bits() % 256) - 128};
        const auto real = static_cast<float>(random.between(-300, 300));
        const double nearest = std::round(double{real / q.scale}) + q.zero;
        CHECK(dlas::quantized_value(real, q) == std::clamp(nearest, -128.0, 127.0));
    }
}
