// Networks that nobody trained, in integers and halves: whatever a graph may contain comes out near the definition, and a file that
// quantize() made loads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>
#include <dlas/models/graph.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/observed.hpp>
#include <dlas/systems/quantize.hpp>
#include <dlas/systems/reference_network.hpp>

#include "../hardware/emulated.hpp"

namespace {

using dlas::tensor;

/// A normalization that nothing precedes, slices, a sum with SiLU, both kinds of pool, layers with and without biases.
struct everything {
    static constexpr std::string_view name = "everything";
    static constexpr dlas::shape input = {12, 10, 3};

    static constexpr tensor forward(tensor x) {
        x = max_pool2d(relu(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1, .bias = false}, "first")), {.kernel = 3, .stride = 2, .padding = 1});
        tensor left = relu(conv2d(x, {.channels = 7, .kernel = 1}, "left"));
        tensor right = relu(batch_norm(conv2d(x, {.channels = 9, .kernel = 3, .padding = 1}, "right"), "right_norm"));
        x = relu(batch_norm(concatenate(left, right), "joined_norm"));
        tensor y = relu6(conv2d(x, {.channels = 16, .kernel = 3, .padding = 1, .groups = 16}, "depthwise"));
        x = silu(average_pool2d(y, {.kernel = 2, .stride = 1}) + average_pool2d(x, {.kernel = 2, .stride = 1}));
        return linear(global_average_pool(conv2d(x, {.channels = 20, .kernel = 3}, "last")), 11, "fc");
    }
};
struct ends_in_a_maximum {
    static constexpr std::string_view name = "ends_in_a_maximum";
    static constexpr dlas::shape input = {8, 8, 3};
    static constexpr tensor forward(tensor x) { return max_pool2d(conv2d(x, {.channels = 6, .kernel = 3, .padding = 1}, "conv"), {.kernel = 2, .stride = 2}); }
};

/// The outer layers, or one part of the concatenation, in other formats.
struct float_outside {
    static constexpr std::string_view name = "float_outside";
    using target = dlas::scalar;
    template <dlas::conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.in.channels == 3 || Layer.channels == 20 || Layer.channels == 11) return dlas::stack<target>{};
        else return dlas::stack<dlas::int8, target>{};
    }
};
struct one_layer_wide {
    static constexpr std::string_view name = "one_layer_wide";
    using target = dlas::scalar;
    template <dlas::conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.channels == 20) return dlas::stack<dlas::int8_int16, target>{};
        else return dlas::stack<dlas::int8, target>{};
    }
};
struct one_part_in_halves {
    static constexpr std::string_view name = "one_part_in_halves";
    using target = dlas::scalar;
    template <dlas::conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.channels == 7) return dlas::stack<dlas::f16, target>{};
        else return dlas::stack<dlas::int8, target>{};
    }
};

std::vector<float> image_of(dlas::shape map, unsigned seed) {
    dlas::seeded_numbers random(seed);
    std::vector<float> image(static_cast<std::size_t>(map.elements()));
    for (float& x : image) x = static_cast<float>(random.between(-1, 1));
    return image;
}

/// The largest error over the largest magnitude.
template <class Model, class Plan>
double error_of(const Plan&) {
    const dlas::executable& code = dlas::network<Model, Plan>::code;
    const dlas::safetensors weights = dlas::seeded_weights(dlas::graph_of<Model>, 3);
    std::vector<float> image;
    auto packed = [&]() {
        if (!code.quantized) return dlas::host_network(code, weights);
        return dlas::host_network(code, dlas::quantize(code, dlas::network<Model, dlas::observed<dlas::scalar>>::code, weights, 20, [&](int i) {
                                      image = image_of(Model::input, static_cast<unsigned>(100 + i));
                                      return std::span<const float>(image);
                                  }));
    };
    dlas::host_network network = packed();
    double error = 0, largest = 0;
    for (unsigned seed = 1; seed < 6; ++seed) {
        const std::vector<float> input = image_of(Model::input, seed);
        const std::vector<double> expected = dlas::reference_run(dlas::graph_of<Model>, weights, input);
        std::fill_n(network.arena(), code.arena_bytes, std::byte{0xff});
        const auto found = network(input);
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            const double off = std::abs(double{found[i]} - expected[i]);
            error = off <= error ? error : std::isnan(off) ? INFINITY : off;
            largest = std::max(largest, std::abs(expected[i]));
        }
    }
    return error / largest;
}

template <class Format>
using scalar_stack = dlas::stack<Format, dlas::scalar>;

}  // namespace

TEST_CASE("formats: a network of everything is near its definition in each") {
    CHECK(error_of<everything>(scalar_stack<dlas::f32>{}) < 1e-5);
    CHECK(error_of<everything>(scalar_stack<dlas::f16>{}) < 2e-3);
    CHECK(error_of<everything>(dlas::stack<dlas::f16, dlas::emulated>{}) < 4e-3);  // its sums are halves, too
    CHECK(error_of<everything>(scalar_stack<dlas::bf16>{}) < 2e-2);
    CHECK(error_of<everything>(dlas::stack<dlas::bf16, dlas::emulated>{}) < 2e-2);  // and so is its image
    CHECK(error_of<everything>(scalar_stack<dlas::weights_f16>{}) < 2e-3);
    CHECK(error_of<everything>(scalar_stack<dlas::weights_bf16>{}) < 2e-2);
    CHECK(error_of<everything>(scalar_stack<dlas::weights_int8>{}) < 2e-2);
    CHECK(error_of<everything>(scalar_stack<dlas::weights_int4>{}) < 2e-1);
    CHECK(error_of<everything>(scalar_stack<dlas::int8>{}) < 5e-2);
    CHECK(error_of<everything>(scalar_stack<dlas::int8_int16>{}) < 1e-2);
    CHECK(error_of<everything>(float_outside{}) < 5e-2);
    CHECK(error_of<ends_in_a_maximum>(scalar_stack<dlas::int8>{}) < 3e-2);
    CHECK(error_of<ends_in_a_maximum>(scalar_stack<dlas::f16>{}) < 2e-3);
}

TEST_CASE("formats: what cannot be is refused by name") {
    CHECK(dlas::network_refusal<everything, one_part_in_halves>.view() == "plan: the parts of a concatenation have different elements");
    CHECK(dlas::network_refusal<everything, scalar_stack<dlas::int8>>.length == 0);
    CHECK(dlas::network_refusal<everything, one_layer_wide>.view() == "plan: layers hold their integers in 8 and in 16 bits");
    CHECK(scalar_stack<dlas::quantized<4, 16>>::refuses({.in = {8, 8, 64}, .channels = 16}).starts_with("format: of quantized<W, A> there are kernels"));
    constexpr dlas::conv2d_layer long_sum = {.in = {7, 7, 2048}, .channels = 4, .kernel = 7};
    CHECK(scalar_stack<dlas::int8>::refuses(long_sum) == "format: so many terms of integers may overflow a 32-bit sum");
    CHECK(scalar_stack<dlas::f32>::refuses(long_sum).empty());
    constexpr dlas::conv2d_layer layer = {.in = {8, 8, 64}, .channels = 16};
    CHECK(dlas::stack<dlas::int8, dlas::direct, dlas::schedule<{.tile = {1, 4, 1}, .inputs = 8}>>::refuses(layer).starts_with("schedule: blocks of input"));
    CHECK(dlas::stack<dlas::int8, dlas::tuned, dlas::avx2>::refuses(layer).starts_with("format: "));  // measured plans are of f32
}

TEST_CASE("quantize: a channel of nearly no weights keeps its bias") {
    const float filter[] = {1e-9f, -2e-9f};
    std::int8_t rounded[2];
    const float least = dlas::least_scale_for(4.0, 0.02, 29);
    const float scale = dlas::quantize_filter(filter, 8, rounded, {.least = least});
    CHECK(scale == least);
    CHECK(dlas::quantize_bias(4.0, 0.02 * double{scale}) * 0.02 * double{scale} == doctest::Approx(4.0));
}
