// Small graphs that no published network is: each one stresses a pass of systems/program.hpp or a rule of systems/memory_plan.hpp.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <dlas/algorithms/algorithms.hpp>
#include <dlas/hardware/targets.hpp>
#include <dlas/models/graph.hpp>
#include <dlas/systems/fusion.hpp>

#include "compiled_networks.hpp"

namespace made_up {

using dlas::tensor;

constexpr tensor convolution(tensor x, int channels, int kernel, int padding, dlas::layer_name name) {
    return dlas::conv2d(x, {.channels = channels, .kernel = kernel, .padding = padding}, name);
}

// Nothing or nearly nothing to do.

struct only_input {
    static constexpr std::string_view name = "only_input";
    static constexpr dlas::shape input = {3, 4, 5};
    static constexpr tensor forward(tensor x) { return x; }
};
struct input_and_relu {
    static constexpr std::string_view name = "input_and_relu";
    static constexpr dlas::shape input = {5, 7, 3};
    static constexpr tensor forward(tensor x) { return relu(x); }
};
struct one_pixel {
    static constexpr std::string_view name = "one_pixel";
    static constexpr dlas::shape input = {1, 1, 7};
    static constexpr tensor forward(tensor x) {
        x = relu(convolution(x, 9, 3, 1, "first"));
        return convolution(x, 5, 5, 2, "second");
    }
};

// Concatenations: slices of wider buffers, and the copies where a map has another place already.

/// DenseNet: each layer reads all that came before; transitions between the blocks; channels that fill no vector.
struct dense_blocks {
    static constexpr std::string_view name = "dense_blocks";
    static constexpr dlas::shape input = {12, 10, 3};
    static constexpr tensor block(tensor x, dlas::layer_name at) {
        for (int i = 0; i < 4; ++i) {
            tensor y = convolution(relu(batch_norm(x, at / i / "norm1")), 12, 1, 0, at / i / "conv1");
            y = convolution(relu(batch_norm(y, at / i / "norm2")), 5, 3, 1, at / i / "conv2");
            x = concatenate(x, y);
        }
        return x;
    }
    static constexpr tensor forward(tensor x) {
        x = block(convolution(x, 7, 3, 1, "stem"), "block1");
        x = convolution(relu(batch_norm(x, "transition.norm")), 13, 1, 0, "transition.conv");
        x = block(average_pool2d(x, {}), "block2");
        return linear(global_average_pool(relu(batch_norm(x, "norm"))), 6, "classifier");
    }
};
/// One part of two concatenations, which also has a reader of its own with a wider window.
struct part_of_two {
    static constexpr std::string_view name = "part_of_two";
    static constexpr dlas::shape input = {9, 8, 3};
    static constexpr tensor forward(tensor x) {
        const tensor a = convolution(x, 5, 3, 1, "a"), b = relu(convolution(x, 6, 3, 1, "b")), c = convolution(x, 3, 1, 0, "c");
        const tensor left = concatenate(a, b), right = concatenate(b, c);
        const tensor wide = convolution(b, 4, 5, 2, "wide");
        return convolution(left, 4, 3, 1, "left") + convolution(right, 4, 3, 1, "right") + wide;
    }
};
struct same_part_twice {
    static constexpr std::string_view name = "same_part_twice";
    static constexpr dlas::shape input = {6, 7, 3};
    static constexpr tensor forward(tensor x) {
        const tensor a = relu(convolution(x, 5, 3, 1, "a"));
        return convolution(concatenate(concatenate(a, a), a), 8, 3, 1, "b");
    }
};
struct input_as_part {
    static constexpr std::string_view name = "input_as_part";
    static constexpr dlas::shape input = {6, 7, 3};
    static constexpr tensor forward(tensor x) {
        const tensor first = concatenate(x, relu(convolution(x, 5, 3, 1, "a")));
        const tensor second = concatenate(convolution(first, 4, 3, 1, "b"), x);
        return convolution(concatenate(second, first), 9, 5, 2, "c");
    }
};
struct concatenations_of_concatenations {
    static constexpr std::string_view name = "concatenations_of_concatenations";
    static constexpr dlas::shape input = {7, 6, 3};
    static constexpr tensor forward(tensor x) {
        const tensor a = convolution(x, 1, 3, 1, "a"), b = convolution(x, 2, 3, 1, "b"), c = convolution(x, 3, 3, 1, "c"),
                     d = convolution(x, 4, 3, 1, "d");
        const tensor inner = concatenate(b, c);
        const tensor outer = concatenate(a, inner), pairs = concatenate(concatenate(a, b), concatenate(inner, d));
        return convolution(outer, 5, 3, 1, "outer") + convolution(pairs, 5, 3, 1, "pairs") + convolution(inner, 5, 5, 2, "inner");
    }
};
/// Every kind of operation writes into a slice, and reads from one.
struct all_into_slices {
    static constexpr std::string_view name = "all_into_slices";
    static constexpr dlas::shape input = {8, 6, 5};
    static constexpr tensor forward(tensor x) {
        const tensor stem = convolution(x, 5, 3, 1, "stem");
        tensor all = concatenate(x, stem);
        all = concatenate(all, relu(x));
        all = concatenate(all, batch_norm(stem, "norm"));
        all = concatenate(all, max_pool2d(stem, {.kernel = 3, .stride = 1, .padding = 1}));
        all = concatenate(all, stem + x);
        all = concatenate(all, relu6(convolution(all, 5, 3, 1, "residual") + x));
        all = concatenate(all, dlas::depthwise_conv2d(all, {.kernel = 3, .padding = 1}, "depthwise"));
        const tensor half = subsample(all, 2, 1, 2);
        const tensor pooled = average_pool2d(all, {});
        const tensor halves = concatenate(half, pooled);
        const tensor means = concatenate(global_average_pool(halves), global_average_pool(all));
        return linear(concatenate(means, global_average_pool(stem)), 11, "classifier");
    }
};
struct inception {
    static constexpr std::string_view name = "inception";
    static constexpr dlas::shape input = {9, 9, 4};
    static constexpr tensor branch(tensor x, dlas::layer_name at) {
        tensor y = concatenate(relu(convolution(x, 6, 1, 0, at / "a")), relu(convolution(relu(convolution(x, 3, 1, 0, at / "b")), 7, 3, 1, at / "c")));
        y = concatenate(y, relu(convolution(relu(convolution(x, 2, 1, 0, at / "d")), 5, 5, 2, at / "e")));
        return concatenate(y, convolution(max_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1}), 3, 1, 0, at / "f"));
    }
    static constexpr tensor forward(tensor x) { return max_pool2d(branch(branch(x, "first"), "second"), {.kernel = 3, .stride = 2}); }
};

// Sums: fused where the other operand exists already, steps of their own where not.

struct later_operand {
    static constexpr std::string_view name = "later_operand";
    static constexpr dlas::shape input = {7, 7, 4};
    static constexpr tensor forward(tensor x) {
        const tensor early = convolution(x, 6, 3, 1, "early");
        const tensor late = relu(convolution(x, 6, 3, 1, "late"));
        const tensor first = early + late;  // late comes after early: late takes the sum in, were it not for its activation
        const tensor a = convolution(first, 6, 3, 1, "a"), b = convolution(first, 6, 3, 1, "b");
        const tensor normalized_a = batch_norm(a, "norm_a"), normalized_b = batch_norm(b, "norm_b");
        return relu(normalized_a + normalized_b);
    }
};
struct sums_of_one {
    static constexpr std::string_view name = "sums_of_one";
    static constexpr dlas::shape input = {5, 6, 4};
    static constexpr tensor forward(tensor x) {
        const tensor y = convolution(x, 4, 3, 1, "a");
        const tensor twice = y + y;
        const tensor shortcut = x + convolution(twice, 4, 3, 1, "b");
        return relu6(shortcut + shortcut);
    }
};
struct chain_of_sums {
    static constexpr std::string_view name = "chain_of_sums";
    static constexpr dlas::shape input = {6, 9, 5};
    static constexpr tensor forward(tensor x) {
        tensor y = batch_norm(convolution(x, 5, 3, 1, "a"), "a_norm") + x;
        y = relu(batch_norm(y, "sum_norm"));
        tensor z = convolution(y, 5, 3, 1, "b");
        z = z + y + x;
        return relu6(z + convolution(z, 5, 1, 0, "c"));
    }
};
/// Residuals that are slices, of convolutions that write slices.
struct sums_of_slices {
    static constexpr std::string_view name = "sums_of_slices";
    static constexpr dlas::shape input = {8, 7, 3};
    static constexpr tensor forward(tensor x) {
        const tensor a = relu(convolution(x, 6, 3, 1, "a")), b = convolution(x, 5, 3, 1, "b");
        const tensor joined = concatenate(a, b);
        const tensor c = relu(convolution(joined, 6, 3, 1, "c") + a), d = convolution(joined, 5, 5, 2, "d") + b;
        return convolution(concatenate(d, c), 11, 3, 1, "e") + joined;
    }
};

// Normalizations and activations that no convolution takes in.

struct normalization_first {
    static constexpr std::string_view name = "normalization_first";
    static constexpr dlas::shape input = {6, 5, 7};
    static constexpr tensor forward(tensor x) {
        x = relu(batch_norm(x, "first"));
        x = batch_norm(relu(convolution(x, 6, 3, 1, "a")), "after_relu", 1e-3f);
        x = batch_norm(batch_norm(convolution(x, 5, 3, 1, "b"), "twice_a"), "twice_b");
        const tensor shared = convolution(x, 5, 1, 0, "shared");
        return relu(batch_norm(shared, "of_shared")) + shared;
    }
};
struct shared_activation {
    static constexpr std::string_view name = "shared_activation";
    static constexpr dlas::shape input = {6, 6, 3};
    static constexpr tensor forward(tensor x) {
        const tensor y = convolution(x, 6, 3, 1, "a");
        const tensor positive = relu(y), cut = relu6(y);
        const tensor z = convolution(positive, 4, 3, 1, "b") + convolution(y, 4, 3, 1, "c");
        return convolution(relu(relu6(z)), 4, 3, 1, "d") + convolution(cut, 4, 1, 0, "e");
    }
};

// Halos.

/// One map, three readers: two windows that see different borders and a pool that sees none.
struct different_halos {
    static constexpr std::string_view name = "different_halos";
    static constexpr dlas::shape input = {10, 9, 3};
    static constexpr tensor forward(tensor x) {
        const tensor y = relu(convolution(x, 6, 3, 1, "a"));
        const tensor small = conv2d(y, {.channels = 5, .kernel = 3, .padding = 1}, "small");
        const tensor lopsided = conv2d(y, {.channels = 5, .kernel = {5, 2}, .padding = {3, 1, 0, 1}}, "lopsided");
        const tensor pooled = max_pool2d(y, {.kernel = 3, .stride = 1, .padding = 1});
        return concatenate(small + lopsided, pooled);
    }
};
/// Maps of one size and other halos follow each other in the same memory.
struct halos_in_reused_memory {
    static constexpr std::string_view name = "halos_in_reused_memory";
    static constexpr dlas::shape input = {16, 16, 4};
    static constexpr tensor forward(tensor x) {
        constexpr int kernels[] = {3, 1, 7, 5, 1, 3, 5, 1, 9, 3};
        for (int i = 0; i < 10; ++i) x = relu(convolution(x, i % 2 == 0 ? 6 : 4, kernels[i], kernels[i] / 2, dlas::layer_name("conv") / i));
        x = conv2d(x, {.channels = 5, .kernel = 3}, "valid");
        x = conv2d(x, {.channels = 6, .kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}}, "same");
        return conv2d(x, {.channels = 4, .kernel = 3, .stride = {1, 2}, .padding = 3}, "wider_than_needed");
    }
};
struct grouped_and_dilated {
    static constexpr std::string_view name = "grouped_and_dilated";
    static constexpr dlas::shape input = {13, 11, 6};
    static constexpr tensor forward(tensor x) {
        x = relu(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1, .groups = 2}, "two_groups"));
        x = relu(batch_norm(conv2d(x, {.channels = 12, .kernel = 3, .padding = 2, .dilation = 2, .groups = 4, .bias = false}, "dilated_groups"), "norm"));
        x = conv2d(x, {.channels = 20, .kernel = {3, 1}, .stride = {1, 2}, .padding = {3, 0}, .dilation = {3, 1}}, "tall");
        const tensor wide = conv2d(x, {.channels = 20, .kernel = 3, .padding = 2, .dilation = 2, .groups = 20}, "dilated_depthwise");
        const tensor multiplied = conv2d(x, {.channels = 40, .kernel = 3, .padding = 1, .groups = 20}, "two_of_each");
        return concatenate(relu6(x + wide), multiplied);
    }
};

// Other operations.

struct averages {
    static constexpr std::string_view name = "averages";
    static constexpr dlas::shape input = {9, 8, 5};
    static constexpr tensor forward(tensor x) {
        const tensor a = average_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
        const tensor b = average_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1, .count_padding = false});
        const tensor c = average_pool2d(x, {.kernel = {3, 2}, .stride = 2, .padding = {1, 1, 0, 0}});
        const tensor d = max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
        return concatenate(a + b, concatenate(c, d));
    }
};
/// Gates over maps and slices of them, read by others too, before sums and activations, and smooth activations wherever they can stand.
struct gates {
    static constexpr std::string_view name = "gates";
    static constexpr dlas::shape input = {9, 8, 5};
    static constexpr tensor gate(tensor x, int squeezed, dlas::layer_name at) {
        const tensor y = silu(convolution(global_average_pool(x), squeezed, 1, 0, at / "fc1"));
        return sigmoid(convolution(y, x.channels(), 1, 0, at / "fc2"));
    }
    static constexpr tensor forward(tensor x) {
        tensor y = silu(batch_norm(dlas::depthwise_conv2d(x, {.kernel = 3, .padding = 1}, "depthwise"), "norm"));
        y = convolution(multiply(y, gate(y, 2, "first")), 5, 3, 1, "a") + x;
        const tensor wide = silu(convolution(y, 19, 3, 1, "b"));
        const tensor scale = gate(wide, 3, "second");
        const tensor both = concatenate(relu(multiply(wide, scale)), multiply(silu(y), gate(y, 4, "third")));
        const tensor all = silu(batch_norm(both, "both")) + sigmoid(both);
        return multiply(global_average_pool(all), gate(all, 5, "last"));
    }
};
/// Flattened as PyTorch does: channels, then rows, then columns.
struct linear_of_map {
    static constexpr std::string_view name = "linear_of_map";
    static constexpr dlas::shape input = {3, 4, 5};
    static constexpr tensor forward(tensor x) {
        return linear(relu(linear(convolution(x, 6, 3, 1, "features"), 17, "hidden")), 3, "classifier", false);
    }
};
struct subsamples {
    static constexpr std::string_view name = "subsamples";
    static constexpr dlas::shape input = {11, 9, 5};
    static constexpr tensor forward(tensor x) {
        const tensor half = subsample(x, 2, 3, 2);
        const tensor y = relu(conv2d(x, {.channels = 10, .kernel = 3, .stride = 2, .padding = 1}, "a") + half);
        return subsample(subsample(y, 3, 0, 1), 1, 2, 0);
    }
};
/// Two convolutions with the same parameters.
struct shared_weights {
    static constexpr std::string_view name = "shared_weights";
    static constexpr dlas::shape input = {6, 7, 4};
    static constexpr tensor forward(tensor x) {
        x = relu(convolution(x, 4, 3, 1, "shared"));
        return relu(convolution(x, 4, 3, 1, "shared"));
    }
};

// Outputs.

struct output_is_a_concatenation {
    static constexpr std::string_view name = "output_is_a_concatenation";
    static constexpr dlas::shape input = {5, 5, 3};
    static constexpr tensor forward(tensor x) {
        const tensor a = convolution(x, 5, 3, 1, "a");
        return concatenate(a, convolution(a, 4, 3, 1, "b"));
    }
};
/// The output's step runs early: the dead head's steps follow it.
struct dead_head {
    static constexpr std::string_view name = "dead_head";
    static constexpr dlas::shape input = {8, 8, 3};
    static constexpr tensor forward(tensor x) {
        const tensor y = convolution(x, 6, 3, 1, "living");
        const tensor dead = concatenate(convolution(x, 7, 3, 1, "dead_a"), convolution(x, 5, 3, 1, "dead_b"));
        (void)max_pool2d(convolution(dead, 4, 5, 2, "dead_c"), {});
        return relu(y);
    }
};
/// The output is the sum that an early convolution took in, with the input as its residual.
struct early_output {
    static constexpr std::string_view name = "early_output";
    static constexpr dlas::shape input = {6, 6, 4};
    static constexpr tensor forward(tensor x) {
        const tensor y = convolution(x, 4, 3, 1, "a");
        (void)convolution(x, 9, 5, 2, "dead");
        return y + x;
    }
};

/// Depthwise layers and their 1x1 neighbours in all that bands of rows meet: no layer before, none after, both; strides, windows of
/// 5 and of more than the map, unequal padding, residuals, channels that fill no vector.
struct separables {
    static constexpr std::string_view name = "separables";
    static constexpr dlas::shape input = {24, 20, 3};
    static constexpr tensor filtered(tensor x, int kernel, int stride, dlas::border padding, dlas::layer_name at) {
        return relu6(dlas::depthwise_conv2d(x, {.kernel = kernel, .stride = stride, .padding = padding}, at));
    }
    static constexpr tensor forward(tensor x) {
        x = relu(convolution(x, 12, 3, 1, "stem"));
        x = relu(convolution(filtered(x, 3, 1, 1, "a.filter"), 9, 1, 0, "a.project"));
        tensor y = filtered(relu6(convolution(x, 19, 1, 0, "b.expand")), 3, 1, 1, "b.filter");
        x = convolution(y, 9, 1, 0, "b.project") + x;
        y = filtered(silu(convolution(x, 17, 1, 0, "c.expand")), 3, 2, 1, "c.filter");
        x = convolution(y, 10, 1, 0, "c.project");
        y = filtered(relu(convolution(x, 33, 1, 0, "d.expand")), 5, 1, 2, "d.filter");
        y = multiply(y, sigmoid(convolution(global_average_pool(y), 33, 1, 0, "d.gate")));
        x = convolution(y, 10, 1, 0, "d.project") + x;
        y = filtered(relu(convolution(x, 16, 1, 0, "e.expand")), 3, 2, dlas::border(0, 1, 0, 1), "e.filter");
        x = relu(convolution(y, 18, 1, 0, "e.project"));
        x = relu(convolution(filtered(x, 5, 1, 2, "f.filter"), 7, 1, 0, "f.project"));
        x = filtered(relu(convolution(x, 21, 1, 0, "g.expand")), 5, 2, 2, "g.filter");
        x = relu(convolution(x, 14, 1, 0, "g.project"));
        x = filtered(relu(convolution(x, 11, 1, 0, "h.expand")), 7, 1, 3, "h.filter");
        return linear(global_average_pool(x), 5, "fc");
    }
};

/// Each target leaves out every third graph, and each another one. Under the sanitizers one of them has all.
template <class Target>
constexpr bool takes(int index) {
    return sanitized || index % 3 != (std::same_as<Target, dlas::avx2> ? 2 : std::same_as<Target, dlas::avx512> ? 1 : 0);
}

template <class... Models>
struct model_list {
    /// Those that the target takes, by an algorithm.
    template <class Target, class Algorithm>
    static constexpr auto taken() {
        return []<int... I>(std::integer_sequence<int, I...>) {
            return (std::conditional_t<takes<Target>(I), point_list<point<Models, Algorithm>>, point_list<>>{} + ... + point_list<>{});
        }(std::make_integer_sequence<int, static_cast<int>(sizeof...(Models))>{});
    }
    /// visit.template operator()<Model, index>() for each.
    static void each(auto visit) {
        [&visit]<int... I>(std::integer_sequence<int, I...>) { (visit.template operator()<Models, I>(), ...); }(
            std::make_integer_sequence<int, static_cast<int>(sizeof...(Models))>{});
    }
};

using models = model_list<only_input, input_and_relu, one_pixel, dense_blocks, part_of_two, same_part_twice, input_as_part,
                          concatenations_of_concatenations, all_into_slices, inception, later_operand, sums_of_one, chain_of_sums, sums_of_slices,
                          normalization_first, shared_activation, different_halos, halos_in_reused_memory, grouped_and_dilated, averages,
                          gates, linear_of_map, subsamples, shared_weights, output_is_a_concatenation, dead_head, early_output, separables>;

}  // namespace made_up

/// Depthwise layers run with their neighbours in bands of rows, however small the maps.
template <int Rows>
struct in_bands {
    template <class Target>
    struct plan {
        static constexpr std::string_view name = Rows == 1 ? "bands of 1" : Rows == 2 ? "bands of 2" : "bands of 3";
        using target = Target;
        template <dlas::conv2d_layer L>
        static consteval auto select() {
            if constexpr (!L.depthwise() || !dlas::runs_in_bands(L) || L.out().height % Rows != 0)
                return dlas::stack<dlas::first_of<dlas::depthwise, dlas::direct>, Target>{};
            else return dlas::stack<dlas::depthwise, dlas::schedule<{.fused_rows = Rows}>, Target>{};
        }
    };
};

/// Every layer by three threads.
struct by_threads {
    template <class Target>
    using plan = dlas::stack<Target, dlas::threads<3>>;
};
template <int Rows>
struct in_bands_by_threads : in_bands<Rows> {
    template <class Target>
    struct plan : in_bands<Rows>::template plan<Target> {
        static constexpr std::string_view name = "bands by threads";
        using threads = dlas::threads<3>;
    };
};

struct made_up_graphs {
    template <class Target>
    using points = decltype(made_up::models::taken<Target, dlas::automatic>() +
                            point_list<point<made_up::separables, in_bands<1>>, point<made_up::separables, in_bands<2>>, point<made_up::separables, in_bands<3>>>{});
};
struct threaded_graphs {
    template <class Target>
    using points = decltype(made_up::models::taken<Target, by_threads>() + point_list<point<made_up::separables, in_bands_by_threads<1>>>{});
};
