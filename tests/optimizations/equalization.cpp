// Equalized weights: which layers are pairs, that nothing computed changes, and how far channels may be scaled.
#include <dlas/optimizations/equalization.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <dlas/models/graph.hpp>
#include <dlas/systems/equalize.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/observed.hpp>
#include <dlas/systems/reference_network.hpp>

#include "../message_of.hpp"

namespace {

using dlas::tensor;
template <class Model>
const dlas::executable& code_of = dlas::network<Model, dlas::observed<dlas::scalar>>::code;

/// Every convolution but the last is the first of a pair.
struct pairs {
    static constexpr std::string_view name = "pairs";
    static constexpr dlas::shape input = {9, 8, 3};
    static constexpr tensor forward(tensor x) {
        x = max_pool2d(relu(batch_norm(conv2d(x, {.channels = 10, .kernel = 3, .padding = 1}, "stem"), "stem_norm")), {});
        x = relu6(conv2d(x, {.channels = 12}, "wide"));
        x = relu6(batch_norm(depthwise_conv2d(x, {.kernel = 3, .padding = 1, .bias = false}, "depthwise"), "depthwise_norm"));
        x = conv2d(x, {.channels = 8, .bias = false}, "narrow");
        x = relu(conv2d(x, {.channels = 6, .kernel = 3, .padding = 1, .groups = 2}, "grouped"));
        return linear(x, 5, "classifier");
    }
};

/// None is: maps with two readers, residuals, parts of concatenations, gates, and activations that know a scale.
struct no_pairs {
    static constexpr std::string_view name = "no_pairs";
    static constexpr dlas::shape input = {8, 8, 3};
    static constexpr tensor forward(tensor x) {
        const tensor twice = relu(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1}, "twice"));
        const tensor curved = silu(conv2d(twice, {.channels = 8}, "curved"));
        const tensor sum = relu(conv2d(curved, {.channels = 8}, "summed") + twice);
        const tensor joined = concatenate(relu(conv2d(sum, {.channels = 4}, "part")), sum);
        const tensor scaled = relu(conv2d(joined, {.channels = 6}, "scaled"));
        const tensor gate = relu(conv2d(global_average_pool(scaled), {.channels = 6}, "gate"));
        const tensor gated = conv2d(multiply(scaled, gate), {.channels = 5}, "gated");
        return global_average_pool(gated) + conv2d(gate, {.channels = 5}, "beside");
    }
};

/// Weights whose channels differ by orders of magnitude: those of every filter and every normalization.
template <class Model>
dlas::safetensors uneven_weights() {
    const dlas::safetensors even = dlas::seeded_weights(dlas::graph_of<Model>, 1);
    std::vector<dlas::safetensors::tensor> tensors(even.tensors().begin(), even.tensors().end());
    std::vector<std::vector<float>> uneven;
    dlas::seeded_numbers numbers(2);
    for (auto& t : tensors) {
        std::vector<float>& elements = uneven.emplace_back(t.f32().begin(), t.f32().end());
        const std::size_t channel_elements = elements.size() / static_cast<std::size_t>(t.shape[0]);
        for (std::size_t i = 0; i < elements.size() && t.name.ends_with(".weight"); i += channel_elements) {
            const auto scale = static_cast<float>(std::exp2(numbers.centered(3)));
            for (float& x : std::span(elements).subspan(i, channel_elements)) x *= scale;
        }
        t.bytes = std::as_bytes(std::span(elements));
    }
    return dlas::safetensors::parse(dlas::safetensors::serialize(even.metadata(), tensors), "uneven");
}

constexpr int images = 20;

template <class Model>
std::vector<float> image_of(int index) {
    dlas::seeded_numbers numbers(static_cast<std::uint64_t>(index) + 10);
    std::vector<float> image(static_cast<std::size_t>(Model::input.elements()));
    for (float& x : image) x = static_cast<float>(numbers.centered(1));
    return image;
}

template <class Model>
dlas::safetensors equalized(const dlas::safetensors& weights) {
    std::vector<float> image;
    return dlas::equalize(code_of<Model>, weights, images, [&image](int i) {
        image = image_of<Model>(i);
        return std::span<const float>(image);
    });
}

std::set<std::string> changed_tensors(const dlas::safetensors& from, const dlas::safetensors& to) {
    std::set<std::string> names;
    CHECK(from.tensors().size() == to.tensors().size());
    for (const auto& t : from.tensors()) {
        REQUIRE(to.find(t.name) != nullptr);
        CHECK(to.find(t.name)->shape == t.shape);
        if (!std::ranges::equal(t.bytes, to.find(t.name)->bytes)) names.insert(t.name);
    }
    return names;
}

}  // namespace

TEST_CASE("equalize: pairs of convolutions, and the same logits") {
    const dlas::safetensors weights = uneven_weights<pairs>(), equal = equalized<pairs>(weights);
    CHECK(changed_tensors(weights, equal) == std::set<std::string>{"stem_norm.weight", "stem_norm.bias", "wide.weight", "wide.bias",
                                                                   "depthwise.weight", "depthwise_norm.weight", "depthwise_norm.bias",
                                                                   "narrow.weight", "grouped.weight", "grouped.bias", "classifier.weight"});
    dlas::host_network network(code_of<pairs>, weights), other(code_of<pairs>, equal);
    std::set<float> seen;
    for (int i = 0; i < images; ++i) {
        const auto image = image_of<pairs>(i);
        const auto wanted = network(image), found = other(image);
        CHECK(std::memcmp(wanted.data(), found.data(), wanted.size_bytes()) == 0);
        seen.insert(wanted[0]);
    }
    CHECK(seen.size() == images);
}

TEST_CASE("equalize: what ends a chain") {
    const dlas::safetensors weights = uneven_weights<no_pairs>();
    CHECK(changed_tensors(weights, equalized<no_pairs>(weights)).empty());
}

TEST_CASE("equalize: the weights before and behind a channel become alike") {
    const dlas::conv2d_layer layers[] = {{.in = {4, 4, 3}, .channels = 6, .kernel = 3},
                                         {.in = {2, 2, 6}, .channels = 6, .kernel = 2, .groups = 6},
                                         {.in = {1, 1, 6}, .channels = 4, .groups = 2}};
    dlas::seeded_numbers numbers(3);
    std::vector<dlas::equalized_filter> filters;
    for (const dlas::conv2d_layer& layer : layers) {
        std::vector<float> weights(static_cast<std::size_t>(layer.filter_elements()));
        for (float& w : weights) w = static_cast<float>(std::exp2(numbers.centered(8)));
        filters.push_back({layer, weights});
    }
    const auto before = filters;
    std::vector<dlas::equalized_pair> chain = {{0, 1, std::vector<dlas::exponent_bounds>(6), {}}, {1, 2, std::vector<dlas::exponent_bounds>(6), {}}};
    chain[0].bounds[2] = {1, 1};
    chain[1].bounds[3] = {-1, 0};
    dlas::equalize_filters(filters, chain);
    for (const dlas::equalized_pair& pair : chain)
        for (int channel = 0; channel < 6; ++channel) {
            CAPTURE(channel);
            auto &first = filters[static_cast<std::size_t>(pair.first)], &second = filters[static_cast<std::size_t>(pair.second)];
            float to = 0, from = 0;
            dlas::for_each_weight_to(channel, first.layer, first.weights, [&](float w) { to = std::fmax(to, std::fabs(w)); });
            dlas::for_each_weight_from(channel, second.layer, second.weights, [&](float w) { from = std::fmax(from, std::fabs(w)); });
            const auto [least, most] = pair.bounds[static_cast<std::size_t>(channel)];
            const int exponent = pair.exponents[static_cast<std::size_t>(channel)];
            CHECK(exponent >= least);
            CHECK(exponent <= most);
            if (exponent > least) CHECK(to >= from / 2);
            if (exponent < most) CHECK(to < 2 * from);
        }
    // Element by element: an output channel is divided, what reads it multiplied.
    const auto& middle = chain[0].exponents;
    for (std::size_t i = 0; i < filters[1].weights.size(); ++i)
        CHECK(filters[1].weights[i] == std::ldexp(before[1].weights[i], middle[i / 4] - chain[1].exponents[i / 4]));
}

TEST_CASE("equalize: exponents and their bounds") {
    using dlas::activation;
    CHECK(dlas::equalizing_exponent(1, 1) == 0);
    CHECK(dlas::equalizing_exponent(1.9f, 1) == 0);
    CHECK(dlas::equalizing_exponent(4, 1) == 1);
    CHECK(dlas::equalizing_exponent(1, 4) == -1);
    CHECK(dlas::equalizing_exponent(1e-30f, 1e30f) == -100);
    auto least = [](activation f, float channel, float map) { return dlas::bounds_of_channel(f, channel, map).least; };
    // Values that ReLU6 cut off stay so, and no other joins them.
    CHECK(dlas::bounds_of_channel(activation::relu6, 6, 6).least == 0);
    CHECK(dlas::bounds_of_channel(activation::relu6, 6, 6).most == 0);
    CHECK(least(activation::relu6, 5.9f, 6) == 0);
    CHECK(least(activation::relu6, 3, 4) == -1);
    CHECK(least(activation::relu6, 2.9f, 4) == -1);
    CHECK(dlas::bounds_of_channel(activation::relu6, 5.9f, 6).most > 0);
    // No map gets a wider range.
    CHECK(least(activation::relu, 10, 10) == 0);
    CHECK(least(activation::relu, 2.5f, 10) == -2);
    CHECK(least(activation::none, 2.6f, 10) == -1);
    CHECK(least(activation::none, 0, 0) < -10);
}

TEST_CASE("equalize: errors name what is at fault") {
    const dlas::safetensors weights = dlas::seeded_weights(dlas::graph_of<pairs>, 1);
    const std::vector<float> image(static_cast<std::size_t>(pairs::input.elements()));
    auto complaint = [&](const dlas::executable& code, const dlas::safetensors& file, int count, std::size_t elements) {
        return message_of([&] { dlas::equalize(code, file, count, [&](int) { return std::span(image).first(elements); }); });
    };
    const dlas::executable& code = code_of<pairs>;
    CHECK(complaint(code, weights, 1, image.size()) == "");
    CHECK(complaint(code, weights, 0, image.size()) == "equalize: 'pairs' needs at least one calibration image");
    CHECK(complaint(code, weights, 1, 7) == "equalize: calibration image 0 has 7 elements, the network needs 216");
    CHECK(complaint(dlas::network<pairs, dlas::stack<dlas::int8, dlas::scalar>>::code, weights, 1, image.size())
              .find("is not of f32; observe one of observed<Target>") != std::string::npos);
    const auto incomplete = dlas::safetensors::parse(dlas::safetensors::serialize({}, weights.tensors().first(3)), "incomplete");
    CHECK(complaint(code, incomplete, 1, image.size()).find("incomplete: tensor 'stem_norm.") != std::string::npos);
}
