// Stacks and plans: order-free, with defaults, named by their policies, and with reasons for what they cannot run.
#include <doctest/doctest.h>

#include <concepts>

#include <dlas/dlas.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/reference_network.hpp>

namespace {

using namespace dlas;

// Order-free, with defaults.
static_assert(std::same_as<stack<avx2, direct>, stack<direct, avx2>>);
static_assert(std::same_as<stack<f32, dense, direct, avx2>, stack<avx2, direct, dense, f32>>);
static_assert(std::same_as<stack<dense, avx512>, stack<avx512>>);
static_assert(std::same_as<stack<>, stack<f32, dense, automatic, scalar>>);
static_assert(!std::same_as<stack<avx2>, stack<avx512>> && !std::same_as<stack<direct>, stack<im2col>>);
static_assert(std::same_as<stack<winograd<4>, sse42>::algorithm, winograd<4>> && std::same_as<stack<winograd<4>, sse42>::target, sse42>);
static_assert(std::same_as<stack<im2col>::format, f32> && std::same_as<stack<im2col>::sparsity, dense>);

// Names.
static_assert(stack<>::name == "f32/dense/automatic/scalar");
static_assert(stack<avx2, direct>::name == "f32/dense/direct/avx2");
static_assert(stack<winograd<2>, avx512>::name == "f32/dense/winograd2/avx512");
static_assert(stack<first_of<winograd<4>, im2col, depthwise>>::name == "f32/dense/winograd4+im2col+depthwise/scalar");

// Policies and plans.
static_assert(policy<avx2> && policy<winograd<2>> && policy<f32> && policy<dense> && policy<first_of<direct>>);
static_assert(!policy<int> && !policy<stack<>> && !policy<conv2d_layer>);
static_assert(target_policy<avx512> && !target_policy<direct> && algorithm_policy<im2col> && !algorithm_policy<scalar>);
static_assert(layer_plan<stack<>> && !layer_plan<avx2>);

// Reasons.
constexpr conv2d_layer plain = {.in = {14, 14, 16}, .channels = 32, .kernel = 3, .padding = 1};
constexpr conv2d_layer strided = {.in = {14, 14, 16}, .channels = 32, .kernel = 3, .stride = 2, .padding = 1};
constexpr conv2d_layer pointwise = {.in = {14, 14, 16}, .channels = 32};
constexpr conv2d_layer dilated = {.in = {14, 14, 16}, .channels = 32, .kernel = 3, .dilation = 2};
constexpr conv2d_layer grouped = {.in = {14, 14, 16}, .channels = 32, .kernel = 3, .groups = 2};
constexpr conv2d_layer each_channel = {.in = {14, 14, 16}, .channels = 16, .kernel = 3, .groups = 16};
constexpr conv2d_layer tiny = {.in = {3, 3, 16}, .channels = 32, .kernel = 3, .padding = 1};

constexpr bool says(std::string_view reason, std::string_view text) { return reason.find(text) != std::string_view::npos; }

static_assert(stack<direct>::refuses(plain).empty() && stack<im2col>::refuses(strided).empty() && stack<spatial_pack>::refuses(dilated).empty());
static_assert(stack<direct>::refuses(grouped).empty() && stack<winograd<4>>::refuses(plain).empty() && stack<depthwise>::refuses(each_channel).empty());
static_assert(stack<winograd<4>>::refuses(strided) == "winograd: the stride is not 1");
static_assert(stack<winograd<4>>::refuses(pointwise) == "winograd: the window is not 3x3");
static_assert(stack<winograd<2>>::refuses(dilated) == "winograd: the window is dilated");
static_assert(stack<winograd<2>>::refuses(grouped) == "winograd: the layer is grouped");
static_assert(stack<winograd<4>>::refuses(tiny) == "winograd: the output is smaller than one tile" && stack<winograd<2>>::refuses(tiny).empty());
static_assert(says(stack<direct>::refuses(each_channel), "direct: ") && says(stack<spatial_pack>::refuses(each_channel), "spatial_pack: "));
static_assert(says(stack<im2col>::refuses(each_channel), "im2col: "));
static_assert(says(stack<depthwise>::refuses(plain), "depthwise: the layer mixes channels"));

// Choices.
template <class Algorithm, conv2d_layer Layer, class Target = avx2>
using chosen = chosen_algorithm<Algorithm, Layer, Target>;
using mostly_winograd = first_of<winograd<4>, winograd<2>, direct>;
static_assert(std::same_as<chosen<mostly_winograd, plain>, winograd<4>> && std::same_as<chosen<mostly_winograd, tiny>, winograd<2>>);
static_assert(std::same_as<chosen<mostly_winograd, strided>, direct> && std::same_as<chosen<mostly_winograd, grouped>, direct>);
static_assert(!mostly_winograd::refuses<avx2>(each_channel).empty() && first_of<winograd<4>, depthwise>::refuses<avx2>(each_channel).empty());
static_assert(says(first_of<winograd<4>, winograd<2>>::refuses<avx2>(strided), "winograd: the stride is not 1"));
static_assert(std::same_as<chosen<im2col, plain>, im2col>);
constexpr conv2d_layer large = {.in = {56, 56, 64}, .channels = 64, .kernel = 3, .padding = 1};
static_assert(std::same_as<chosen<automatic, large>, winograd<4>> && std::same_as<chosen<automatic, each_channel>, depthwise>);
static_assert(std::same_as<chosen<automatic, strided>, direct> && std::same_as<chosen<automatic, pointwise>, direct>);
static_assert(std::same_as<chosen<automatic, grouped>, direct> && std::same_as<chosen<automatic, tiny>, direct>);
static_assert(automatic::refuses<scalar>(plain).empty() && automatic::refuses<scalar>(each_channel).empty());

// Schedules: the stack's name says what is stated, its reason what cannot be.
static_assert(stack<direct, dlas::schedule<{.tile = {1, 7, 3}, .inputs = 128, .prefetch = 0}>, avx2>::name ==
              "f32/dense/direct/tile1x7x3-inputs128-prefetch0/avx2");
static_assert(stack<dlas::untuned, direct>::name == stack<direct>::name && stack<direct, dlas::threads<2>>::name == "f32/dense/direct/scalar/threads2");
template <class... Policies>
constexpr std::string_view schedule_of_plain = stack<Policies...>::refuses(plain);
static_assert(schedule_of_plain<direct, avx2, dlas::schedule<{.tile = {1, 6, 2}}>>.empty());
static_assert(schedule_of_plain<direct, avx2, dlas::schedule<{.tile = {1, 6, 3}}>> == "schedule: the register tile needs more registers than the target has");
static_assert(schedule_of_plain<direct, avx2, dlas::schedule<{.tile = {0, 6, 1}}>> == "schedule: rows, columns and vectors of a register tile must be positive");
static_assert(schedule_of_plain<direct, dlas::schedule<{.pixels = 0}>> == "schedule: a block must be positive");
static_assert(schedule_of_plain<direct, dlas::schedule<{.prefetch = -2}>> == "schedule: the prefetch distance must not be negative");
static_assert(schedule_of_plain<direct, dlas::schedule<{.inputs = 2}>> == "schedule: blocks of input channels need a stated register tile");
static_assert(schedule_of_plain<direct, dlas::schedule<{.fused_rows = 2}>> == "schedule: depthwise layers alone run in bands with those around them");
static_assert(schedule_of_plain<im2col, dlas::schedule<{.pixels = 2}>> == "schedule: im2col's blocks of pixels are the rows that its matrix holds, by rule");
static_assert(schedule_of_plain<winograd<2>, dlas::schedule<{.inputs = 2}>> == "schedule: winograd sums all input channels of a register tile at once");
static_assert(stack<depthwise, dlas::schedule<{.inputs = 2}>>::refuses(each_channel) == "schedule: depthwise has a register tile and blocks of channels");
static_assert(stack<depthwise, dlas::schedule<{.pixels = 2}>>::refuses(each_channel) == "schedule: depthwise has a register tile and blocks of channels");
static_assert(stack<depthwise, avx2, dlas::schedule<{.channels = 12}>>::refuses(each_channel) == "schedule: depthwise's blocks of channels are whole vectors");
static_assert(stack<depthwise, avx2, dlas::schedule<{.channels = 0}>>::refuses(each_channel) == "schedule: a block must be positive");
static_assert(stack<depthwise, avx2, dlas::schedule<{.channels = 16}>>::refuses(each_channel).empty());

static_assert(stack<depthwise, dlas::schedule<{.fused_rows = -2}>>::refuses(each_channel) == "schedule: rows of a band must not be negative");
static_assert(stack<depthwise, dlas::schedule<{.fused_rows = 2}>>::refuses(each_channel) ==
              "schedule: bands need a depthwise layer whose rows are its output's times the stride");
static_assert(schedule_of_plain<im2col, avx2, dlas::schedule<{.tile = {1, 15, 1}}>>.size() > 0);
static_assert(schedule_of_plain<winograd<4>, avx2, dlas::schedule<{.tile = {1, 6, 1}, .pixels = 4}>> ==
              "schedule: winograd's register tile is larger than its block of tiles");
static_assert(stack<dlas::tuned, dlas::schedule<{.pixels = 4}>>::refuses(plain) == "tuned: the plan states the schedules; a stack's own would be lost");

// A layer and a stack.
using kernel = conv2d_kernel<{.in = {56, 56, 64}, .channels = 64, .kernel = 3, .padding = 1}, stack<direct, scalar>>;
static_assert(kernel::workspace_bytes <= 64 * 1024 && kernel::macs == 56LL * 56 * 64 * 64 * 9 && kernel::out == shape{56, 56, 64});
static_assert(kernel::code.name == "conv2d/56x56x64-64k3s1p1/f32/dense/direct/scalar");
static_assert(kernel::code.algorithm == "direct" && kernel::code.target == "scalar");
static_assert(kernel::code.input_bytes == 58 * 58 * 64 * 4 && kernel::code.output_bytes == 56 * 56 * 64 * 4);
static_assert(kernel::code.input_row_bytes == 58 * 64 * 4 && kernel::code.first_pixel == (58 + 1) * 64 * 4);
static_assert(kernel::weight_bytes >= 4 * (64 * 64 * 9 + 64));
using odd_kernel = conv2d_kernel<{.in = {9, 8, 6}, .channels = 4, .kernel = {1, 3}, .stride = 2, .dilation = 2, .groups = 2}, stack<>>;
static_assert(odd_kernel::code.name == "conv2d/9x8x6-4k1x3s2d2g2/f32/dense/automatic/scalar" && odd_kernel::code.algorithm == "direct");

/// The example of a plan: one stack for 3x3 windows, another for the rest.
struct plan {
    static constexpr std::string_view name = "winograd for 3x3";
    using target = scalar;
    template <conv2d_layer L>
    static consteval auto select() {
        if constexpr (L.kernel == 3 && L.stride == 1) return stack<f32, winograd<4>, scalar>{};
        else return stack<f32, direct, scalar>{};
    }
};
static_assert(layer_plan<plan>);
static_assert(std::same_as<stack_for<plan, plain>, stack<winograd<4>>> && std::same_as<stack_for<plan, strided>, stack<direct>>);
static_assert(std::same_as<stack_for<stack<im2col>, plain>, stack<im2col>>);

struct hopeless_plan : plan {
    template <conv2d_layer L>
    static consteval auto select() {
        return stack<winograd<4>>{};
    }
};

using small_resnet = resnet8_a<shapes10>;
static_assert(network_refusal<small_resnet, plan>.length == 0 && network_refusal<small_resnet, stack<>>.length == 0);
static_assert(network_refusal<small_resnet, hopeless_plan>.view() == "layer2.0.conv1: winograd: the stride is not 1");
static_assert(network_refusal<small_resnet, stack<depthwise>>.view().starts_with("conv1: depthwise: the layer mixes channels"));
static_assert(network_refusal<mobilenet_v1_quarter<cifar10>, stack<direct>>.view().starts_with("conv_dw_1: direct: "));

}  // namespace

TEST_CASE("plan: a stack for each layer") {
    using net = network<small_resnet, plan>;
    CHECK(net::code.plan == plan::name);
    CHECK(net::code.target == "scalar");
    int transformed = 0, direct_layers = 0;
    for (const executable_step& step : net::code.steps) {
        if (step.kind != step_kind::conv2d) continue;
        const bool wanted = step.conv.kernel == 3 && step.conv.stride == 1;
        CHECK(step.algorithm == (wanted ? "winograd4" : "direct"));
        (wanted ? transformed : direct_layers) += 1;
    }
    CHECK(transformed == 5);
    CHECK(direct_layers == 3);

    const safetensors weights = seeded_weights(graph_of<small_resnet>, 3);
    host_network compiled(net::code, weights);
    std::vector<float> image(static_cast<std::size_t>(small_resnet::input.elements()));
    seeded_numbers numbers(4);
    for (float& x : image) x = static_cast<float>(numbers.centered(1));
    const std::vector<double> expected = reference_run(graph_of<small_resnet>, weights, image);
    const auto logits = compiled(image);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(double{logits[i]} - expected[i]) < 1e-4);
}

TEST_CASE("policies: every name is its own, every target of the list is ordered") {
    std::vector<std::string_view> names;
    auto add = [&names]<class... Policies>(policy_list<Policies...>) { (names.push_back(Policies::name), ...); };
    add(algorithms{});
    add(targets{});
    names.push_back(automatic::name);
    for (std::size_t i = 0; i < names.size(); ++i)
        for (std::size_t k = 0; k < i; ++k) CHECK(names[i] != names[k]);
    CHECK(scalar::available());
    CHECK((!avx512::available() || avx2::available()));
}
