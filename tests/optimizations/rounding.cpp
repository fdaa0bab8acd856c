// Weights rounded together: what is known of their inputs, and that sums come nearer.
#include <dlas/optimizations/rounding.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>
#include <dlas/models/graph.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/observed.hpp>
#include <dlas/systems/quantize.hpp>
#include <dlas/systems/reference_network.hpp>

#include "../systems/compiled_networks.hpp"

namespace {

using dlas::tensor;

/// The squared error of a filter's sums.
double error_of(std::span<const float> filter, float scale, std::span<const double> matrix, std::span<const std::int8_t> integers) {
    const std::size_t n = filter.size();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            sum += matrix[i * n + j] * (double{scale} * integers[i] - double{filter[i]}) * (double{scale} * integers[j] - double{filter[j]});
    return sum;
}

/// Windows of every kind, and no activations behind them.
struct windows {
    static constexpr std::string_view name = "windows";
    static constexpr dlas::shape input = {11, 9, 4};
    static constexpr tensor forward(tensor x) {
        x = conv2d(x, {.channels = 6, .kernel = {3, 2}, .stride = {1, 2}, .padding = 1}, "strided");
        x = conv2d(x, {.channels = 6, .kernel = 3, .padding = 2, .dilation = 2, .groups = 2}, "grouped");
        x = depthwise_conv2d(x, {.kernel = 3, .padding = 1}, "depthwise");
        return linear(x, 3, "matrix");
    }
};

}  // namespace

TEST_CASE("input_moments: means of products, about the means where asked for") {
    dlas::input_moments moments(2);
    moments.add(std::vector<float>{1, 3});
    moments.add(std::vector<float>{0, 5});
    CHECK(moments.samples() == 2);
    // A tenth of the mean diagonal is added to the diagonal.
    const double added = (0.5 + 17) / 20, added_about_means = (0.25 + 1) / 20;
    const std::vector<double> plain = {0.5 + added, 1.5, 1.5, 17 + added},
                              about_means = {0.25 + added_about_means, -0.5, -0.5, 1 + added_about_means};
    CHECK(largest_difference(moments.matrix(false), plain) < 1e-5);
    CHECK(largest_difference(moments.matrix(true), about_means) < 1e-5);
}

TEST_CASE("round_together: inputs that go together make up for one another") {
    dlas::input_moments moments(3);
    dlas::seeded_numbers numbers(1);
    for (int i = 0; i < 1000; ++i) {
        const auto x = static_cast<float>(numbers.centered(1));
        moments.add(std::vector<float>{x, x, static_cast<float>(numbers.centered(1))});
    }
    const std::vector<float> filter = {0.4f, 0.4f, 0.4f};
    std::vector<std::int8_t> integers = {0, 0, 0};
    dlas::round_together(filter, 1.0f, 4, moments.matrix(true), integers);
    CHECK(integers[0] + integers[1] == 1);
    CHECK(integers[2] == 0);
}

TEST_CASE("round_together: inputs that are always the same leave weights as they are") {
    for (const float input : {0.0f, 0.1f}) {
        dlas::input_moments moments(4);
        for (int i = 0; i < 999; ++i) moments.add(std::vector<float>{input, 3 * input, 7 * input, input});
        const std::vector<std::int8_t> nearest = {1, 0, -1, 2};
        std::vector<std::int8_t> integers = nearest;
        dlas::round_together(std::vector<float>{0.6f, 0.4f, -0.7f, 1.8f}, 1.0f, 4, moments.matrix(true), integers);
        CHECK(integers == nearest);
    }
}

TEST_CASE("round_together: no integer could be changed for the better") {
    constexpr std::size_t n = 24;
    dlas::seeded_numbers numbers(2);
    for (const int bits : {2, 4, 8}) {
        const int most = (1 << (bits - 1)) - 1;
        dlas::input_moments moments(n);
        for (int i = 0; i < 50; ++i) {
            std::vector<float> window(n, static_cast<float>(numbers.between(0, 1)));
            for (float& x : window) x += static_cast<float>(numbers.centered(0.2));
            moments.add(window);
        }
        const auto matrix = moments.matrix(false);
        std::vector<float> filter(n);
        for (float& w : filter) w = static_cast<float>(numbers.centered(1));
        std::vector<std::int8_t> integers(n);
        const float scale = dlas::quantize_filter(filter, bits, integers);
        const double before = error_of(filter, scale, matrix, integers);
        dlas::round_together(filter, scale, bits, matrix, integers);
        const double after = error_of(filter, scale, matrix, integers);
        CAPTURE(bits);
        CHECK(after <= before);
        if (bits < 8) CHECK(after < before);
        for (std::size_t i = 0; i < n; ++i)
            for (const int other : {integers[i] - 1, integers[i] + 1}) {
                CHECK(std::abs(int{integers[i]}) <= most);
                if (other < -most || other > most) continue;
                auto changed = integers;
                changed[i] = static_cast<std::int8_t>(other);
                CHECK(error_of(filter, scale, matrix, changed) >= after * (1 - 1e-9));
            }
    }
}

TEST_CASE("sample_windows: what the filters of a network see") {
    const dlas::executable& code = dlas::network<windows, dlas::observed<dlas::scalar>>::code;
    const dlas::safetensors weights = dlas::seeded_weights(dlas::graph_of<windows>, 1);
    constexpr int images = 3;
    std::vector<float> image(static_cast<std::size_t>(windows::input.elements()));
    dlas::seeded_numbers numbers(3);
    auto next = [&](int) {
        for (float& x : image) x = static_cast<float>(numbers.centered(1) + 0.5);
        return std::span<const float>(image);
    };
    std::vector<std::vector<dlas::input_moments>> moments(code.steps.size());
    std::vector<std::vector<double>> squares(code.steps.size());  // of outputs without their bias
    dlas::observer observe("test", code, weights);
    observe(images, next, [&](const dlas::executable_step& step, const dlas::kernel_arguments& a, std::size_t s) {
        if (step.kind != dlas::step_kind::conv2d) return;
        moments[s].resize(static_cast<std::size_t>(step.conv.groups), dlas::input_moments(dlas::quantizing::filter_inputs(step.conv)));
        squares[s].resize(static_cast<std::size_t>(step.channels));
        dlas::quantizing::sample_windows(step, a.input, images, moments[s]);
        const auto bias = weights.find(std::string(step.layer) + ".bias")->f32();
        dlas::for_each_element(a.output, step.output_shape, step.output_place, [&](int channel, float y) {
            const auto c = static_cast<std::size_t>(channel);
            squares[s][c] += std::pow(double{y} - double{bias[c]}, 2) / images / step.output_shape.pixels();
        });
    });
    int layers = 0;
    for (std::size_t s = 0; s < code.steps.size(); ++s) {
        if (moments[s].empty()) continue;
        ++layers;
        const dlas::conv2d_layer& layer = code.steps[s].conv;
        CAPTURE(code.steps[s].layer);
        CHECK(moments[s][0].samples() == images * layer.out().pixels());  // so few pixels are all taken
        const auto filter = weights.find(std::string(code.steps[s].layer) + ".weight")->f32();
        const std::size_t n = dlas::quantizing::filter_inputs(layer);
        const std::vector<std::int8_t> nothing(n);
        for (int channel = 0; channel < layer.channels; ++channel) {
            // The sums are those of the weights: what is left of them without any weight is their square.
            const auto own = filter.subspan(static_cast<std::size_t>(channel) * n, n);
            const auto& seen = moments[s][static_cast<std::size_t>(channel / layer.group_out())];
            auto matrix = seen.matrix(false);
            double trace = 0;
            for (std::size_t i = 0; i < n; ++i) trace += matrix[i * n + i] / 1.1;
            for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] -= trace / (10 * static_cast<double>(n));
            CHECK(error_of(own, 1.0f, matrix, nothing) == doctest::Approx(squares[s][static_cast<std::size_t>(channel)]).epsilon(1e-4));
        }
    }
    CHECK(layers == 4);
}
