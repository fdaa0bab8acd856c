// Formats with 16-bit elements on every target: conversions against each other, convolutions against the definition.
#include "halves.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <dlas/algorithms/reference.hpp>
#include <dlas/core/layer_text.hpp>
#include <dlas/core/seeded_numbers.hpp>

#include "run_in_parts.hpp"

namespace {

using namespace half_layers;

template <class Check>
void for_each_target(Check check) {
    [&]<class... Targets>(dlas::policy_list<Targets...>) {
        auto one = [&]<class Target>() {
            if (Target::available()) check.template operator()<Target>();
            else MESSAGE(Target::name << " is skipped: this CPU lacks it");
        };
        (one.template operator()<Targets>(), ...);
    }(dlas::policy_list<DLAS_UNIT_TARGETS>{});
}

/// Floats at and around all halfway points between neighbours that rounding has to tell apart.
std::vector<float> tricky_floats() {
    std::vector<float> values = {0.0f, -0.0f, INFINITY, -INFINITY, 65504.0f, 65519.996f, 65520.0f, 1e30f, -1e30f, 1e-30f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f,
                                 std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()};
    for (unsigned bits = 0; bits < 0x7c00; bits += 7) {
        const float low = dlas::to_float(dlas::f16_value{static_cast<std::uint16_t>(bits)}), high = dlas::to_float(dlas::f16_value{static_cast<std::uint16_t>(bits + 1)});
        const float middle = bits + 1 < 0x7c00 ? (low + high) / 2 : low;
        for (const float x : {low, middle, std::nextafter(middle, 0.0f), std::nextafter(middle, INFINITY), -middle}) values.push_back(x);
    }
    dlas::seeded_numbers random(5);
    for (int i = 0; i < 20000; ++i) {
        const float x = std::bit_cast<float>(static_cast<std::uint32_t>(random.bits()));
        values.push_back(std::isnan(x) ? 1.0f : x);
    }
    while (values.size() % 16 != 0) values.push_back(0.0f);
    return values;
}

/// A dense map of elements, as kernels address it, from floats.
template <class Element>
struct half_map {
    half_map(dlas::shape map, dlas::border halo, dlas::placement place)
        : map_(map), place_(place), before_(halo.top * place.row_stride + halo.left * place.pixel_stride),
          elements_(static_cast<std::size_t>((halo.top + map.height + halo.bottom - 1) * place.row_stride +
                                             (halo.left + map.width + halo.right - 1) * place.pixel_stride + map.channels)) {
        std::memset(static_cast<void*>(elements_.data()), pattern, elements_.size() * sizeof(Element));  // not a number
        for (int row = -halo.top; row < map.height + halo.bottom; ++row)
            for (int column = -halo.left; column < map.width + halo.right; ++column)
                for (int channel = 0; channel < map.channels; ++channel) first_pixel()[row * place.row_stride + column * place.pixel_stride + channel] = {};
    }
    /// Forgets the map; whether all else is as it was.
    bool rest_intact() {
        for_each([](Element& x) { std::memset(static_cast<void*>(&x), pattern, sizeof x); });
        const auto* bytes = reinterpret_cast<const unsigned char*>(elements_.data());
        for (std::size_t i = 0; i < elements_.size() * sizeof(Element); ++i)
            if (bytes[i] != pattern) return false;
        return true;
    }
    static constexpr unsigned char pattern = 0xff;

    Element* first_pixel() { return elements_.data() + before_; }
    void for_each(auto visit) {
        for (int row = 0; row < map_.height; ++row)
            for (int column = 0; column < map_.width; ++column)
                for (int channel = 0; channel < map_.channels; ++channel) visit(first_pixel()[row * place_.row_stride + column * place_.pixel_stride + channel]);
    }

    dlas::shape map_;
    dlas::placement place_;
    int before_;
    std::vector<Element> elements_;
};

void assign(float& to, float x) { to = x; }
void assign(dlas::f16_value& to, float x) { to = dlas::to_f16(x); }
void assign(dlas::bf16_value& to, float x) { to = dlas::to_bf16(x); }
float value(float x) { return x; }
float value(dlas::f16_value x) { return dlas::to_float(x); }
float value(dlas::bf16_value x) { return dlas::to_float(x); }

/// What a layer is given, as floats that its maps hold exactly.
struct numbers {
    std::vector<float> filter, input, bias, residual;
};

std::string described(const half_kernel& code) {
    return std::string(code.target) + " " + std::string(code.algorithm) + " " + std::string(code.format) + " " + std::string(dlas::layer_text(code.key.layer).view());
}

template <class Number>
std::vector<float> some(std::int64_t count, Number number) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& v : values) v = number();
    return values;
}

/// The layer's outputs by one thread; by three they must be the same, and nothing else may have been written.
template <class In, class Out>
std::vector<float> outputs_of(const half_kernel& code, const numbers& n) {
    const conv2d_layer& l = code.key.layer;
    half_map<In> in(l.in, l.padding, code.key.in);
    half_map<Out> out(l.out(), 0, code.key.out), second(l.residual ? l.out() : dlas::shape{}, 0, code.key.residual);
    std::size_t i = 0;
    in.for_each([&](In& x) { assign(x, n.input[i++]); });
    i = 0;
    if (l.residual) second.for_each([&](Out& x) { assign(x, n.residual[i++]); });
    std::vector<float> packed(static_cast<std::size_t>(code.weight_bytes / 4) + 1, -1.0f), workspace(static_cast<std::size_t>(code.workspace_bytes + 3) / 4 + 1, NAN);
    code.pack(n.filter.data(), n.bias.data(), packed.data());
    CHECK(packed.back() == -1.0f);
    const dlas::kernel_arguments arguments = {in.first_pixel(), l.residual ? second.first_pixel() : nullptr, packed.data(), out.first_pixel(), workspace.data()};
    std::vector<float> by_parts[2];
    for (const int parts : {1, 3}) {
        CAPTURE(parts);
        run_in_parts(code.run, arguments, parts);
        CHECK(std::isnan(workspace.back()));
        out.for_each([&](Out& x) { by_parts[parts / 2].push_back(value(x)); });
        CHECK(out.rest_intact());
    }
    CHECK(by_parts[0] == by_parts[1]);
    return by_parts[0];
}

template <class Check>
void with_elements(dlas::element type, Check check) {
    if (type == dlas::element::bf16) check.template operator()<dlas::bf16_value>();
    else if (type == dlas::element::f16) check.template operator()<dlas::f16_value>();
    else check.template operator()<float>();
}

std::vector<double> by_definition(const conv2d_layer& l, const numbers& n) {
    std::vector<double> expected(static_cast<std::size_t>(l.out().elements()));
    dlas::reference::conv2d(l, n.input.data(), n.filter.data(), n.bias.data(), l.residual ? n.residual.data() : nullptr, expected.data());
    return expected;
}

/// Small integers: all sums are exact, only the result is rounded.
template <class In, class Out>
void check_integers(const half_kernel& code) {
    const conv2d_layer& l = code.key.layer;
    dlas::seeded_numbers random(3);
    auto integers = [&](std::int64_t count, int most) {
        return some(count, [&] { return static_cast<float>(static_cast<int>(random.bits() % static_cast<unsigned>(2 * most + 1)) - most); });
    };
    numbers n;
    n.filter = integers(l.filter_elements(), 8);
    // What a scale holds exactly.
    const float most = code.format == "weights_int8" ? 127.0f : 7.0f;
    if (code.format.starts_with("weights_int"))
        for (float& weight : n.filter) weight = weight > 3 ? most : weight < -3 ? -most : 0.0f;
    n.input = integers(l.in.elements(), 8);
    n.bias = integers(l.channels, 100);
    n.residual = integers(l.residual ? l.out().elements() : 0, 100);
    const std::vector<double> expected = by_definition(l, n);
    const std::vector<float> outputs = outputs_of<In, Out>(code, n);
    int wrong = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        Out rounded;
        assign(rounded, static_cast<float>(expected[i]));
        wrong += !(outputs[i] == value(rounded));
    }
    CHECK(wrong == 0);
}

/// What rounding to a type may cost, relative to the number.
template <class Element>
constexpr double roundoff = std::is_same_v<Element, dlas::f16_value> ? 0x1p-11 : std::is_same_v<Element, dlas::bf16_value> ? 0x1p-8 : 0x1p-24;

/// Real numbers, and weights that their elements hold exactly: `sums` is what a sum may lose of the sum of its products' magnitudes, and the
/// result is rounded.
template <class In, class Out>
void check_reals(const half_kernel& code, double sums) {
    const conv2d_layer& l = code.key.layer;
    dlas::seeded_numbers random(4);
    auto reals = [&](std::int64_t count, auto element) {
        return some(count, [&] {
            assign(element, static_cast<float>(random.between(-1.0, 1.0)));
            return value(element);
        });
    };
    numbers n;
    n.filter = code.format.ends_with("bf16") ? reals(l.filter_elements(), dlas::bf16_value{}) : reals(l.filter_elements(), dlas::f16_value{});
    n.input = reals(l.in.elements(), In{});
    n.bias = reals(l.channels, float{});
    n.residual = reals(l.residual ? l.out().elements() : 0, Out{});
    numbers magnitudes = n;
    for (std::vector<float>* of : {&magnitudes.filter, &magnitudes.input})
        for (float& x : *of) x = std::abs(x);
    magnitudes.bias = std::vector<float>(n.bias.size(), 2.0f);  // of the bias and the residual
    conv2d_layer plain = l;
    plain.activation = dlas::activation::none;
    plain.residual = false;
    const std::vector<double> expected = by_definition(l, n), most = by_definition(plain, magnitudes);
    const std::vector<float> outputs = outputs_of<In, Out>(code, n);
    int wrong = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i)
        wrong += !(std::abs(double{outputs[i]} - expected[i]) <= sums * most[i] + roundoff<Out> * std::abs(expected[i]) + 1e-6);
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("halves: conversions are exact where they can be and round to even where not") {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        const dlas::f16_value half{static_cast<std::uint16_t>(bits)};
        const dlas::bf16_value brain{static_cast<std::uint16_t>(bits)};
        const bool number = (bits & 0x7c00) != 0x7c00 || (bits & 0x3ff) == 0, brain_number = (bits & 0x7f80) != 0x7f80 || (bits & 0x7f) == 0;
        CHECK((number ? dlas::to_f16(dlas::to_float(half)) == half : std::isnan(dlas::to_float(half))));
        CHECK((brain_number ? dlas::to_bf16(dlas::to_float(brain)) == brain : std::isnan(dlas::to_float(brain))));
    }
    CHECK(dlas::to_float(dlas::f16_value{0x3c00}) == 1.0f);
    CHECK(dlas::to_float(dlas::f16_value{0x0001}) == 0x1p-24f);
    CHECK(dlas::to_float(dlas::f16_value{0xfbff}) == -65504.0f);
    CHECK(dlas::to_f16(2049.0f) == dlas::f16_value{0x6800});  // between 2048 and 2050: to the even one
    CHECK(dlas::to_f16(2051.0f) == dlas::f16_value{0x6802});
    CHECK(dlas::to_bf16(257.0f) == dlas::bf16_value{0x4380});  // 256
    CHECK(dlas::to_bf16(259.0f) == dlas::bf16_value{0x4382});  // 260
    CHECK(std::isnan(dlas::to_float(dlas::to_f16(NAN))));
    CHECK(std::isnan(dlas::to_float(dlas::to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

TEST_CASE("halves: vectors convert as single numbers do") {
    const std::vector<float> floats = tricky_floats();
    for_each_target([&]<class Target>() {
        const std::string_view name = Target::name;
        CAPTURE(name);
        const conversions by = compiled_conversions<Target>();
        int wrong = 0;
        for (std::size_t i = 0; i < floats.size(); i += 16) {
            dlas::f16_value halves[16];
            dlas::bf16_value brains[16];
            float wide[16];
            by.float_to_f16(&floats[i], halves);
            by.float_to_bf16(&floats[i], brains);
            for (std::size_t k = 0; k < 16; ++k) wrong += halves[k] != dlas::to_f16(floats[i + k]);
            for (std::size_t k = 0; k < 16; ++k) wrong += brains[k] != dlas::to_bf16(floats[i + k]);
            by.f16_to_float(halves, wide);
            for (int k = 0; k < 16; ++k) wrong += wide[k] != dlas::to_float(halves[k]);
            by.bf16_to_float(brains, wide);
            for (int k = 0; k < 16; ++k) wrong += wide[k] != dlas::to_float(brains[k]);
        }
        CHECK(wrong == 0);
        const float nan[16] = {NAN, -NAN, std::bit_cast<float>(0x7f800001u)};
        dlas::bf16_value brains[16];
        dlas::f16_value halves[16];
        by.float_to_bf16(nan, brains);
        by.float_to_f16(nan, halves);
        for (int k = 0; k < 3; ++k) CHECK((std::isnan(dlas::to_float(brains[k])) && std::isnan(dlas::to_float(halves[k]))));
    });
}

TEST_CASE("halves: convolutions of small integers are exact but for the result's rounding") {
    for_each_target([]<class Target>() {
        for (const half_kernel& code : compiled_halves<Target>()) {
            const std::string description = described(code);
            INFO(description);
            with_elements(code.key.in.type, [&]<class In>() { with_elements(code.key.out.type, [&]<class Out>() { check_integers<In, Out>(code); }); });
        }
    });
}

TEST_CASE("halves: convolutions of real numbers are off by what their elements round, and sums of halves by that of each product") {
    int of_halves = 0;
    for_each_target([&]<class Target>() {
        for (const half_kernel& code : compiled_halves<Target>()) {
            if (code.format.starts_with("weights_int")) continue;
            const std::string description = described(code);
            INFO(description);
            const bool halves = Target::f16_sums && code.format == "f16" && code.key.in.type == dlas::element::f16 && !code.key.layer.depthwise();
            of_halves += halves;
            const double sums = halves ? dlas::dots_in_halves * 0x1p-11 : 1e-6;
            with_elements(code.key.in.type, [&]<class In>() { with_elements(code.key.out.type, [&]<class Out>() { check_reals<In, Out>(code, sums); }); });
        }
    });
    CHECK(of_halves > 0);
}

TEST_CASE("halves: what one weight loses by rounding the next one is given") {
    for_each_target([]<class Target>() {
        int checked = 0;
        for (const half_kernel& code : compiled_halves<Target>()) {
            const conv2d_layer& l = code.key.layer;
            // One pixel, all inputs 1, floats out: the output is the sum of the rounded weights.
            if (l.in.pixels() != 1 || l.kernel != dlas::extent(1) || l.residual || l.activation == dlas::activation::relu6 || code.key.out.type != dlas::element::f32 || l.groups != 1 ||
                code.format.starts_with("weights_int"))
                continue;
            dlas::seeded_numbers random(9);
            std::vector<float> filter(static_cast<std::size_t>(l.filter_elements())), bias(static_cast<std::size_t>(l.channels), 0.0f);
            for (float& w : filter) w = static_cast<float>(random.between(0.5, 1.0));
            std::vector<float> packed(static_cast<std::size_t>(code.weight_bytes / 4)), input(static_cast<std::size_t>(l.in.channels), 1.0f);
            std::vector<float> output(static_cast<std::size_t>(l.channels)), workspace(static_cast<std::size_t>(code.workspace_bytes) / 4 + 1);
            code.pack(filter.data(), bias.data(), packed.data());
            code.run({input.data(), nullptr, packed.data(), output.data(), workspace.data()});
            for (int channel = 0; channel < l.channels; ++channel) {
                double sum = 0;
                for (int i = 0; i < l.in.channels; ++i) sum += double{filter[static_cast<std::size_t>(channel * l.in.channels + i)]};
                CHECK(std::abs(double{output[static_cast<std::size_t>(channel)]} - sum) <= (code.format == "weights_bf16" ? 0x1p-9 : 0x1p-12) + 1e-5);
            }
            ++checked;
        }
        CHECK(checked > 0);
    });
}
