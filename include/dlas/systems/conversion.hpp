// What the feature maps of a program are made of under a plan, and where they have to be converted. Systems Software.
#pragma once

#include <array>
#include <utility>

#include <dlas/systems/program.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

namespace converting {

/// What a plan chooses for a step of a program.
struct chosen_format {
    element type = element::f32;   ///< of its feature maps
    element image = element::f32;  ///< what it wants of an image of floats: dot products take nothing but their own elements
    scaling way = scaling::real;
    bool convolves = false;
    bool buffers_rows = false;
    int slack = 0;  ///< bytes beyond a map that its kernels may read
};

// Not in the lambda below: there clang takes the algorithm for a dependent type.
template <class Algorithm>
inline constexpr bool buffers_rows = requires { requires Algorithm::buffers_rows; };

/// The elements of each convolution's feature maps, by the format that a plan chooses for it.
template <class Model, class Plan>
inline constexpr auto formats_of_steps = []<int... Step>(std::integer_sequence<int, Step...>) {
    auto of_step = []<int Index>() {
        constexpr program_step s = program_of<Model>.steps[Index];
        if constexpr (s.kind == step_kind::conv2d) {
            using chosen = stack_for<Plan, s.conv>;
            using algorithm = chosen_algorithm<typename chosen::algorithm, s.conv, typename chosen::target, typename chosen::format>;
            using target = typename Plan::target;
            constexpr element type = chosen::format::template activations<target>;
            return chosen_format{type, sums_dots<target>(type, type) ? type : element::f32, scaling_of<typename chosen::format>, true,
                                 buffers_rows<algorithm>, dot_slack<target>};
        } else {
            return chosen_format{};
        }
    };
    return std::array<chosen_format, sizeof...(Step)> { of_step.template operator()<Step>()... };
}(std::make_integer_sequence<int, program_of<Model>.steps.size()>{});

constexpr bool are_floats(const auto& formats) {
    for (const chosen_format& f : formats)
        if (f.type != element::f32) return false;
    return true;
}

/// The scaling of the first quantized layer.
constexpr scaling first_scaling(const auto& formats) {
    for (const chosen_format& f : formats)
        if (is_quantized(f.type)) return f.way;
    return scaling::real;
}
constexpr bool one_scaling(const auto& formats) {
    for (const chosen_format& f : formats)
        if (is_quantized(f.type) && f.way != first_scaling(formats)) return false;
    return true;
}
constexpr bool one_width(const auto& formats) {
    int bytes = 0;
    for (const chosen_format& f : formats) {
        if (!is_quantized(f.type)) continue;
        if (bytes > 0 && bytes != element_bytes(f.type)) return false;
        bytes = element_bytes(f.type);
    }
    return true;
}
constexpr bool all_fixed_point(const auto& formats) {
    bool any = false;
    for (const chosen_format& f : formats) {
        if (f.convolves && f.way == scaling::real) return false;
        any = any || f.convolves;
    }
    return any;
}

constexpr bool computes_in_integers(const program_step& s) {
    const bool bounds = s.activation == activation::none || s.activation == activation::relu || s.activation == activation::relu6;
    return s.kind == step_kind::pool2d || s.kind == step_kind::global_average_pool || (s.kind == step_kind::add && bounds) ||
           s.kind == step_kind::subsample || s.kind == step_kind::copy;
}

/// Whether a step that computes in elements `own` can read `others`: kernels of floats read floats of any width, but for f32's convolutions.
constexpr bool reads(const program_step& s, element own, element others) {
    if (own == others) return true;
    if (is_quantized(own) || is_quantized(others)) return false;
    return s.kind != step_kind::conv2d || own != element::f32;
}

/// A program with the elements of its maps.
template <int P>
struct typed_steps {
    program<P> typed;
    bool parts_agree = true;  ///< parts of a concatenation share a buffer, whose elements are of one type
};

/// Whether a tensor is only ever read by steps that take it as it lies: then nothing has to be copied to where they find it.
template <int P, std::size_t Steps>
constexpr bool readable_in_place(const program<P>& p, int tensor, const std::array<chosen_format, Steps>& formats) {
    const int buffer = p.tensors[tensor].buffer;
    int sharing = 0;
    for (const program_tensor& t : p.tensors) sharing += t.buffer == buffer;
    if (sharing != 1 || p.last().output == tensor) return false;
    for (int i = 0; i < p.steps.size(); ++i) {
        const program_step& s = p.steps[i];
        if (s.second == tensor || s.gate == tensor) return false;
        if (s.input == tensor && !formats[static_cast<std::size_t>(i)].buffers_rows) return false;
    }
    return true;
}

/// A convolution's feature maps have the elements of its format, other steps compute in those of their input where they can and in
/// floats where not. Where a step finds others, a copy converts them first. The network's image and output are floats, but where all
/// convolutions are scaled by fixed-point numbers: then both are integers, and the image is read where the caller has it.
template <int P, std::size_t Steps>
constexpr typed_steps<2 * P + 2> with_elements(const program<P>& p, const std::array<chosen_format, Steps>& of_step) {
    const bool integer_ends = all_fixed_point(of_step);
    typed_steps<2 * P + 2> result = {with_capacity<2 * P + 2>(p)};
    auto& typed = result.typed;
    list<bool, 2 * P + 2> written;
    for (int i = 0; i < 2 * P + 2; ++i) written.push(false);
    typed.steps.count = 0;
    int slack = 0;
    for (const chosen_format& f : of_step)
        if (f.slack > slack) slack = f.slack;
    element image = element::f32;
    for (int i = static_cast<int>(Steps) - 1; i >= 0; --i)
        if (p.steps[i].kind == step_kind::conv2d) image = of_step[static_cast<std::size_t>(i)].image;
    auto buffer_of = [&typed](int tensor) -> program_buffer& { return typed.buffers[typed.tensors[tensor].buffer]; };
    for (int i = 0; i < p.steps.size(); ++i) {
        program_step s = p.steps[i];
        element type = element::f32;
        s.buffers_rows = of_step[static_cast<std::size_t>(i)].buffers_rows;
        if (s.kind == step_kind::load_input && integer_ends && readable_in_place(p, s.output, of_step)) {
            buffer_of(s.output).type = element::s8;
            buffer_of(s.output).image = true;
            buffer_of(s.output).gap = 0;
            written[typed.tensors[s.output].buffer] = true;
            continue;
        }
        if (s.kind == step_kind::conv2d)
            type = of_step[static_cast<std::size_t>(i)].type;
        else if (s.kind == step_kind::load_input)
            type = image;
        else if (!is_quantized(buffer_of(s.input).type) || computes_in_integers(s))
            type = buffer_of(s.input).type;
        auto convert = [&](int tensor) {
            if (tensor < 0 || s.kind == step_kind::load_input || reads(s, type, buffer_of(tensor).type)) return tensor;
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
        const bool converts = s.kind != step_kind::subsample;  // its output can be floats
        program_buffer& output = buffer_of(s.output);
        const element stored = last && converts && !integer_ends ? element::f32 : type;
        bool& known = written[typed.tensors[s.output].buffer];
        if (known && output.type != stored) result.parts_agree = false;
        known = true;
        output.type = stored;
        if (is_quantized(stored)) output.gap = 0;
        // Dot products may begin with the last byte.
        if (is_quantized(stored) && !integer_ends) output.slack = slack;
        typed.steps.push(s);
        // What computes in floats at the end of a network of integers is converted, too.
        const element end = integer_ends ? element::s8 : element::f32;
        if (last && stored != end) {
            type = end;
            convert(s.output);
        }
    }
    lowering::find_halos(typed);
    lowering::find_lifetimes(typed);
    return result;
}

template <class Model, class Plan>
inline constexpr auto typed_program = [] {
    constexpr auto typed = with_elements(program_of<Model>, formats_of_steps<Model, Plan>).typed;
    return with_capacity<capacity_of(typed)>(typed);
}();

}  // namespace converting

/// Whether all feature maps of a model are floats under a plan.
template <class Model, class Plan>
inline constexpr bool all_float = converting::are_floats(converting::formats_of_steps<Model, Plan>);

namespace converting {
template <class Model, class Plan>
constexpr const auto& planned() {
    if constexpr (all_float<Model, Plan>)
        return program_of<Model>;
    else
        return typed_program<Model, Plan>;
}
}  // namespace converting

/// Whether a plan gives all parts of each of a model's concatenations the same elements.
template <class Model, class Plan>
inline constexpr bool parts_agree =
    all_float<Model, Plan> || converting::with_elements(program_of<Model>, converting::formats_of_steps<Model, Plan>).parts_agree;

/// Whether a network's image and output are integers under a plan.
template <class Model, class Plan>
inline constexpr bool integer_ends = converting::all_fixed_point(converting::formats_of_steps<Model, Plan>);

/// How a plan's integers are scaled; all of its layers have to agree.
template <class Model, class Plan>
inline constexpr scaling plan_scaling = converting::first_scaling(converting::formats_of_steps<Model, Plan>);
template <class Model, class Plan>
inline constexpr bool scalings_agree = converting::one_scaling(converting::formats_of_steps<Model, Plan>);

/// Whether they all have as many bits: a map has one scale, whoever reads it.
template <class Model, class Plan>
inline constexpr bool widths_agree = converting::one_width(converting::formats_of_steps<Model, Plan>);

/// The program of a model with the elements that a plan chooses. Plans that choose floats share the model's.
template <class Model, class Plan>
inline constexpr const auto& planned_program = converting::planned<Model, Plan>();

}  // namespace dlas
