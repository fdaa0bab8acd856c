// Dead channels: which are found in networks made to have them, and that nothing changes without them.
#include <dlas/optimizations/dead_channels.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <dlas/models/graph.hpp>
#include <dlas/models/narrowed.hpp>
#include <dlas/systems/network.hpp>

#include "../systems/compiled_networks.hpp"
#include "made_weights.hpp"

namespace {

using dlas::tensor;
template <class Format>
using stack_of = dlas::stack<Format, dlas::scalar>;
template <class Model, class Format>
const dlas::executable& code_of = dlas::network<Model, stack_of<Format>>::code;
using channels = std::vector<int>;

/// What `call` throws; empty where it does not.
template <class Call>
std::string complaint(Call call) {
    try {
        call();
        return "";
    } catch (const dlas::error& error) { return error.what(); }
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<channels> kept_of(const dlas::narrow_network& narrow) {
    std::vector<channels> kept;
    for (const dlas::kept_layer& layer : narrow.layers) kept.push_back(layer.kept);
    return kept;
}

/// All images have the same logits in both networks, and different ones where these are lively.
void check_same(dlas::host_network& a, dlas::host_network& b, int images, bool lively = true) {
    dlas::seeded_numbers random(7);
    int same = 0;
    std::set<std::vector<std::int8_t>> seen;
    for (int i = 0; i < images; ++i) {
        const std::vector<std::int8_t> image = random_image(a.code(), random);
        fill_with_garbage(a);
        fill_with_garbage(b);
        const auto expected = a(std::span(image));
        same += std::ranges::equal(expected, b(std::span(image)));
        seen.emplace(expected.begin(), expected.end());
    }
    CHECK(same == images);
    if (lively) CHECK(static_cast<int>(seen.size()) > images / 2);
}

/// The channels that are found are those expected, and the model that keeps them, if it `Runs`, answers as the whole one.
template <class Model, class Kept, class Format, bool Runs, class Change>
void check_kept(const std::vector<channels>& expected, Change change, bool lively) {
    const dlas::executable& code = code_of<Model, Format>;
    CAPTURE(label_of(code));
    made_weights made = lively_weights(code, 3);
    change(made);
    const dlas::safetensors file = made.file();
    const dlas::narrow_network narrow = dlas::remove_dead_channels(code, file);
    CHECK(kept_of(narrow) == expected);
    CHECK(std::ranges::equal(narrow.layers, Kept::channels, {}, [](const dlas::kept_layer& layer) { return static_cast<int>(layer.kept.size()); }));
    if constexpr (Runs) {
        dlas::host_network whole(code, file), rest(code_of<dlas::narrowed<Model, Kept>, Format>, narrow.weights);
        check_same(whole, rest, sanitized ? 10 : 60, lively);
    }
}
/// In each format; the smaller model runs in one of them.
template <class Model, class Kept, class Runs, class Change>
void check_each(const std::vector<channels>& expected, Change change, bool lively = true) {
    auto check = [&]<class Format>(Format) { check_kept<Model, Kept, Format, std::same_as<Format, Runs>>(expected, change, lively); };
    check(dlas::int8_tflite{});
    check(dlas::int8_fixed{});
    check(dlas::int8_power_of_two{});
}

struct pointwise {
    static constexpr std::string_view name = "pointwise";
    static constexpr dlas::shape input = {6, 7, 3};
    static constexpr tensor forward(tensor x) {
        x = relu(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1}, "a"));
        x = relu6(conv2d(x, {.channels = 6}, "b"));
        return linear(max_pool2d(x, {.kernel = {3, 7}, .stride = 3}), 4, "fc");
    }
};
/// The second convolution sees padding below and at the right alone.
struct strided {
    static constexpr std::string_view name = "strided";
    static constexpr dlas::shape input = {6, 6, 3};
    static constexpr tensor forward(tensor x) {
        x = conv2d(x, {.channels = 8}, "a");
        x = conv2d(x, {.channels = 5, .kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}}, "b");
        return linear(global_average_pool(x), 4, "fc");
    }
};
struct separable {
    static constexpr std::string_view name = "separable";
    static constexpr dlas::shape input = {7, 5, 3};
    static constexpr tensor forward(tensor x) {
        x = relu(conv2d(x, {.channels = 8, .kernel = 3}, "a"));
        x = relu(depthwise_conv2d(x, {.kernel = 3, .padding = 1}, "dw"));
        x = relu(conv2d(x, {.channels = 6}, "b"));
        return linear(global_average_pool(x), 4, "fc");
    }
};
struct residual {
    static constexpr std::string_view name = "residual";
    static constexpr dlas::shape input = {6, 5, 3};
    static constexpr tensor forward(tensor x) {
        x = relu(conv2d(x, {.channels = 6, .kernel = 3, .padding = 1}, "a"));
        tensor y = relu(conv2d(x, {.channels = 5, .kernel = 3, .padding = 1}, "b"));
        x = relu(conv2d(y, {.channels = 6}, "c") + x);
        return linear(global_average_pool(x), 4, "fc");
    }
};
/// All that channels are not removed from, and sums and pools between which they are.
struct mixed {
    static constexpr std::string_view name = "mixed";
    static constexpr dlas::shape input = {9, 8, 4};
    static constexpr tensor forward(tensor x) {
        const tensor a = relu(conv2d(x, {.channels = 6, .kernel = 3, .padding = 1}, "a"));
        const tensor b = conv2d(x, {.channels = 6, .kernel = 3, .padding = 1}, "b");
        tensor y = relu(a + b);
        y = average_pool2d(y, {.kernel = 3, .stride = 1, .padding = 1});
        y = conv2d(y, {.channels = 8, .kernel = 3, .padding = 1}, "c");
        y = average_pool2d(max_pool2d(y, {.kernel = 3, .stride = 1, .padding = 1}), {.kernel = 2, .stride = 1, .padding = 1, .count_padding = false});
        y = relu6(conv2d(y, {.channels = 6, .kernel = 3, .dilation = 2}, "d"));
        y = conv2d(y, {.channels = 4, .kernel = 3, .padding = 1, .groups = 2}, "e");
        y = concatenate(y, conv2d(y, {.channels = 3}, "f"));
        y = subsample(y, 2, 1, 2);
        return linear(y, 4, "fc");
    }
};

constexpr auto unchanged = [](made_weights&) {};

struct pointwise_all {
    static constexpr int channels[] = {8, 6, 4};
};
struct pointwise_kept {
    static constexpr int channels[] = {3, 4, 4};
};
struct strided_kept {
    static constexpr int channels[] = {4, 5, 4};
};
struct strided_more {
    static constexpr int channels[] = {5, 5, 4};
};
struct separable_half {
    static constexpr int channels[] = {2, 2, 3, 4};
};
struct mixed_kept {
    static constexpr int channels[] = {4, 4, 3, 4, 2, 1, 4};
};
struct separable_kept {
    static constexpr int channels[] = {4, 4, 6, 4};
};
struct residual_kept {
    static constexpr int channels[] = {4, 4, 4, 4};
};
struct one_of_each {
    static constexpr int channels[] = {1, 1, 4};
};

}  // namespace

TEST_CASE("narrowed: shapes follow") {
    constexpr const auto& g = dlas::graph_of<dlas::narrowed<separable, separable_kept>>;
    static_assert(g.nodes[1].out == dlas::shape{5, 3, 4});
    static_assert(g.nodes[3].conv.depthwise() && g.nodes[3].conv.groups == 4);
    static_assert(g.nodes[5].conv.in == dlas::shape{5, 3, 4} && g.nodes[5].out == dlas::shape{5, 3, 6});
    static_assert(g.nodes[7].out == dlas::shape{1, 1, 6});
    static_assert(g.output() == dlas::graph_of<separable>.output());
    using narrow = dlas::narrowed<separable, separable_kept>;
    static_assert(narrow::name == separable::name && narrow::input == separable::input);
    static_assert(dlas::macs(g) < dlas::macs(dlas::graph_of<separable>));

    // Narrowed twice, and where concatenations, subsampling and groups follow.
    static_assert(dlas::graph_of<dlas::narrowed<narrow, separable_half>>.nodes[7].out.channels == 3);
    constexpr const auto& m = dlas::graph_of<dlas::narrowed<mixed, mixed_kept>>;
    static_assert(m.nodes[m.nodes.size() - 2].out.channels == 1 + (2 + 1) + 2);
}

TEST_CASE("dead channels: none where there are none") {
    check_each<pointwise, pointwise_all, dlas::int8_fixed>({{0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3}}, unchanged);
}

TEST_CASE("dead channels: constant, unread, and read by dead ones alone") {
    check_each<pointwise, pointwise_kept, dlas::int8_tflite>({{0, 5, 7}, {1, 2, 3, 4}, {0, 1, 2, 3}}, [](made_weights& m) {
        m["a"].sink(1);
        m["a"].lift(2);
        m["b"].ignore(3);
        for (int input = 0; input < 3; ++input)
            for (std::int8_t& w : m["a"].of(4, input)) w = 0;
        m["a"].bias(4) = 1500;
        m["b"].sink(5);
        m["fc"].ignore(0);
        for (int channel = 1; channel < 5; ++channel) m["b"].of(channel, 6)[0] = 0;
    });
}

TEST_CASE("dead channels: padding is another integer than a constant") {
    const auto change = [](made_weights& m) {
        for (const int channel : {1, 2, 3, 4, 5})
            for (int input = 0; input < 3; ++input)
                for (std::int8_t& w : m["a"].of(channel, input)) w = 0;
        m["a"].bias(1) = 0;  // the zero point
        for (const int channel : {2, 3, 4, 5}) m["a"].bias(channel) = 3000;
        // Of the window's taps those above and at the left never see padding.
        for (int channel = 0; channel < 5; ++channel)
            for (int tap = 0; tap < 9; ++tap) {
                if (tap / 3 == 2 || tap % 3 == 2) m["b"].of(channel, 3)[static_cast<std::size_t>(tap)] = 0;
                if (tap != 8) m["b"].of(channel, 4)[static_cast<std::size_t>(tap)] = 0;
            }
        m["b"].ignore(5);
    };
    check_each<strided, strided_more, dlas::int8_fixed>({{0, 2, 4, 6, 7}, {0, 1, 2, 3, 4}, {0, 1, 2, 3}}, change);
    check_each<strided, strided_kept, dlas::int8_power_of_two>({{0, 2, 6, 7}, {0, 1, 2, 3, 4}, {0, 1, 2, 3}}, [&](made_weights& m) {
        change(m);
        m["b"].ignore(4);
    });
}

TEST_CASE("dead channels: depthwise convolutions keep what their input keeps") {
    const auto change = [](made_weights& m) {
        m["a"].sink(1);
        m["a"].lift(2);
        for (std::int8_t& w : m["dw"].of(3, 0)) w = 0;
        m["b"].ignore(4);
        m["dw"].lift(5);
    };
    check_each<separable, separable_kept, dlas::int8_tflite>({{0, 2, 6, 7}, {0, 2, 6, 7}, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3}}, change);
    // A constant that stays needs no weights.
    made_weights made = lively_weights(code_of<separable, dlas::int8_tflite>, 3);
    change(made);
    const dlas::narrow_network narrow = dlas::remove_dead_channels(code_of<separable, dlas::int8_tflite>, made.file());
    const auto bytes = narrow.weights.find("a.weight")->bytes;
    CHECK(std::ranges::all_of(bytes.subspan(27, 27), [](std::byte b) { return b == std::byte{0}; }));
    CHECK(std::ranges::none_of(bytes.first(27), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("dead channels: the maps of a sum keep the same") {
    check_each<residual, residual_kept, dlas::int8_power_of_two>({{0, 2, 4, 5}, {0, 1, 2, 4}, {0, 2, 4, 5}, {0, 1, 2, 3}}, [](made_weights& m) {
        m["a"].sink(1);  // constant in both, and not seen to be another integer than padding
        m["c"].sink(1);
        m["a"].sink(2);  // in one of them
        m["c"].sink(4);
        m["b"].ignore(3);  // not read from either
        m["fc"].ignore(3);
        m["b"].sink(3);
    });
}

TEST_CASE("dead channels: one is left everywhere") {
    check_each<pointwise, one_of_each, dlas::int8_fixed>(
        {{0}, {0}, {0, 1, 2, 3}},
        [](made_weights& m) {
            for (int input = 0; input < 6; ++input) m["fc"].ignore(input);
            for (int input = 1; input < 8; ++input) m["b"].of(0, input)[0] = 0;
        },
        false);
}

namespace {

/// The weights of a narrow network in a file for the whole one: what is missing is 0. `reads` says whose channels a layer reads, of
/// those layers that do not read all.
made_weights widened(made_weights made, const dlas::narrow_network& narrow, const std::map<std::string, std::string>& reads) {
    auto kept = [&](const std::string& name) { return std::ranges::find(narrow.layers, name, &dlas::kept_layer::name)->kept; };
    for (auto& [name, layer] : made.layers) {
        const auto* weights = reinterpret_cast<const std::int8_t*>(narrow.weights.find(name + ".weight")->bytes.data());
        const auto* biases = reinterpret_cast<const std::int32_t*>(narrow.weights.find(name + ".bias")->bytes.data());
        std::ranges::fill(layer.weights, std::int8_t{0});
        std::ranges::fill(layer.biases, 0);
        channels inputs;
        if (reads.contains(name))
            inputs = kept(reads.at(name));
        else
            for (int input = 0; input < layer.inputs; ++input) inputs.push_back(input);
        for (const int channel : kept(name)) {
            layer.bias(channel) = *biases++;
            for (const int input : inputs)
                for (std::int8_t& w : layer.of(channel, input)) w = *weights++;
        }
    }
    return made;
}

/// Networks of random weights, many of them 0, and biases, some of them large.
template <class Model, class Format>
void check_random(const std::map<std::string, std::string>& reads, int networks) {
    const dlas::executable& code = code_of<Model, Format>;
    int removed = 0, total = 0;
    for (int i = 0; i < networks; ++i) {
        made_weights made = lively_weights(code, static_cast<std::uint64_t>(i));
        dlas::seeded_numbers random(static_cast<std::uint64_t>(i) + 1000);
        auto chance = [&random](double p) { return random.between(0, 1) < p; };
        for (std::int32_t& zero : made.zeros)
            if (chance(0.5)) zero = chance(0.5) ? -128 : whole_number(random, -128, 127);
        if (code.scaling == dlas::scaling::power_of_two)
            for (float& scale : made.scales)
                if (chance(0.5)) scale *= 2;
        for (auto& [name, layer] : made.layers) {
            const double zeros = random.between(0, 1);
            for (std::int8_t& w : layer.weights)
                if (chance(zeros)) w = 0;
            for (int channel = 0; channel < layer.channels(); ++channel) {
                if (chance(0.2)) layer.bias(channel) = whole_number(random, -30000, 30000);
                if (chance(0.1)) layer.sink(channel);
                if (chance(0.05)) layer.lift(channel);
                if (chance(0.2))
                    for (int input = 0; input < layer.inputs; ++input)
                        for (std::int8_t& w : layer.of(channel, input)) w = 0;
                if (chance(0.02)) layer.bias(channel) = 1 << 22;
                // Sums may be shifted to the left where they can be.
                if (chance(0.05)) layer.scales[static_cast<std::size_t>(channel)] *= code.scaling == dlas::scaling::power_of_two ? 8 : 64;
            }
        }
        const dlas::safetensors file = made.file();
        const dlas::narrow_network narrow = dlas::remove_dead_channels(code, file);
        for (const dlas::kept_layer& layer : narrow.layers) {
            total += layer.channels;
            removed += layer.channels - static_cast<int>(layer.kept.size());
            CHECK(!layer.kept.empty());
        }
        dlas::host_network whole(code, file), rest(code, widened(made, narrow, reads).file());
        CAPTURE(i);
        check_same(whole, rest, sanitized ? 3 : 8, false);
    }
    MESSAGE(label_of(code), ": ", removed, " of ", total, " channels removed from ", networks, " networks");
    CHECK(removed > total / 20);
}
template <class Model>
void check_random(const std::map<std::string, std::string>& reads) {
    const int networks = sanitized ? 30 : 300;
    check_random<Model, dlas::int8_tflite>(reads, networks);
    check_random<Model, dlas::int8_fixed>(reads, networks);
    check_random<Model, dlas::int8_power_of_two>(reads, networks);
}

}  // namespace

TEST_CASE("dead channels: random networks are the same without them") {
    check_random<pointwise>({{"b", "a"}, {"fc", "b"}});
    check_random<strided>({{"b", "a"}, {"fc", "b"}});
    check_random<separable>({{"b", "dw"}, {"fc", "b"}});
    check_random<residual>({{"b", "a"}, {"c", "b"}, {"fc", "c"}});
    check_random<mixed>({{"c", "a"}, {"d", "c"}});
}

TEST_CASE("dead channels: what cannot be is said") {
    const dlas::executable& code = code_of<pointwise, dlas::int8_fixed>;
    made_weights made = lively_weights(code, 3);
    using floats = dlas::network<pointwise, dlas::stack<dlas::f32, dlas::scalar>>;
    using reals = dlas::network<pointwise, dlas::stack<dlas::int8, dlas::scalar>>;
    CHECK(contains(complaint([&] { dlas::remove_dead_channels(floats::code, made.file()); }),
                   "of 'pointwise' does not scale all of its integers by fixed-point numbers"));
    CHECK(contains(complaint([&] { dlas::remove_dead_channels(reals::code, made.file()); }),
                   "does not scale all of its integers by fixed-point numbers"));
    CHECK(contains(complaint([&] { dlas::remove_dead_channels(code_of<separable, dlas::int8_fixed>, made.file()); }), "made: tensor 'maps."));
}

TEST_CASE("dead channels: sums that kernels cannot hold are refused") {
    const dlas::executable& code = code_of<pointwise, dlas::int8_fixed>;
    made_weights made = lively_weights(code, 3);
    made["a"].lift(2);
    CHECK(dlas::remove_dead_channels(code, made.file()).layers[0].kept == channels{0, 1, 3, 4, 5, 6, 7});
    for (int input = 0; input < 8; ++input) made["b"].of(0, input)[0] = static_cast<std::int8_t>(input == 2 ? 100 : input < 6 ? -20 : 0);
    made["b"].bias(0) = 0x7fffffff - 100;
    CHECK(contains(complaint([&] { dlas::remove_dead_channels(code, made.file()); }), "made: the sums of channel 0 of 'b' may reach 2147"));
}

TEST_CASE("dead channels: the header") {
    const dlas::executable& code = code_of<pointwise, dlas::int8_fixed>;
    made_weights made = lively_weights(code, 3);
    made["a"].sink(1);
    CHECK(dlas::kept_header(dlas::remove_dead_channels(code, made.file())) ==
          "// The convolutions of pointwise without their dead channels. Written by dlas::kept_header().\n"
          "#pragma once\n\n"
          "struct kept {\n"
          "    static constexpr int channels[] = {\n"
          "        7,  // a, of 8\n"
          "        6,  // b, of 6\n"
          "        4,  // fc, of 4\n"
          "    };\n"
          "};\n");
}
