// Formats with 16-bit elements on every target: conversions against each other, convolutions against the definition.
#include "halves.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
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

/// Small integers: all sums are exact, only the result is rounded.
template <class In, class Out>
void check_kernel(const half_kernel& code) {
    const conv2d_layer& l = code.key.layer;
    const std::string description = std::string(code.target) + " " + std::string(code.algorithm) + " " + std::string(code.format) + " " + std::string(dlas::layer_text(l).view());
    INFO(description);
    dlas::seeded_numbers random(3);
    auto integers = [&](std::int64_t count, int most) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (float& v : values) v = static_cast<float>(static_cast<int>(random.bits() % static_cast<unsigned>(2 * most + 1)) - most);
        return values;
    };
    std::vector<float> filter = integers(l.filter_elements(), 8);
    // What a scale holds exactly.
    const float most = code.format == "weights_int8" ? 127.0f : 7.0f;
    if (code.format.starts_with("weights_int"))
        for (float& weight : filter) weight = weight > 3 ? most : weight < -3 ? -most : 0.0f;
    const std::vector<float> input = integers(l.in.elements(), 8), bias = integers(l.channels, 100);
    const std::vector<float> residual = integers(l.residual ? l.out().elements() : 0, 100);
    std::vector<double> expected(static_cast<std::size_t>(l.out().elements()));
    dlas::reference::conv2d(l, input.data(), filter.data(), bias.data(), l.residual ? residual.data() : nullptr, expected.data());

    half_map<In> in(l.in, l.padding, code.key.in);
    half_map<Out> out(l.out(), 0, code.key.out), second(l.residual ? l.out() : dlas::shape{}, 0, code.key.residual);
    std::size_t i = 0;
    in.for_each([&](In& x) { assign(x, input[i++]); });
    i = 0;
    if (l.residual) second.for_each([&](Out& x) { assign(x, residual[i++]); });
    std::vector<float> packed(static_cast<std::size_t>(code.weight_bytes / 4) + 1, -1.0f), workspace(static_cast<std::size_t>(code.workspace_bytes + 3) / 4 + 1, NAN);
    code.pack(filter.data(), bias.data(), packed.data());
    CHECK(packed.back() == -1.0f);
    const dlas::kernel_arguments arguments = {in.first_pixel(), l.residual ? second.first_pixel() : nullptr, packed.data(), out.first_pixel(), workspace.data()};
    for (const int parts : {1, 3}) {
        CAPTURE(parts);
        run_in_parts(code.run, arguments, parts);
        CHECK(std::isnan(workspace.back()));
        int wrong = 0;
        i = 0;
        out.for_each([&](Out& x) {
            Out rounded;
            assign(rounded, static_cast<float>(expected[i++]));
            wrong += !(value(x) == value(rounded));
        });
        CHECK(wrong == 0);
        CHECK(out.rest_intact());
    }
}

template <class In>
void check_output(const half_kernel& code) {
    if (code.key.out.type == dlas::element::bf16) check_kernel<In, dlas::bf16_value>(code);
    else if (code.key.out.type == dlas::element::f16) check_kernel<In, dlas::f16_value>(code);
    else check_kernel<In, float>(code);
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
            if (code.key.in.type == dlas::element::bf16) check_output<dlas::bf16_value>(code);
            else if (code.key.in.type == dlas::element::f16) check_output<dlas::f16_value>(code);
            else check_output<float>(code);
        }
    });
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
