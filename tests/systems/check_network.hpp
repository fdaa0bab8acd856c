// Compares compiled networks with reference_run() on made-up weights.
#pragma once

#include <doctest/doctest.h>

#include <dlas/systems/reference_network.hpp>

#include "compiled_networks.hpp"

/// Largest error to expect, relative to the largest element of the result. Float rounds a running sum of K terms K times, each by up to
/// 2^-24 of what it has grown to: as a random walk sqrt(K / 6) * 2^-24 of the sum's usual size. Winograd's transforms enlarge it.
/// Layers' errors are independent; the factor in front covers the largest of many elements, and what later layers amplify.
inline double expected_error(const dlas::executable& code) {
    double squares = 0;
    for (const dlas::executable_step& step : code.steps) {
        const double enlarged = step.algorithm == "winograd6" ? 10 : step.algorithm == "winograd4" ? 3 : step.algorithm == "winograd2" ? 1.5 : 1;
        double terms = 4;
        if (step.kind == dlas::step_kind::conv2d) terms += static_cast<double>(step.conv.filter_elements() / step.conv.channels);
        squares += enlarged * enlarged * terms / 6;
    }
    return 3 * std::sqrt(squares) * 0x1p-24;
}

inline std::vector<float> made_up_image(dlas::shape map, std::uint64_t seed) {
    dlas::seeded_numbers numbers(seed);
    std::vector<float> image(static_cast<std::size_t>(map.elements()));
    for (float& x : image) x = static_cast<float>(numbers.centered(1));
    return image;
}

/// Runs every compiled network of that name and input on two images, again and again in memory that begins as garbage.
/// Returns how many there were.
inline int check_network(std::string_view name, dlas::graph_view graph, std::span<const dlas::executable* const> codes, bool verbose) {
    const dlas::safetensors weights = dlas::seeded_weights(graph, 1);
    const dlas::shape input = graph[0].out;
    const std::vector<float> images[] = {made_up_image(input, 2), made_up_image(input, 3)};
    std::vector<double> expected[2];
    int checked = 0;
    for (const dlas::executable* code : codes) {
        if (code->model != name || code->input != input) continue;
        const std::string label = label_of(*code);
        CAPTURE(label);
        dlas::host_network network(*code, weights);
        fill_with_garbage(network);
        double error = 0;
        for (const int image : {0, 1, 0}) {
            std::vector<double>& wanted = expected[image];
            if (wanted.empty()) wanted = dlas::reference_run(graph, weights, images[image]);
            const double magnitude = largest_magnitude(wanted);
            // An output that vanishes or overflows would make any error look small.
            CHECK(magnitude > 0.05);
            CHECK(magnitude < 1e3);
            error = std::max(error, largest_difference(network(images[image]), wanted) / magnitude);
        }
        if (verbose) MESSAGE(label, ": off by ", error, ", at most ", expected_error(*code));
        CHECK(error <= expected_error(*code));
        ++checked;
    }
    return checked;
}

template <class Model>
int check_network(std::span<const dlas::executable* const> codes, bool verbose) {
    return check_network(Model::name, dlas::graph_of<Model>, codes, verbose);
}
