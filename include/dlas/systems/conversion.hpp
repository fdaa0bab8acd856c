// What the feature maps of a program are made of under a plan, and where they have to be converted. Systems Software.
#pragma once

#include <array>
#include <utility>

#include <dlas/systems/program.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

namespace converting {

/// The elements of each convolution's feature maps, by the format that a plan chooses for it.
template <class Model, class Plan>
inline constexpr auto elements_of_steps = []<int... Step>(std::integer_sequence<int, Step...>) {
    auto of_step = []<int Index>() {
        constexpr program_step s = program_of<Model>.steps[Index];
        if constexpr (s.kind == step_kind::conv2d) return stack_for<Plan, s.conv>::format::template activations<typename Plan::target>;
        else return element::f32;
    };
    return std::array<element, sizeof...(Step)>{of_step.template operator()<Step>()...};
}(std::make_integer_sequence<int, program_of<Model>.steps.size()>{});

constexpr bool are_floats(const auto& elements) {
    for (const element e : elements)
        if (e != element::f32) return false;
    return true;
}

constexpr bool computes_in_integers(step_kind kind) {
    return kind == step_kind::pool2d || kind == step_kind::global_average_pool || kind == step_kind::add || kind == step_kind::subsample ||
           kind == step_kind::copy;
}

/// A convolution's feature maps have the elements of its format, other steps compute in those of their input where they can and in
/// floats where not, the network's output is float. Where a step finds others, a copy converts them first.
template <int P, std::size_t Steps>
constexpr program<2 * P + 2> with_elements(const program<P>& p, const std::array<element, Steps>& of_step) {
    program<2 * P + 2> typed = with_capacity<2 * P + 2>(p);
    typed.steps.count = 0;
    element first = element::f32;  // of the first convolution: the image is made of these
    for (int i = static_cast<int>(Steps) - 1; i >= 0; --i)
        if (p.steps[i].kind == step_kind::conv2d) first = of_step[static_cast<std::size_t>(i)];
    auto buffer_of = [&typed](int tensor) -> program_buffer& { return typed.buffers[typed.tensors[tensor].buffer]; };
    for (int i = 0; i < p.steps.size(); ++i) {
        program_step s = p.steps[i];
        element type = element::f32;
        if (s.kind == step_kind::conv2d) type = of_step[static_cast<std::size_t>(i)];
        else if (s.kind == step_kind::load_input) type = first;
        else if (computes_in_integers(s.kind)) type = buffer_of(s.input).type;
        auto convert = [&](int tensor) {
            if (tensor < 0 || s.kind == step_kind::load_input || buffer_of(tensor).type == type) return tensor;
            const int from = typed.tensors[tensor].buffer;
            program_step copy;
            copy.kind = step_kind::copy;
            copy.node = s.node;
            copy.input = tensor;
            copy.output = typed.tensors.size();
            typed.tensors.push({typed.tensors[tensor].map, typed.buffers.size(), 0});
            program_buffer converted;
            converted.map = typed.tensors[tensor].map;
            converted.type = type;
            converted.converted = from;
            typed.buffers.push(converted);
            typed.steps.push(copy);
            return copy.output;
        };
        s.input = convert(s.input);
        s.second = convert(s.second);
        s.gate = convert(s.gate);
        const bool last = i + 1 == p.steps.size();
        program_buffer& output = buffer_of(s.output);
        output.type = last ? element::f32 : type;
        if (is_quantized(output.type)) output.gap = 0;
        typed.steps.push(s);
    }
    lowering::find_halos(typed);
    lowering::find_lifetimes(typed);
    return typed;
}

template <class Model, class Plan>
inline constexpr auto typed_program = [] {
    constexpr auto typed = with_elements(program_of<Model>, elements_of_steps<Model, Plan>);
    return with_capacity<capacity_of(typed)>(typed);
}();

}  // namespace converting

/// Whether all feature maps of a model are floats under a plan.
template <class Model, class Plan>
inline constexpr bool all_float = converting::are_floats(converting::elements_of_steps<Model, Plan>);

namespace converting {
template <class Model, class Plan>
constexpr const auto& planned() {
    if constexpr (all_float<Model, Plan>) return program_of<Model>;
    else return typed_program<Model, Plan>;
}
}  // namespace converting

/// The program of a model with the elements that a plan chooses. Plans that choose floats share the model's.
template <class Model, class Plan>
inline constexpr const auto& planned_program = converting::planned<Model, Plan>();

}  // namespace dlas
