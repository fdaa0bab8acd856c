// Convolutions of one-bit weights and inputs on every target: against the definition, by one thread and by three, and the same on all targets.
#include "binary.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "feature_maps.hpp"
#include "run_in_parts.hpp"

namespace {

using namespace binary_layers;
using namespace feature_maps;

/// A third of the inputs in [5, 6), the others in [0, 1): none of them, and no zero of the padding, is near their mean. A `shift` of -4
/// moves the mean below zero.
std::vector<float> two_clusters(numbers& from, std::int64_t count, float shift) {
    std::vector<float> values = from.reals(count, 0, 1);
    const std::vector<float> order = from.reals(count, 0, 1);
    std::vector<std::size_t> shuffled(values.size());
    for (std::size_t i = 0; i < shuffled.size(); ++i) shuffled[i] = i;
    std::ranges::sort(shuffled, {}, [&](std::size_t i) { return order[i]; });
    for (std::size_t i = 0; i < (values.size() + 2) / 3; ++i) values[shuffled[i]] += 5;
    for (float& value : values) value += shift;
    return values;
}

/// What a layer's inputs stand for.
struct levels {
    double threshold = 0, low = 0, high = 0;
    double farthest = 0;  ///< of the inputs from the threshold

    explicit levels(const std::vector<float>& inputs) {
        for (const float x : inputs) threshold += double{x} / static_cast<double>(inputs.size());
        if (std::ranges::count(inputs, inputs[0]) == std::ssize(inputs)) threshold = double{inputs[0]};
        double above = 0, below = 0;
        for (const float x : inputs) {
            (double{x} > threshold ? high : low) += double{x};
            (double{x} > threshold ? above : below) += 1;
            farthest = std::max(farthest, std::abs(double{x} - threshold));
        }
        high = above > 0 ? high / above : threshold;
        low = below > 0 ? low / below : threshold;
    }
};

/// Outputs and the bounds of their errors.
struct expectation {
    std::vector<double> values, bounds;
};

double activated(activation function, double x) {
    if (function == activation::relu || function == activation::relu6) x = std::max(x, 0.0);
    return function == activation::relu6 ? std::min(x, 6.0) : x;
}

expectation define(const conv2d_layer& l, const std::vector<float>& input, const std::vector<float>& filter, const std::vector<float>& bias,
                   const std::vector<float>& residual) {
    const levels of(input);
    const int terms = l.group_in() * l.kernel.area();
    // A level is the threshold and a mean of distances from it, each of which is rounded, then added to up to three rows' terms.
    const double level_error = rounding_bound(l.in.width * l.in.channels / 32 + l.in.width + 40) * 2 * of.farthest +
                               rounding_bound(2) * std::max(std::abs(of.low), std::abs(of.high));
    const double step_error = 2 * level_error + rounding_bound(1) * (of.high - of.low);
    expectation result;
    for (int row = 0; row < l.out().height; ++row)
        for (int column = 0; column < l.out().width; ++column)
            for (int channel = 0; channel < l.channels; ++channel) {
                const std::size_t first_weight = static_cast<std::size_t>(channel) * static_cast<std::size_t>(terms);
                double alpha = 0, sum = 0, magnitude = 0;
                int signs = 0, set_signs = 0;
                for (int i = 0; i < terms; ++i) alpha += std::abs(double{filter[first_weight + static_cast<std::size_t>(i)]}) / terms;
                for (int i = 0; i < terms; ++i) {
                    const int at = i % l.kernel.area(), y = row * l.stride.height + at / l.kernel.width * l.dilation.height - l.padding.top;
                    const int x = column * l.stride.width + at % l.kernel.width * l.dilation.width - l.padding.left;
                    const int in = channel / l.group_out() * l.group_in() + i / l.kernel.area();
                    const bool inside = y >= 0 && y < l.in.height && x >= 0 && x < l.in.width;
                    const double value = inside ? double{input[static_cast<std::size_t>((y * l.in.width + x) * l.in.channels + in)]} : 0.0;
                    const float weight = filter[first_weight + static_cast<std::size_t>(i)];
                    if (l.depthwise()) {
                        sum += value * double{weight};
                        magnitude += std::abs(value * double{weight});
                        continue;
                    }
                    const int sign = weight < 0 ? -1 : 1;
                    const bool set = value > of.threshold;
                    sum += sign * alpha * (set ? of.high : of.low);
                    signs += sign;
                    set_signs += set ? sign : 0;
                }
                const std::size_t o = result.values.size();
                double bound = 0;
                if (!l.depthwise()) {
                    magnitude = alpha * (std::abs(signs * of.low) + std::abs(set_signs * (of.high - of.low)));
                    bound = alpha * (level_error * std::abs(signs) + step_error * std::abs(set_signs));
                }
                const double added = double{bias[static_cast<std::size_t>(channel)]} + (l.residual ? double{residual[o]} : 0.0);
                magnitude += std::abs(double{bias[static_cast<std::size_t>(channel)]}) + (l.residual ? std::abs(double{residual[o]}) : 0.0);
                bound += rounding_bound(l.depthwise() ? terms + 2 : 6) * magnitude * (1 + 1e-6);
                result.values.push_back(activated(l.activation, sum + added));
                result.bounds.push_back(bound);
            }
    return result;
}

template <class Check>
void for_each_kernel(Check check) {
    [&]<class... Targets>(dlas::policy_list<Targets...>) {
        auto one = [&]<class Target>() {
            if (!Target::available()) {
                MESSAGE(Target::name << " is skipped: this CPU lacks it");
                return;
            }
            for (const placed_kernel& code : compiled_binary<Target>()) {
                int index = 0;
                while (key(index) != code.key) ++index;
                check(code, index);
            }
        };
        (one.template operator()<Targets>(), ...);
    }(dlas::policy_list<DLAS_UNIT_TARGETS>{});
}

}  // namespace

TEST_CASE("binary: convolutions are as defined, whatever the threads, and the same on every target") {
    std::map<int, std::vector<float>> first_target;
    std::map<int, expectation> expected;
    double largest = 0;
    for_each_kernel([&](const placed_kernel& code, int index) {
        const conv2d_layer& l = code.key.layer;
        const std::string description = std::string(code.target) + " " + std::string(dlas::layer_text(l).view());
        INFO(description);
        CHECK(code.algorithm == (l.depthwise() ? "depthwise" : "direct"));
        numbers random(static_cast<unsigned>(index + 1));
        const std::vector<float> input = two_clusters(random, l.in.elements(), index % 2 == 0 ? 0.0f : -4.0f);
        std::vector<float> filter = random.reals(l.filter_elements(), -1, 1);
        for (std::size_t i = 0; i < filter.size(); i += 11) filter[i] = i % 2 == 0 ? 0.0f : -0.0f;
        const std::vector<float> bias = random.reals(l.channels, -10, 10), residual = random.reals(l.residual ? l.out().elements() : 0, -10, 10);
        if (!expected.contains(index)) expected[index] = define(l, input, filter, bias, residual);

        placed_map in(l.in, l.padding, code.key.in), out(l.out(), 0, code.key.out);
        placed_map second(l.residual ? l.out() : dlas::shape{}, 0, code.key.residual);
        in.write(input);
        if (l.residual) second.write(residual);
        buffer packed(code.weight_bytes / 4), workspace(code.workspace_bytes / 4);
        code.pack(filter.data(), bias.data(), packed.data());
        CHECK(packed.guards_intact());
        const dlas::kernel_arguments arguments = {in.first_pixel(), l.residual ? second.first_pixel() : nullptr, packed.data(), out.first_pixel(),
                                                  workspace.data()};
        for (const int parts : {1, 3}) {
            CAPTURE(parts);
            out.forget();
            run_in_parts(code.run, arguments, parts);
            const std::vector<float> result = out.read();
            const comparison found = compare(result, expected[index].values, expected[index].bounds, l.out());
            CHECK(found.first_wrong == "");
            largest = std::max(largest, found.largest);
            CHECK(out.rest_intact());
            CHECK(workspace.guards_intact());
            // Depthwise layers are floats, which targets round in different ways.
            if (parts == 1 && (l.depthwise() || !first_target.contains(index))) first_target[index] = result;
            CHECK(result == first_target[index]);
        }
    });
    MESSAGE("largest error: ", largest, " of its bound");
}

TEST_CASE("binary: maps of one number, and schedules that say nothing") {
    for_each_kernel([](const placed_kernel& code, int) {
        const conv2d_layer& l = code.key.layer;
        if (l.depthwise() || l.residual || !l.padding.empty()) return;
        const std::string description = std::string(code.target) + " " + std::string(dlas::layer_text(l).view());
        INFO(description);
        for (const float number : {0.0f, 0.1f, -3.7f}) {
            CAPTURE(number);
            // Signs and inputs are what they are: the sum is that of floats.
            std::vector<float> filter(static_cast<std::size_t>(l.filter_elements()));
            for (std::size_t i = 0; i < filter.size(); ++i) filter[i] = i % 3 == 0 ? -1.0f : 1.0f;
            const std::vector<float> bias(static_cast<std::size_t>(l.channels), 1.0f), residual;
            const std::vector<float> input(static_cast<std::size_t>(l.in.elements()), number);
            placed_map in(l.in, l.padding, code.key.in), out(l.out(), 0, code.key.out);
            in.write(input);
            buffer packed(code.weight_bytes / 4), workspace(code.workspace_bytes / 4);
            code.pack(filter.data(), bias.data(), packed.data());
            code.run({in.first_pixel(), nullptr, packed.data(), out.first_pixel(), workspace.data()});
            expectation expected = define(l, input, filter, bias, residual);
            // The mean of equal numbers may be rounded to one beside them.
            for (double& bound : expected.bounds) bound += 1e-4 * std::abs(double{number}) * l.group_in() * l.kernel.area();
            CHECK(compare(out.read(), expected.values, expected.bounds, l.out()).first_wrong == "");
        }
    });
    constexpr conv2d_layer layer = {.in = {8, 8, 16}, .channels = 16, .kernel = 3, .padding = 1};
    using dlas::stack, dlas::binary, dlas::schedule, dlas::schedule_options;
    CHECK(stack<binary>::refuses(layer).empty());
    CHECK(stack<binary, schedule<schedule_options{.prefetch = 0}>>::refuses(layer) == "schedule: w1a1 runs by rule alone");
    CHECK(stack<binary, dlas::im2col>::refuses(layer) == "format: of the algorithms direct alone counts bits");
    CHECK(stack<binary>::refuses({.in = {8, 8, 16}, .channels = 16, .gated = true}) == "format: gated layers have kernels for f32 alone");
}
