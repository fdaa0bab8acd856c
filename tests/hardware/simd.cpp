// Each target's vectors element by element, and what the targets say of themselves.
#include "simd.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <string_view>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float guard = -77777.0f;

/// Any length, so that the address sanitizer sees what is read beyond it.
using floats = std::vector<float>;

floats counting(int count, float first, float step) {
    floats values;
    for (int i = 0; i < count; ++i) values.push_back(first + step * static_cast<float>(i));
    return values;
}

/// Operands whose sums and products round, with signs, zeros, subnormals and infinities among them. Four cyclic shifts of `b` against
/// `a` bring each lane several pairs.
const floats a_values = {1.0f,         -2.5f,   0.1f, 3.3333333f, 0.0f,      1e-40f,   1e30f, -0.7f,
                         16777217.0f, -1e-20f, 5.0f, 6.5f,       -infinity, 123.456f, -9.0f, 0.3f};
const floats b_values = {0.3f, 7.1f, -0.1f, 1e-7f, -4.0f, 2e-40f, 3.0f, -0.7f, 1.0000001f, 1e-20f, -5.0f, 6.0f, 2.0f, 1e10f, infinity, 0.7f};
const floats c_values = {1e-8f, -1.0f, 0.01f, 2.2f, 0.0f, 1.0f, -3e30f, 0.49f, -1.0f, 1.0f, 25.0f, -39.0f, 1.0f, 0.1f, 0.2f, -0.21f};

floats shifted(const floats& values, int by, int count) {
    floats result;
    for (int i = 0; i < count; ++i) result.push_back(values[static_cast<std::size_t>(i + by) % values.size()]);
    return result;
}

void check_memory(const simd_functions& simd) {
    const int lanes = simd.lanes;
    // Every alignment that a float can have, and no element before or after the vector.
    for (int offset = 0; offset < lanes; ++offset) {
        const floats from = counting(offset + lanes, 1, 1);
        floats to(static_cast<std::size_t>(offset + lanes + 1), guard);
        simd.load_store(from.data() + offset, to.data() + offset);
        floats expected = from;
        std::fill_n(expected.begin(), offset, guard);
        expected.push_back(guard);
        CHECK(to == expected);
    }
    for (int n = 1; n <= lanes; ++n) {
        CAPTURE(n);
        const floats whole = counting(lanes, 1, 1), first = counting(n, 1, 1);
        floats expected = whole, to(static_cast<std::size_t>(lanes), guard);
        std::fill(expected.begin() + n, expected.end(), 0.0f);
        simd.load_first[n](first.data(), to.data());  // `first` ends with element n
        CHECK(to == expected);

        floats stored(static_cast<std::size_t>(n), guard);
        simd.store_first[n](whole.data(), stored.data());
        CHECK(stored == first);
        floats surrounded(static_cast<std::size_t>(lanes + 2), guard);
        simd.store_first[n](whole.data(), surrounded.data() + 1);
        CHECK(surrounded.front() == guard);
        CHECK(std::equal(first.begin(), first.end(), surrounded.begin() + 1));
        CHECK(std::all_of(surrounded.begin() + 1 + n, surrounded.end(), [](float value) { return value == guard; }));
    }
}

void check_arithmetic(const simd_functions& simd, bool fused) {
    const int lanes = simd.lanes;
    const auto size = static_cast<std::size_t>(lanes);
    floats to(size);
    for (const float value : {0.0f, -1.25f, 1e-40f, infinity}) {
        simd.broadcast(value, to.data());
        CHECK(to == floats(size, value));
    }
    for (int by = 0; by < static_cast<int>(a_values.size()); ++by)
        for (const int against : {0, 1, 6, 11}) {
            const floats a = shifted(a_values, by, lanes), b = shifted(b_values, by + against, lanes), c = shifted(c_values, by, lanes);
            auto check_binary = [&](std::string_view name, simd_functions::binary function, auto expected) {
                function(a.data(), b.data(), to.data());
                for (std::size_t i = 0; i < size; ++i) {
                    const float wanted = expected(a[i], b[i]);
                    CHECK_MESSAGE((to[i] == wanted || (std::isnan(to[i]) && std::isnan(wanted))),
                                  name << "(" << a[i] << ", " << b[i] << ") is " << to[i] << ", not " << wanted);
                }
            };
            check_binary("add", simd.add, [](float x, float y) { return x + y; });
            check_binary("subtract", simd.subtract, [](float x, float y) { return x - y; });
            check_binary("multiply", simd.multiply, [](float x, float y) { return x * y; });
            check_binary("max", simd.max, [](float x, float y) { return std::max(x, y); });
            check_binary("min", simd.min, [](float x, float y) { return std::min(x, y); });

            const unsigned above = simd.above(a.data(), b.data());
            for (int i = 0; i < 32; ++i) CHECK(((above >> i) & 1) == (i < lanes && a[static_cast<std::size_t>(i)] > b[static_cast<std::size_t>(i)]));

            simd.multiply_add(a.data(), b.data(), c.data(), to.data());
            for (std::size_t i = 0; i < size; ++i) {
                const float once = std::fma(a[i], b[i], c[i]);
                const float product = a[i] * b[i];
                const float twice = product + c[i];
                const bool nan = std::isnan(to[i]) && std::isnan(once);
                CHECK_MESSAGE((nan || to[i] == once || (!fused && to[i] == twice)),
                              "multiply_add(" << a[i] << ", " << b[i] << ", " << c[i] << ") is " << to[i] << ", not " << once);
            }
        }
}

void check_quotients(const simd_functions& simd) {
    const auto size = static_cast<std::size_t>(simd.lanes);
    floats to(size), power(size);
    for (const float a : {0.0f, 1.0f, -3.0f, 0.1f, 7e20f, -1e-10f})
        for (const float b : {1.0f, 1.0000001f, 3.0f, 0.7f, 1234567.0f, 1e10f, 8e37f, 1.2e-38f}) {
            const double wanted = double{a} / double{b};
            if (wanted != 0 && (std::abs(wanted) < 1.2e-38 || std::abs(wanted) > 3e38)) continue;
            simd.divide(floats(size, a).data(), floats(size, b).data(), to.data());
            for (const float quotient : to)
                CHECK_MESSAGE(std::abs(double{quotient} - wanted) <= 0x1p-23 * std::abs(wanted), a << " / " << b << " is " << quotient);
        }
    for (const float x : {0.0f, 1.5f, -1.5f, 2.0f, -2.0f, 2.5f, -1e30f, infinity, -infinity, 1e-40f}) {
        simd.clamp(floats(size, x).data(), floats(size, 2.0f).data(), to.data());
        CHECK(to == floats(size, std::clamp(x, -2.0f, 2.0f)));
    }
    for (int wanted = -126; wanted <= 127; ++wanted)
        for (const float beside : {0.0f, 0.25f, -0.375f, 0.49f}) {
            simd.round_product(floats(size, 2 * (static_cast<float>(wanted) + beside)).data(), floats(size, 0.5f).data(), to.data(), power.data());
            CHECK(to == floats(size, static_cast<float>(wanted)));
            CHECK(power == floats(size, std::ldexp(1.0f, wanted)));
        }
}

void check_bytes(const simd_functions& simd) {
    const auto size = static_cast<std::size_t>(simd.lanes);
    for (int first = -128; first < 128; ++first) {
        std::vector<std::int8_t> from(size);
        for (std::size_t i = 0; i < size; ++i) from[i] = static_cast<std::int8_t>(first + 37 * static_cast<int>(i));
        floats bytes(size), low(size), high(size);
        simd.load_reals(from.data(), bytes.data(), low.data(), high.data());
        for (std::size_t i = 0; i < size; ++i) {
            CHECK(bytes[i] == from[i]);
            CHECK(low[i] == ((from[i] & 15) ^ 8) - 8);
            CHECK(high[i] == (from[i] >> 4));
        }
    }
}

void check_shorts(const simd_functions& simd, bool unsigned_bytes) {
    const auto lanes = static_cast<std::size_t>(simd.lanes), twice = 2 * lanes;
    using shorts = std::vector<std::int16_t>;
    using sums = std::vector<std::int32_t>;
    constexpr std::int16_t untouched = 0x55a5;
    dlas::seeded_numbers random(5);
    auto drawn = [&]<class Integer>(std::vector<Integer> values) {
        for (auto& x : values) x = static_cast<Integer>(random.bits());
        return values;
    };
    for (int round = 0; round < 20; ++round) {
        const sums a = drawn(sums(lanes)), b = drawn(sums(lanes));
        sums sum(lanes), difference(lanes), quarter(lanes);
        simd.sums(a.data(), b.data(), sum.data(), difference.data(), quarter.data());
        const shorts x = drawn(shorts(twice)), y = drawn(shorts(twice)), weights = drawn(shorts(twice));
        shorts short_sum(twice), short_difference(twice);
        simd.shorts(x.data(), y.data(), short_sum.data(), short_difference.data());
        std::vector<std::int8_t> bytes = drawn(std::vector<std::int8_t>(twice));
        sums with_8(lanes), with_16(lanes);
        simd.short_dots(x.data(), bytes.data(), weights.data(), with_8.data(), with_16.data());
        for (std::size_t i = 0; i < lanes; ++i) {
            const auto wrapped = [](std::int64_t wide) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(wide)); };
            CHECK(sum[i] == wrapped(std::int64_t{a[i]} + b[i]));
            CHECK(difference[i] == wrapped(std::int64_t{a[i]} - b[i]));
            CHECK(quarter[i] == a[i] >> 2);
            CHECK(with_8[i] == x[0] * bytes[2 * i] + x[1] * bytes[2 * i + 1]);
            CHECK(with_16[i] == wrapped(std::int64_t{x[0]} * weights[2 * i] + std::int64_t{x[1]} * weights[2 * i + 1]));
        }
        for (std::size_t i = 0; i < twice; ++i) {
            CHECK(short_sum[i] == static_cast<std::int16_t>(x[i] + y[i]));
            CHECK(short_difference[i] == static_cast<std::int16_t>(x[i] - y[i]));
        }
        for (std::size_t n = 1; n <= twice; ++n) {
            const std::vector<std::int8_t> first(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));  // no more, so that a sanitizer sees it
            shorts wide(twice, untouched);
            simd.short_bytes[n](first.data(), wide.data());
            for (std::size_t i = 0; i < twice; ++i)
                CHECK(wide[i] == (i >= n ? 0 : unsigned_bytes ? static_cast<std::uint8_t>(first[i]) : first[i]));
        }
        for (std::size_t n = 1; n <= lanes; ++n) {
            const shorts first(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n)), second(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(n));
            floats reals(lanes);
            simd.load_short_reals[n](first.data(), reals.data());
            for (std::size_t i = 0; i < lanes; ++i) CHECK(reals[i] == (i < n ? first[i] : 0));
            shorts stored(n + 1, untouched);
            for (std::size_t i = 0; i < lanes; ++i) reals[i] = static_cast<float>(x[i]) * 1.25f;
            simd.store_short_reals[n](reals.data(), stored.data());
            CHECK(stored[n] == untouched);
            for (std::size_t i = 0; i < n; ++i) CHECK(stored[i] == std::clamp(std::nearbyint(reals[i]), -32768.0f, 32767.0f));
            sums dots(lanes);
            simd.interleaved[n](first.data(), second.data(), weights.data(), dots.data());
            for (std::size_t i = 0; i < n; ++i) CHECK(std::int64_t{dots[i]} == std::int64_t{x[i]} * weights[2 * i] + std::int64_t{y[i]} * weights[2 * i + 1]);
        }
    }
}

template <class Target>
void check_target() {
    CAPTURE(Target::name);
    const simd_functions& simd = compiled_simd<Target>();
    CHECK(simd.lanes == Target::vector_bytes / 4);
    CHECK(simd.lanes <= most_lanes);
    if (!Target::available()) {
        MESSAGE(Target::name << " is skipped: this CPU lacks it");
        return;
    }
    check_memory(simd);
    check_arithmetic(simd, Target::fused_multiply_add);
    check_quotients(simd);
    check_bytes(simd);
    check_shorts(simd, Target::quantized_element == dlas::element::u8);
}

template <class... Targets>
void check_targets() {
    (check_target<Targets>(), ...);
}

/// What must hold between a target and one that it is derived from.
template <class Base, class Target>
void check_inheritance() {
    if constexpr (!std::same_as<Base, Target> && std::derived_from<Target, Base>) {
        CAPTURE(Base::name);
        CAPTURE(Target::name);
        CHECK(Target::name != Base::name);
        CHECK((!Target::available() || Base::available()));
        CHECK(Target::vector_bytes >= Base::vector_bytes);
        CHECK(Target::vector_registers >= Base::vector_registers);
        CHECK((Target::fused_multiply_add || !Base::fused_multiply_add));
    }
}

/// Names are unique, and a target comes after those that it is derived from.
template <class First, class... Rest>
void check_order() {
    CAPTURE(First::name);
    CHECK(dlas::target_policy<First>);
    CHECK(First::vector_bytes % 4 == 0);
    CHECK((true && ... && (First::name != Rest::name)));
    CHECK((true && ... && !std::derived_from<First, Rest>));
    if constexpr (sizeof...(Rest) > 0) check_order<Rest...>();
}

}  // namespace

TEST_CASE("simd: every function of the vocabulary on every target") { check_targets<DLAS_UNIT_TARGETS>(); }

TEST_CASE("targets: what they say of themselves agrees") {
    []<class... Targets>(dlas::policy_list<Targets...>) {
        auto against_all = []<class Target>() { (check_inheritance<Targets, Target>(), ...); };
        (against_all.template operator()<Targets>(), ...);
        check_order<Targets...>();
    }(dlas::targets{});
    CHECK(dlas::scalar::available());
    CHECK(dlas::compiled_for<dlas::scalar>);
}
