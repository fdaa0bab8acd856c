// Networks scaled by fixed-point numbers: the same bits on every target, in place or not, near what they are in floats.
#include "fixed_point_networks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/quantize.hpp>
#include <dlas/systems/reference_network.hpp>

namespace {

using namespace fixed_point_networks;

std::vector<float> image_of(dlas::shape map, unsigned seed) {
    dlas::seeded_numbers random(seed);
    std::vector<float> image(static_cast<std::size_t>(map.elements()));
    for (float& x : image) x = static_cast<float>(random.between(-1, 1));
    return image;
}

/// A model's weights, and the same as integers for a compilation.
struct model_weights {
    dlas::graph_view graph;
    const dlas::executable* floats;
    dlas::safetensors weights = dlas::seeded_weights(graph, 3);

    dlas::safetensors quantized(const dlas::executable& code) const {
        std::vector<float> image;
        return dlas::quantize(code, *floats, weights, 20, [&](int i) {
            image = image_of(code.input, static_cast<unsigned>(100 + i));
            return std::span<const float>(image);
        });
    }
};

const model_weights& weights_of(std::string_view model) {
    static const auto floats = compiled_networks<float_networks, dlas::scalar, 0, 1>();
    static const model_weights all[] = {{dlas::graph_of<everything>, floats[0]}, {dlas::graph_of<image_read_twice>, floats[1]}, {dlas::graph_of<floats_between>, floats[2]}};
    return all[model == everything::name ? 0 : model == image_read_twice::name ? 1 : 2];
}

/// Outputs of some images, by float images and by integer ones.
std::vector<float> outputs(const dlas::executable& code) {
    const dlas::safetensors file = weights_of(code.model).quantized(code);
    dlas::host_network network(code, file);
    const dlas::quantization image_is = dlas::packing::map_quantization(file, code.steps.front().input_map);
    const dlas::quantization output_is = dlas::packing::map_quantization(file, code.steps.back().output_map);
    std::vector<float> all;
    for (unsigned seed = 1; seed < 5; ++seed) {
        const std::vector<float> image = image_of(code.input, seed);
        fill_with_garbage(network);
        const std::span<const float> reals = network(image);
        all.insert(all.end(), reals.begin(), reals.end());
        if (code.image_type != dlas::element::s8 || code.output_type != dlas::element::s8) continue;
        std::vector<std::int8_t> integers;
        for (const float x : image) integers.push_back(dlas::quantized_value(x, image_is));
        const std::vector<float> kept(reals.begin(), reals.end());
        std::fill_n(network.arena(), code.arena_bytes, std::byte{0});
        const std::span<const std::int8_t> found = network(integers);
        REQUIRE(found.size() == kept.size());
        for (std::size_t i = 0; i < found.size(); ++i) CHECK(output_is.scale * static_cast<float>(found[i] - output_is.zero) == kept[i]);
    }
    return all;
}

/// The largest error over the largest magnitude.
double error_of(const dlas::executable& code, std::span<const float> found) {
    const model_weights& model = weights_of(code.model);
    double error = 0, largest = 0;
    for (unsigned seed = 1; seed < 5; ++seed) {
        const std::vector<double> expected = dlas::reference_run(model.graph, model.weights, image_of(code.input, seed));
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const double off = std::abs(double{found[i]} - expected[i]);
            error = off <= error ? error : std::isnan(off) ? INFINITY : off;
            largest = std::max(largest, std::abs(expected[i]));
        }
        found = found.subspan(expected.size());
    }
    return error / largest;
}

template <class Target>
void check_target(const std::vector<std::vector<float>>& expected) {
    if (!Target::available()) {
        MESSAGE(Target::name << " is skipped: this CPU lacks it");
        return;
    }
    const auto codes = compiled_networks<networks, Target, 0, 1>();
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const std::string network = label_of(*codes[i]);
        CAPTURE(network);
        const std::vector<float> found = outputs(*codes[i]);
        if (codes[i]->model == floats_between::name) CHECK(error_of(*codes[i], found) < 5e-2);
        else CHECK(found == expected[i]);
    }
}
template <class... Targets>
void check_targets(dlas::policy_list<Targets...>, const std::vector<std::vector<float>>& expected) {
    (check_target<Targets>(expected), ...);
}

/// All but the last layer round twice.
struct two_scalings {
    static constexpr std::string_view name = "two_scalings";
    using target = dlas::scalar;
    template <dlas::conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.channels == 11) return dlas::stack<dlas::int8_fixed, dlas::line_buffer, target>{};
        else return dlas::stack<dlas::int8_tflite, dlas::line_buffer, target>{};
    }
};
/// Floats at the end: the image and the output are floats too.
struct floats_at_the_end {
    static constexpr std::string_view name = "floats_at_the_end";
    using target = dlas::scalar;
    template <dlas::conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.channels == 11) return dlas::stack<target>{};
        else return dlas::stack<dlas::int8_fixed, dlas::line_buffer, target>{};
    }
};

}  // namespace

TEST_CASE("fixed point: networks have the same bits on every target, in place or not, and are near the definition") {
    const auto codes = compiled_networks<networks, dlas::scalar, 0, 1>();
    std::vector<std::vector<float>> expected;
    for (const dlas::executable* code : codes) {
        const std::string network = label_of(*code);
        CAPTURE(network);
        expected.push_back(outputs(*code));
        const double error = error_of(*code, expected.back());
        CAPTURE(error);
        CHECK(error < (code->plan.starts_with("w4") ? 0.5 : 8e-2));
        CHECK((code->image_type == dlas::element::s8 && code->output_type == dlas::element::s8));
    }
    CHECK(expected[0] != expected[1]);
    // Two threads write nothing in place.
    CHECK(codes[3]->threads == 2);
    CHECK(expected[0] == expected[3]);
    CHECK(expected[1] == expected[4]);
    CHECK(codes[0]->arena_bytes < codes[3]->arena_bytes);
    check_targets(dlas::policy_list<DLAS_UNIT_TARGETS>{}, expected);
    check_targets(dlas::policy_list<dlas::cortex_m4, dlas::cortex_m55>{}, expected);
}

/// A residual that is a part of the memory that its convolution reads.
struct part_of_input {
    static constexpr std::string_view name = "part_of_input";
    static constexpr dlas::shape input = {9, 9, 3};

    static constexpr dlas::tensor forward(dlas::tensor x) {
        x = relu(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1}, "a"));
        const dlas::tensor y = conv2d(x, {.channels = 4}, "b");
        return conv2d(conv2d(concatenate(x, y), {.channels = 8, .kernel = 3, .padding = 1}, "c") + x, {.channels = 5}, "d");
    }
};
/// The second layer writes, with a ReLU, a part of a map whose zero point is in the middle.
struct part_of_output {
    static constexpr std::string_view name = "part_of_output";
    static constexpr dlas::shape input = {9, 9, 3};

    static constexpr dlas::tensor forward(dlas::tensor x) {
        x = relu(conv2d(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1}, "a"), {.channels = 6, .kernel = 3, .padding = 1}, "b"));
        return conv2d(concatenate(x, conv2d(x, {.channels = 4}, "c")), {.channels = 5}, "d");
    }
};

template <class Model, class First, class Second>
void check_equal() {
    const dlas::executable &first = dlas::network<Model, First>::code, &second = dlas::network<Model, Second>::code;
    const model_weights made = {dlas::graph_of<Model>, &dlas::network<Model, dlas::observed<dlas::scalar>>::code};
    dlas::host_network one(first, made.quantized(first)), other(second, made.quantized(second));
    for (unsigned seed = 1; seed < 5; ++seed) {
        const std::vector<float> image = image_of(first.input, seed);
        fill_with_garbage(one);
        fill_with_garbage(other);
        const auto a = one(image), b = other(image);
        CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
}

TEST_CASE("fixed point: parts of concatenations, in place and streamed") {
    using namespace dlas;
    check_equal<part_of_input, stack<int8_fixed>, stack<int8_fixed, threads<2>>>();
    check_equal<part_of_input, stack<int8_tflite>, stack<int8_tflite, threads<2>>>();
    check_equal<part_of_input, stack<int8_power_of_two>, stack<int8_power_of_two, threads<2>>>();
    check_equal<part_of_output, stack<int8_fixed>, stack<int8_fixed, streamed<2>>>();
    check_equal<part_of_output, stack<int8_power_of_two>, stack<int8_power_of_two, streamed<2>>>();
    CHECK(network_refusal<everything, stack<int8_fixed, streamed<2>>>.view() == "streamed: a step is not a convolution that buffers rows");
    CHECK(network_refusal<everything, stack<streamed<2>>>.view() == "streamed: a step is not a convolution that buffers rows");
}

TEST_CASE("fixed point: factors near nothing are nothing") {
    CHECK(dlas::factor_of(1e-12, dlas::scaling::fixed_once) == dlas::fixed_scale{});
    CHECK(dlas::factor_of(1e-12, dlas::scaling::fixed_twice) == dlas::fixed_scale{});
    CHECK(dlas::factor_of(3.0, dlas::scaling::fixed_once) == dlas::fixed_scale{0x7fffffff, -1});
}

TEST_CASE("fixed point: images of floats and of integers") {
    const dlas::executable& code = *compiled_networks<networks, dlas::scalar, 0, 1>()[0];
    dlas::host_network integers(code, weights_of(everything::name).quantized(code));
    const std::vector<std::int8_t> image(static_cast<std::size_t>(code.input.elements())), short_image(3);
    CHECK(integers(image).size() == 11);
    CHECK_THROWS_WITH(integers(short_image), "the network 'everything' needs 429 input elements, got 3");
    const dlas::executable& mixed = dlas::network<everything, floats_at_the_end>::code;
    CHECK((mixed.image_type == dlas::element::f32 && mixed.output_type == dlas::element::f32));
    dlas::host_network reals(mixed, weights_of(everything::name).quantized(mixed));
    CHECK_THROWS_WITH(reals(image), "the network 'everything' has an image or an output of floats, not of integers");
    std::vector<float> found;
    for (unsigned seed = 1; seed < 5; ++seed) {
        const auto output = reals(image_of(mixed.input, seed));
        found.insert(found.end(), output.begin(), output.end());
    }
    CHECK(error_of(mixed, found) < 5e-2);
}

TEST_CASE("fixed point: a result without a scale of its own is named") {
    const dlas::executable& code = *compiled_networks<networks, dlas::scalar, 0, 1>()[1];
    const dlas::safetensors file = weights_of(everything::name).quantized(code);
    std::vector<dlas::safetensors::tensor> tensors;
    for (const dlas::safetensors::tensor& t : file.tensors())
        if (t.name != "project.sum.scale") tensors.push_back(t);
    const dlas::safetensors lacking = dlas::safetensors::parse(dlas::safetensors::serialize({}, tensors), "file");
    CHECK_THROWS_WITH(dlas::host_network(code, lacking), "file: tensor 'project.sum.scale' is missing; the network needs it with shape [1]");
}

TEST_CASE("fixed point: scales that shifts cannot stand for are named") {
    const auto codes = compiled_networks<networks, dlas::scalar, 0, 1>();
    // What loading a network's file says where element `index` of a tensor is `changed(element)`.
    auto complaint_of = [](const dlas::executable& code, std::string_view name, int index, auto changed) {
        const dlas::safetensors file = weights_of(code.model).quantized(code);
        std::vector<dlas::safetensors::tensor> tensors(file.tensors().begin(), file.tensors().end());
        dlas::safetensors::tensor& t = *std::ranges::find(tensors, name, &dlas::safetensors::tensor::name);
        std::vector<std::byte> bytes(t.bytes.begin(), t.bytes.end());
        decltype(changed({})) element;
        std::memcpy(&element, bytes.data() + sizeof element * static_cast<std::size_t>(index), sizeof element);
        element = changed(element);
        std::memcpy(bytes.data() + sizeof element * static_cast<std::size_t>(index), &element, sizeof element);
        t.bytes = bytes;
        try {
            dlas::host_network network(code, dlas::safetensors::parse(dlas::safetensors::serialize({}, tensors), "file"));
        } catch (const dlas::error& e) { return std::string(e.what()); }
        return std::string();
    };
    auto complaint = [&](std::string_view name, int index, auto changed) { return complaint_of(*codes[8], name, index, changed); };
    auto starts = [](const std::string& text, std::string_view with) { return text.starts_with(with); };
    auto ends = [](const std::string& text, std::string_view with) { return text.ends_with(with); };
    CHECK(complaint("maps.scale", 1, [](float x) { return x; }).empty());
    const std::string map = complaint("maps.scale", 1, [](float x) { return 1.5f * x; });
    CHECK(starts(map, "file: element 1 of tensor 'maps.scale' is 0.0"));
    CHECK(ends(map, "; this network scales by shifts, and each scale is a power of two"));
    CHECK(starts(complaint("project.scale", 3, [](float x) { return std::nextafter(x, 1.0f); }), "file: element 3 of tensor 'project.scale' is 0.0"));
    CHECK(complaint("project.scale", 3, [](float x) { return 2 * x; }).empty());
    // To the left, and by more bits than there are.
    const std::string left = complaint("fc.scale", 2, [](float x) { return 0x1p10f * x; });
    CHECK(starts(left, "file: element 2 of tensor 'fc.scale' makes products of 2^"));
    CHECK(ends(left, " times the scale of the output; kernels shift sums to the right, by 31 bits at most"));
    CHECK(ends(complaint("fc.scale", 2, [](float x) { return 0x1p-40f * x; }), "by 31 bits at most"));
    CHECK(ends(complaint("project.scale", 2, [](float x) { return 0x1p-20f * x; }), "by 16 bits at most"));
    // Zero points are added to sums: those of a far larger scale do not fit.
    CHECK(ends(complaint("halves.scale", 2, [](float x) { return 0x1p-18f * x; }),
               "its bias is too large for its scale, or its scale too small for the output's"));
    CHECK(ends(complaint("fc.bias", 2, [](std::int32_t) { return 0x7ffffff0; }),
               "its bias is too large for its scale, or its scale too small for the output's"));
    // A residual, here the image, and what it is added to.
    const dlas::executable_step& adds = codes[10]->steps.back();
    const std::string far = complaint_of(*codes[10], "maps.scale", adds.second_map, [](float x) { return 0x1p18f * x; });
    CHECK(far == "file: elements " + std::to_string(adds.second_map) + " and " + std::to_string(adds.output_map) +
                     " of tensor 'maps.scale', of maps that are added and of their sum, differ by more than 2^15, the most that kernels shift by");
}

TEST_CASE("fixed point: what cannot be is refused by name") {
    constexpr dlas::conv2d_layer layer = {.in = {8, 8, 16}, .channels = 16, .kernel = 3, .padding = 1};
    CHECK(dlas::stack<dlas::f32, dlas::line_buffer>::refuses(layer) == "format: line_buffer computes in integers scaled by fixed-point numbers alone");
    CHECK(dlas::stack<dlas::int8, dlas::line_buffer>::refuses(layer) == "format: the algorithm has no kernels for it; direct and depthwise have some for every format");
    CHECK(dlas::stack<dlas::f16, dlas::line_buffer>::refuses(layer) == "format: the algorithm has no kernels for it; direct and depthwise have some for every format");
    CHECK(dlas::stack<dlas::int8_fixed, dlas::winograd<4>>::refuses(layer) == "format: of the algorithms line_buffer alone scales by fixed-point numbers");
    CHECK(dlas::stack<dlas::int8_tflite, dlas::direct>::refuses(layer) == "format: of the algorithms line_buffer alone scales by fixed-point numbers");
    CHECK(dlas::stack<dlas::int8_fixed, dlas::line_buffer, dlas::schedule<{.tile = {1, 4, 1}}>>::refuses(layer) == "schedule: line_buffer runs by rule");
    constexpr dlas::conv2d_layer smooth = {.in = {8, 8, 16}, .channels = 16, .activation = dlas::activation::silu};
    CHECK(dlas::stack<dlas::int8_fixed, dlas::line_buffer>::refuses(smooth) == "format: gates, SiLU and sigmoids have no kernels for integers");
    constexpr dlas::conv2d_layer long_sum = {.in = {7, 7, 2048}, .channels = 4, .kernel = 7};
    CHECK(dlas::stack<dlas::int8_fixed, dlas::line_buffer>::refuses(long_sum) == "format: so many terms of integers may overflow a 32-bit sum");
    CHECK(dlas::stack<dlas::int8_fixed, dlas::line_buffer>::refuses(layer).empty());
    CHECK(dlas::stack<dlas::int8_fixed>::refuses(layer).empty());

    CHECK(dlas::network_refusal<everything, two_scalings>.view() == "plan: layers scale their integers in different ways");
    CHECK(dlas::network_refusal<everything, floats_at_the_end>.length == 0);
    CHECK(dlas::network_refusal<everything, dlas::stack<dlas::int8_tflite>>.length == 0);
}
