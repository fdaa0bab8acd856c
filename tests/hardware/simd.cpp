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
