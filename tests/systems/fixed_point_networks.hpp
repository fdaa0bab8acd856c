// Networks of integers that fixed-point numbers scale, and the float networks that they are made from.
#pragma once

#include <dlas/models/graph.hpp>
#include <dlas/systems/observed.hpp>
#include <dlas/systems/stack.hpp>

#include "compiled_networks.hpp"

namespace fixed_point_networks {

using dlas::tensor;

/// Every kind of step that integers go through: residuals of all sorts, depthwise layers, both kinds of pool, sums, parts of a concatenation.
struct everything {
    static constexpr std::string_view name = "everything";
    static constexpr dlas::shape input = {13, 11, 3};

    static constexpr tensor forward(tensor x) {
        x = max_pool2d(relu(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1}, "first")), {.kernel = 3, .stride = 2, .padding = 1});
        tensor left = relu(conv2d(x, {.channels = 7}, "left"));
        tensor right = relu6(conv2d(x, {.channels = 9, .kernel = 3, .padding = 1}, "right"));
        x = concatenate(left, right);
        tensor y = relu6(conv2d(x, {.channels = 16, .kernel = 3, .padding = 1, .groups = 16}, "depthwise"));
        x = relu(conv2d(y, {.channels = 16}, "project") + x);
        x = relu(average_pool2d(x, {.kernel = 2, .stride = 1}) + max_pool2d(x, {.kernel = 2, .stride = 1}));
        x = relu(conv2d(x, {.channels = 16, .kernel = 3, .padding = 1}, "self") + x);
        x = conv2d(x, {.channels = 16, .kernel = 3, .padding = 2, .dilation = 2, .groups = 16}, "wide") + x;
        x = relu(conv2d(x, {.channels = 20, .kernel = 2, .stride = 2, .groups = 2}, "halves"));
        return linear(global_average_pool(x), 11, "fc");
    }
};

/// The image is pooled, and added to what was made of it; the output is a map.
struct image_read_twice {
    static constexpr std::string_view name = "image_read_twice";
    static constexpr dlas::shape input = {6, 7, 5};

    static constexpr tensor forward(tensor x) {
        tensor y = conv2d(max_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1}), {.channels = 5, .kernel = 3, .padding = 1}, "conv");
        return conv2d(y, {.channels = 5}, "last") + x;
    }
};

/// Steps that compute in floats between some that do not.
struct floats_between {
    static constexpr std::string_view name = "floats_between";
    static constexpr dlas::shape input = {9, 8, 4};

    static constexpr tensor forward(tensor x) {
        x = relu(batch_norm(max_pool2d(conv2d(x, {.channels = 9, .kernel = 3}, "first"), {.kernel = 2, .stride = 1}), "norm"));
        x = silu(average_pool2d(conv2d(x, {.channels = 9, .kernel = 3, .groups = 9}, "depthwise"), {.kernel = 2, .stride = 1}) +
                 max_pool2d(x, {.kernel = 4, .stride = 1}));
        return linear(global_average_pool(conv2d(x, {.channels = 12}, "last")), 7, "fc");
    }
};

struct floats {
    template <class Target>
    using plan = dlas::observed<Target>;
};
template <class Format, int Threads = 1>
struct integers {
    template <class Target>
    using plan = dlas::stack<Format, dlas::line_buffer, Target, dlas::threads<Threads>>;
};

struct networks {
    static constexpr std::string_view name = "fixed_point_networks";
    template <class Target>
    using points = point_list<point<everything, integers<dlas::int8_fixed>>, point<everything, integers<dlas::int8_tflite>>,
                              point<everything, integers<dlas::int4_fixed>>, point<everything, integers<dlas::int8_fixed, 2>>,
                              point<everything, integers<dlas::int8_tflite, 2>>, point<image_read_twice, integers<dlas::int8_fixed>>,
                              point<image_read_twice, integers<dlas::int8_tflite>>, point<floats_between, integers<dlas::int8_fixed>>,
                              point<everything, integers<dlas::int8_power_of_two>>, point<everything, integers<dlas::int4_power_of_two>>,
                              point<image_read_twice, integers<dlas::int8_power_of_two>>, point<floats_between, integers<dlas::int8_power_of_two>>>;
};
struct float_networks {
    template <class Target>
    using points = point_list<point<everything, floats>, point<image_read_twice, floats>, point<floats_between, floats>>;
};

}  // namespace fixed_point_networks
