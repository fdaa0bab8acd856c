// Runs a network on records of a file of the host's and compares what it computes with what the host computed, bit for bit.
// A record is an image, the logits that the host computed for it, all signed bytes, and the class of the image (255: unknown).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <dlas/datasets/accuracy.hpp>
#include <dlas/systems/executable.hpp>

#include "boards/board.hpp"

namespace classifying {

template <class Network>
struct record {
    std::int8_t image[static_cast<std::size_t>(Network::input_shape.elements())];
    std::int8_t logits[static_cast<std::size_t>(Network::output_shape.elements())];
    std::uint8_t label;
};

/// What a step takes, in the order in which the counts of its instructions are printed. Layers that run row by row are one step.
template <class Network>
void print_layer(int index) {
    const auto& steps = Network::code.steps;
    const dlas::executable_step& last = steps[static_cast<std::size_t>(index)];
    std::size_t first = static_cast<std::size_t>(index);
    while (steps[first].weights != last.run_weights) --first;
    std::int64_t flash = 0;
    for (std::size_t i = first; i <= static_cast<std::size_t>(index); ++i) flash += steps[i].weight_bytes;
    auto name = [](const dlas::executable_step& step) {
        if (!step.layer.empty()) return step.layer;
        return std::string_view(step.kind == dlas::step_kind::subsample ? "subsample" : step.kind == dlas::step_kind::add ? "add" : "average");
    };
    board::print("layer ");
    if (&steps[first] != &last) board::print(name(steps[first])), board::print(" to ");
    const std::int64_t in = last.kind == dlas::step_kind::conv2d ? steps[first].conv.in.elements() : 0;
    board::print_line(name(last), ", flash ", flash, ", RAM ", in + last.output_shape.elements() + last.workspace_bytes);
}

}  // namespace classifying

/// Returns what main() returns: 0 where all logits are those of the host.
template <class Network>
int classify(const std::byte* weights, std::byte* arena) {
    using namespace classifying;
    static record<Network> current;
    const Network network(weights, arena);
    int images = 0, right = 0, labeled = 0, wrong_logits = 0;
    board::paint_stack();
    while (board::read_file(board::argument(), sizeof current * static_cast<std::size_t>(images),
                            std::span(reinterpret_cast<std::byte*>(&current), sizeof current)) == sizeof current) {
        if (images == 0) board::count_begin();
        const auto logits = network(current.image);
        if (images == 0) board::count_end();
        for (std::size_t i = 0; i < logits.size(); ++i) wrong_logits += logits[i] != current.logits[i];
        const int best = dlas::argmax(logits);
        if (images == 0) board::print_line("the first image is of class ", best);
        if (current.label != 255) {
            ++labeled;
            right += best == current.label;
        }
        ++images;
    }
#if defined(DLAS_PRINT_LAYERS)
    network(current.image, [](int index, auto run) {
        board::count_begin();
        run();
        board::count_end();
        print_layer<Network>(index);
    });
    board::print_line("network, flash ", Network::weight_bytes, ", RAM ", Network::arena_bytes);
#endif
    const board::image_size image = board::image_bytes();
    board::print_line("images ", images, ", logits that differ from the host's ", wrong_logits, ", top-1 ", right, " of ", labeled);
    board::print_line("flash ", image.flash, ", RAM ", image.ram + board::stack_high_water(), " with ", board::stack_high_water(), " of stack");
    return images > 0 && wrong_logits == 0 ? 0 : 1;
}
