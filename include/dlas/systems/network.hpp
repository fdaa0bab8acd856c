// Model and plan become code: every layer gets its kernel, the arena its size, all at compile time. Systems Software.
#pragma once

#include <array>
#include <utility>

#include <dlas/algorithms/elementwise.hpp>
#include <dlas/algorithms/fixed_point.hpp>
#include <dlas/algorithms/line_chain.hpp>
#include <dlas/algorithms/pool.hpp>
#include <dlas/systems/conversion.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/fusion.hpp>
#include <dlas/systems/memory_plan.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

namespace deploying {

/// A step with what the plan adds: kernel, sizes and the steps that it runs with.
struct planned_step {
    executable_step step;
    std::int64_t workspace_bytes = 0;
    bool shares_workspace = false;  ///< all threads use one, not each its own
    std::int64_t in_place_distance = -1;  ///< bytes by which the output has to begin before the input if it lies over it; -1: it may not
    std::int64_t residual_distance = 0;     ///< the same of the second input
    bool begins_with_residual = true;       ///< whether the output may also begin exactly where the second input does
    fused_steps fused;
};

template <class Plan, conv2d_key Key>
consteval planned_step plan_convolution() {
    using chosen_stack = stack_for<Plan, Key.layer>;
    static_assert(std::same_as<typename chosen_stack::target, typename Plan::target>, "[dlas] plan: a layer's stack has another target than the plan");
    using target = typename chosen_stack::target;
    planned_step result;
    if constexpr (require_runs<chosen_stack, Key.layer>()) {
        using format = typename chosen_stack::format;
        using algorithm = chosen_algorithm<typename chosen_stack::algorithm, Key.layer, target, format>;
        constexpr conv2d_key scheduled = Key.scheduled(chosen_stack::schedule::options);
        using kernel = typename algorithm::template kernel<scheduled, format, target>;
        result.step.run = &kernel::run;
        if constexpr (is_quantized(Key.in.type)) {
            result.step.pack_quantized = &kernel::pack_quantized;
            result.step.weight_bits = format::weight_bits;
            result.step.scales_result = Key.layer.residual && scaling_of<format> == scaling::fixed_twice;
        } else {
            result.step.pack = &kernel::pack;
        }
        result.step.algorithm = algorithm::name;
        result.step.weight_bytes = kernel::packed_elements * static_cast<std::int64_t>(sizeof(float));
        result.workspace_bytes = kernel::workspace_bytes;
        result.shares_workspace = requires { requires kernel::shares_workspace; };
        if constexpr (requires { kernel::in_place_distance; }) {
            result.in_place_distance = kernel::in_place_distance;
            result.residual_distance = kernel::residual_distance;
            result.begins_with_residual = kernel::begins_with_residual;
        }
    }
    return result;
}

template <const auto& Program, int Step>
inline constexpr conv2d_key key_of_step = [] {
    constexpr const auto& p = Program;
    constexpr program_step s = p.steps[Step];
    return conv2d_key{s.conv, p.place(s.input), p.place(s.output), s.second < 0 ? placement{0, 0, p.place(s.input).type} : p.place(s.second)};
}();

/// One of several steps that run together: all have parameters, the last one runs them all.
template <class Model, class Plan, fused_steps Fused, int Index>
consteval planned_step plan_fused() {
    constexpr conv2d_layer layer = program_of<Model>.steps[Index].conv;
    constexpr conv2d_key filter = key_of_step<program_of<Model>, Fused.depthwise>;
    using chosen_stack = stack_for<Plan, filter.layer>;
    constexpr separable_key key = {key_of_step<program_of<Model>, Fused.first>, filter.scheduled(chosen_stack::schedule::options), key_of_step<program_of<Model>, Fused.last>,
                                   Fused.first < Fused.depthwise, Fused.last > Fused.depthwise, Fused.rows};
    planned_step result;
    result.fused = Fused;
    if constexpr (require_runs<stack_for<Plan, layer>, layer>()) {
        using kernel = separable_kernel<key, typename chosen_stack::format, typename chosen_stack::target, arena_alignment>;
        auto parameters = [&result]<class Part>() {
            result.step.pack = &Part::pack;
            result.step.weight_bytes = Part::packed_elements * static_cast<std::int64_t>(sizeof(float));
        };
        if constexpr (Index == Fused.depthwise) parameters.template operator()<typename kernel::filter>();
        else if constexpr (Index < Fused.depthwise) parameters.template operator()<typename kernel::expand>();
        else parameters.template operator()<typename kernel::project>();
        result.step.algorithm = Index == Fused.depthwise ? "depthwise" : "direct";
        if constexpr (Index == Fused.last) {
            result.step.run = &kernel::run;
            result.workspace_bytes = kernel::workspace_bytes;
        }
    }
    return result;
}

/// Why the first steps of a program cannot run together row by row; empty where they can.
template <int P>
constexpr std::string_view streaming_refusal(const program<P>& p, int count) {
    if (count > p.steps.size()) return "streamed: the network has fewer steps";
    for (int i = 0; i < count; ++i) {
        const program_step& s = p.steps[i];
        if (s.kind != step_kind::conv2d || !s.buffers_rows) return "streamed: a step is not a convolution that buffers rows";
        if (s.second >= 0) return "streamed: a step adds a residual";
        if (i == 0) continue;
        const program_buffer& between = p.buffers[p.tensors[s.input].buffer];
        if (s.input != p.steps[i - 1].output || between.last_step != i || between.map != s.conv.in) return "streamed: a map between the steps has another reader";
    }
    return {};
}

/// One of the first steps of a program, which run together; the last of them runs them all.
template <class Model, class Plan, int Index>
consteval planned_step plan_streamed() {
    constexpr const auto& p = planned_program<Model, Plan>;
    constexpr int count = stacking::streamed_count<Plan>;
    using own_stack = stack_for<Plan, p.steps[Index].conv>;
    static_assert(std::same_as<typename own_stack::target, typename Plan::target>, "[dlas] plan: a layer's stack has another target than the plan");
    planned_step result;
    result.fused = {0, 0, count - 1, 1};
    if constexpr (streaming_refusal(p, count).empty() && require_runs<own_stack, p.steps[Index].conv>()) {
        auto kernel_of = []<int Step>() {
            constexpr conv2d_layer layer = p.steps[Step].conv;
            using chosen_stack = stack_for<Plan, layer>;
            using algorithm = chosen_algorithm<typename chosen_stack::algorithm, layer, typename chosen_stack::target, typename chosen_stack::format>;
            return typename algorithm::template chained_kernel<key_of_step<p, Step>, typename chosen_stack::format, typename chosen_stack::target>{};
        };
        using kernel = decltype(kernel_of.template operator()<Index>());
        result.step.pack_quantized = &kernel::pack_quantized;
        result.step.weight_bits = own_stack::format::weight_bits;
        result.step.weight_bytes = kernel::packed_elements * static_cast<std::int64_t>(sizeof(float));
        result.step.algorithm = line_buffer::name;
        if constexpr (Index == count - 1) {
            [&]<int... Back>(std::integer_sequence<int, Back...>) {
                using chain = line_chain<typename Plan::target, arena_alignment, decltype(kernel_of.template operator()<Index - Back>())...>;
                result.step.run = &chain::run;
                result.workspace_bytes = chain::workspace_bytes;
            }(std::make_integer_sequence<int, count>{});
        }
    }
    return result;
}

template <element In, element Second, element Out, activation Function, class Target>
void pack_step_parameters(const quantized_parameters& parameters, float* packed) {
    pack_requantization<Target>(requantization_of<Target>(parameters, In, Second, Out, Function), packed);
}

template <activation Function, scaling Scaling, bool Adds, class Target>
void pack_fixed_step(const quantized_parameters& parameters, float* packed) {
    pack_fixed_parameters<Target>(fixed_parameters_of(parameters, parameters.input, Scaling, Adds, Function), packed);
}

/// Whether a step without weights computes in integers scaled by fixed-point numbers.
constexpr bool is_fixed_step(step_kind kind, element in, element out, scaling way) {
    return way != scaling::real && in == element::s8 && out == element::s8 &&
           (kind == step_kind::pool2d || kind == step_kind::global_average_pool || kind == step_kind::add);
}

template <program_step S, shape InMap, shape Map, placement In, placement Second, placement Out, scaling Scaling, class Target>
consteval planned_step plan_fixed_step() {
    planned_step result;
    if constexpr (S.kind == step_kind::add) {
        result.step.run = &fixed_add_kernel<elementwise_key{Map, In, Second, Out, elementwise::add, S.activation}, Scaling, Target>::run;
        result.in_place_distance = 0;
    } else {
        constexpr pool2d_layer whole_map = {.in = InMap, .kernel = {InMap.height, InMap.width}, .stride = 1, .maximum = false};
        result.step.run = &fixed_pool2d_kernel<pool2d_key{S.kind == step_kind::pool2d ? S.pool : whole_map, In, Out}, Target>::run;
        result.step.keeps_scale = true;
    }
    result.step.pack_quantized = &pack_fixed_step<S.activation, Scaling, S.kind == step_kind::add, Target>;
    result.step.weight_bytes = fixed_parameter_bytes;
    return result;
}

template <class Model, class Plan, int Index>
consteval planned_step plan_step() {
    constexpr const auto& g = graph_of<Model>;
    constexpr const auto& p = planned_program<Model, Plan>;
    constexpr program_step s = p.steps[Index];
    constexpr shape map = p.tensors[s.output].map;
    constexpr placement out = p.place(s.output);
    constexpr placement in = s.kind == step_kind::load_input
                                 ? placement{map.width * map.channels, map.channels, integer_ends<Model, Plan> ? element::s8 : element::f32}
                                 : p.place(s.input);
    using target = typename Plan::target;
    planned_step result;
    constexpr shape in_map = s.input < 0 ? map : p.tensors[s.input].map;
    constexpr scaling way = plan_scaling<Model, Plan>;
    constexpr bool fixed = is_fixed_step(s.kind, in.type, out.type, way);
    if constexpr (fixed) {
        result = plan_fixed_step<s, in_map, map, in, p.place(s.second), out, way, target>();
    } else if constexpr (s.kind == step_kind::conv2d) {
        constexpr fused_steps fused = fused_with<Model, Plan, Index>();
        if constexpr (Index < stacking::streamed_count<Plan>) result = plan_streamed<Model, Plan, Index>();
        else if constexpr (fused.first >= 0) result = plan_fused<Model, Plan, fused, Index>();
        else result = plan_convolution<Plan, key_of_step<planned_program<Model, Plan>, Index>>();
        result.step.channels = s.conv.channels;
    } else if constexpr (s.kind == step_kind::pool2d) {
        result.step.run = &pool2d_kernel<pool2d_key{s.pool, in, out}, target>::run;
    } else if constexpr (s.kind == step_kind::global_average_pool) {
        result.step.run = &global_average_pool_kernel<global_pool_key{p.tensors[s.input].map, in, out.type}, target>::run;
    } else if constexpr (s.kind == step_kind::subsample) {
        constexpr node n = g.nodes[s.node];
        result.step.run = &subsample_kernel<subsample_key{p.tensors[s.input].map, map, n.stride, n.channels_before, in, out}, target>::run;
    } else {
        constexpr elementwise function = s.kind == step_kind::add        ? elementwise::add
                                         : s.kind == step_kind::multiply ? elementwise::multiply
                                         : s.kind == step_kind::affine   ? elementwise::affine
                                                                         : elementwise::copy;
        result.step.run = &elementwise_kernel<elementwise_key{map, in, p.place(s.second), out, function, s.activation}, target>::run;
        if constexpr (s.kind == step_kind::affine) {
            result.step.channels = map.channels;
            result.step.weight_bytes = 2 * map.channels * static_cast<std::int64_t>(sizeof(float));
        }
    }
    // Steps without weights have what the integers stand for, where there are any.
    if constexpr (!fixed && s.kind != step_kind::conv2d && (is_quantized(in.type) || is_quantized(out.type))) {
        result.step.pack_quantized = &pack_step_parameters<in.type, p.place(s.second).type, out.type, s.activation, target>;
        result.step.weight_bytes = requantization_bytes;
    }
    auto map_of = [](int tensor) {
        if (tensor < 0) return -1;
        const int buffer = p.tensors[tensor].buffer;
        return p.buffers[buffer].converted < 0 ? buffer : p.buffers[buffer].converted;
    };
    // An image of integers has the scale of the map that it is loaded to.
    result.step.input_map = map_of(s.kind == step_kind::load_input && in.type == element::s8 ? s.output : s.input);
    result.step.second_map = map_of(s.second);
    result.step.gate_map = map_of(s.gate);
    result.step.output_map = map_of(s.output);
    result.step.input_place = in;
    result.step.output_shape = map;
    result.step.output_place = out;
    result.step.keeps_scale = result.step.keeps_scale || s.kind == step_kind::subsample || s.kind == step_kind::copy || (s.kind == step_kind::pool2d && s.pool.maximum);
    result.step.kind = s.kind;
    result.step.conv = s.conv;
    result.step.pool = s.pool;
    result.step.activation = s.activation;
    if constexpr (s.kind == step_kind::conv2d) {
        result.step.layer = g.name(g.nodes[s.node]);
        result.step.bias = g.nodes[s.node].bias;
        result.step.linear = g.nodes[s.node].linear;
    }
    if constexpr (s.batch_norm >= 0) {
        result.step.batch_norm = g.name(g.nodes[s.batch_norm]);
        result.step.epsilon = g.nodes[s.batch_norm].epsilon;
    }
    result.step.workspace_bytes = result.workspace_bytes;
    return result;
}

/// The first layer that a plan's stack cannot run, and why: "conv1: winograd: the stride is not 1". Empty where it runs them all.
template <class Model, class Plan>
consteval text<256> network_refusal() {
    text<256> reason;
    constexpr const auto& p = program_of<Model>;
    auto ask = [&reason]<int Index>() {
        constexpr program_step s = p.steps[Index];
        if constexpr (s.kind == step_kind::conv2d) {
            constexpr std::string_view why_not = stack_for<Plan, s.conv>::refuses(s.conv);
            if (!why_not.empty() && reason.length == 0) {
                reason.append(graph_of<Model>.name(graph_of<Model>.nodes[s.node]));
                reason.append(": ");
                reason.append(why_not);
            }
        }
    };
    // Not a fold: clang's stop at 256 operands.
    [&]<int... I>(std::integer_sequence<int, I...>) {
        [[maybe_unused]] const bool asked[] = {(ask.template operator()<I>(), true)...};
    }(std::make_integer_sequence<int, p.steps.size()>{});
    if (reason.length == 0)
        if constexpr (!parts_agree<Model, Plan>) reason.append("plan: the parts of a concatenation have different elements");
    if (reason.length == 0)
        if constexpr (!streaming_refusal(planned_program<Model, Plan>, stacking::streamed_count<Plan>).empty())
            reason.append(streaming_refusal(planned_program<Model, Plan>, stacking::streamed_count<Plan>));
    if (reason.length == 0)
        if constexpr (!scalings_agree<Model, Plan>) reason.append("plan: layers scale their integers in different ways");
    if (reason.length == 0)
        if constexpr (!widths_agree<Model, Plan>) reason.append("plan: layers hold their integers in 8 and in 16 bits");
    return reason;
}

template <int Steps>
struct deployment {
    std::array<executable_step, Steps> steps;
    std::int64_t arena_bytes = 0;
    std::int64_t arena_lower_bound = 0;
    std::int64_t weight_bytes = 0;
    std::int64_t output_offset = 0;
};

/// FNV-1a over names, places and sizes.
constexpr std::uint64_t fingerprint_of(std::string_view model, std::string_view plan, std::string_view target, scaling way, const auto& steps) {
    std::uint64_t hash = 0xcbf29ce484222325u + packing_version;
    auto mix = [&hash](std::uint64_t x) { hash = (hash ^ x) * 0x100000001b3u; };
    auto mix_text = [&mix](std::string_view text) {
        for (const char c : text) mix(static_cast<unsigned char>(c));
        mix(text.size());
    };
    mix_text(model);
    mix_text(plan);
    mix_text(target);
    mix(static_cast<std::uint64_t>(way));
    for (const executable_step& s : steps) {
        mix_text(s.layer);
        mix(static_cast<std::uint64_t>(s.kind));
        mix(static_cast<std::uint64_t>(s.weights));
        mix(static_cast<std::uint64_t>(s.weight_bytes));
        mix(static_cast<std::uint64_t>(s.weight_bits));
    }
    return hash;
}

constexpr bool any_quantized(const auto& steps) {
    for (const executable_step& step : steps)
        if (is_quantized(step.input_place.type) || is_quantized(step.output_place.type)) return true;
    return false;
}

constexpr std::int64_t bytes_of(const program_buffer& b) { return b.image ? 0 : b.elements() * element_bytes(b.type) + b.slack; }

/// Lets outputs lie over inputs and residuals that die in the step that writes them, where its kernel can do so.
template <int P, int N>
constexpr void write_in_place(const program<P>& p, const auto& planned, list<memory_block, N>& blocks) {
    auto whole = [&p](int tensor) {
        const program_buffer& b = p.buffers[p.tensors[tensor].buffer];
        return b.map == p.tensors[tensor].map && b.halo.empty() && b.gap == 0 && !b.image;
    };
    for (int i = 0; i < p.steps.size(); ++i) {
        const program_step& s = p.steps[i];
        const std::int64_t distance = planned[static_cast<std::size_t>(i)].in_place_distance;
        if (distance < 0 || !whole(s.output)) continue;
        const int output = p.tensors[s.output].buffer;
        if (p.buffers[output].first_step != i) continue;
        // A residual that is a part of the input's memory is read after rows of that are gone.
        if (s.second >= 0 && s.second != s.input && p.tensors[s.second].buffer == p.tensors[s.input].buffer) continue;
        auto over = [&](int tensor) {
            if (tensor < 0 || !whole(tensor)) return -1;
            const int buffer = p.tensors[tensor].buffer;
            return p.buffers[buffer].last_step == i && buffer != output ? buffer : -1;
        };
        const auto& step = planned[static_cast<std::size_t>(i)];
        if (s.second == s.input) {
            blocks[output].over_input = {over(s.input), distance > step.residual_distance ? distance : step.residual_distance,
                                         distance == 0 && step.begins_with_residual};
        } else {
            blocks[output].over_input = {over(s.input), distance};
            blocks[output].over_second = {over(s.second), step.residual_distance, step.begins_with_residual};
        }
    }
}

/// Puts the steps together: lays out the arena and the packed weights. Several threads have a workspace each, for all kernels that do not
/// share one, where no other thread ever writes: what is in another core's cache costs more than what is in none.
template <int P>
consteval auto deploy(const program<P>& p, const auto& planned, int threads, bool in_place) {
    constexpr int count = std::tuple_size_v<std::remove_cvref_t<decltype(planned)>>;
    list<memory_block, 2 * P> blocks;
    for (const program_buffer& b : p.buffers) blocks.push({b.first_step < 0 ? 0 : bytes_of(b), b.first_step, b.last_step});
    // Steps that run together read their input when the last of them runs; what lies between them is not in the arena.
    for (int i = 0; i < count; ++i) {
        const fused_steps& fused = planned[static_cast<std::size_t>(i)].fused;
        if (fused.last != i) continue;
        memory_block& read = blocks[p.tensors[p.steps[fused.first].input].buffer];
        if (read.last_step < i) read.last_step = i;
        for (int inner = fused.first; inner < fused.last; ++inner) blocks[p.tensors[p.steps[inner].output].buffer].bytes = 0;
    }
    if (in_place) write_in_place(p, planned, blocks);
    const int first_workspace = blocks.size();
    auto has_own = [&](int i) { return threads > 1 && !planned[static_cast<std::size_t>(i)].shares_workspace; };
    std::int64_t own_bytes = 0;
    for (int i = 0; i < count; ++i) {
        const std::int64_t bytes = planned[static_cast<std::size_t>(i)].workspace_bytes;
        blocks.push({has_own(i) ? 0 : bytes, i, i});
        if (has_own(i) && bytes > own_bytes) own_bytes = arena_aligned(bytes);
    }
    deployment<count> result;
    result.arena_bytes = plan_memory(blocks);
    result.arena_lower_bound = memory_lower_bound(blocks, p.steps.size());
    if (result.arena_bytes < result.arena_lower_bound) result.arena_lower_bound = result.arena_bytes;  // what lies over another is counted twice
    const std::int64_t first_own = result.arena_bytes;
    result.arena_bytes += threads * own_bytes;
    result.arena_lower_bound += threads * own_bytes;  // as laid out: nothing else lies there
    auto address = [&](int tensor) {
        const int buffer = p.tensors[tensor].buffer;
        if (p.buffers[buffer].image) return std::int64_t{-1};
        return blocks[buffer].offset + std::int64_t{p.first_element(tensor)} * element_bytes(p.buffers[buffer].type);
    };
    for (int i = 0; i < count; ++i) {
        const program_step& s = p.steps[i];
        executable_step& step = result.steps[static_cast<std::size_t>(i)];
        step = planned[static_cast<std::size_t>(i)].step;
        const fused_steps& fused = planned[static_cast<std::size_t>(i)].fused;
        const program_step& first = fused.last == i ? p.steps[fused.first] : s;
        if (first.input >= 0) step.input = address(first.input);
        if (s.second >= 0) step.second = address(s.second);
        if (s.gate >= 0) step.gate = address(s.gate);
        step.output = address(s.output);
        step.workspace = has_own(i) ? first_own : blocks[first_workspace + i].offset;
        step.workspace_stride = has_own(i) ? own_bytes : 0;
        step.weights = result.weight_bytes;
        step.run_weights = fused.last == i ? result.steps[static_cast<std::size_t>(fused.first)].weights : step.weights;
        result.weight_bytes += arena_aligned(step.weight_bytes);
        const program_buffer& b = p.buffers[p.tensors[s.output].buffer];
        if (b.first_step == i && !b.halo.empty() && (fused.first < 0 || fused.last == i)) {
            const std::int64_t pixel = b.pixel_stride() * element_bytes(b.type), row = b.row_stride() * element_bytes(b.type);
            step.halo = {blocks[p.tensors[s.output].buffer].offset, b.map.height, b.halo.top * row, b.halo.left * pixel,
                         b.map.width * pixel, b.halo.right * pixel, b.halo.bottom * row};
        }
    }
    result.output_offset = result.steps[count - 1].output;
    return result;
}

}  // namespace deploying

/// Why a plan cannot run a model: the first layer and the reason; empty where it can. What a sweep asks before it compiles a point.
template <model Model, layer_plan Plan>
inline constexpr auto network_refusal = deploying::network_refusal<Model, resolved_plan<Model, Plan>>();

/// A model compiled for a plan (a stack is the plan that chooses itself everywhere). Owns nothing: packed weights and the arena
/// are the caller's, aligned to 64 bytes; nothing is allocated.
template <model Model, layer_plan Plan>
class network {
    static_assert(compiled_for<typename Plan::target>,
                  "[dlas] the target's vectors are not available in this translation unit: compile it with the target's compile_flags "
                  "(dlas/hardware), or choose dlas::scalar");
    using plan = resolved_plan<Model, Plan>;
    static constexpr const auto& program = planned_program<Model, plan>;
    static_assert(parts_agree<Model, plan>, "[dlas] plan: the parts of a concatenation have different elements");
    static_assert(deploying::streaming_refusal(program, stacking::streamed_count<plan>).empty(),
                  "[dlas] streamed<N>: the first N steps of the network are no chain of convolutions that buffer rows; network_refusal says why");
    static_assert(scalings_agree<Model, plan>, "[dlas] plan: layers scale their integers in different ways");
    static_assert(widths_agree<Model, plan>, "[dlas] plan: layers hold their integers in 8 and in 16 bits");
    static constexpr int steps = program.steps.size();
    static constexpr int threads = stacking::thread_count<Plan>;
    static constexpr auto planned = []<int... I>(std::integer_sequence<int, I...>) {
        return std::array<deploying::planned_step, sizeof...(I)>{deploying::plan_step<Model, plan, I>()...};
    }(std::make_integer_sequence<int, steps>{});
    static constexpr auto deployed = [] {
        constexpr auto apart = deploying::deploy(program, planned, threads, false);
        if constexpr (integer_ends<Model, plan> && threads == 1) {
            constexpr auto in_place = deploying::deploy(program, planned, threads, true);
            if constexpr (in_place.arena_bytes < apart.arena_bytes) return in_place;
        }
        return apart;
    }();

public:
    static constexpr shape input_shape = Model::input;
    static constexpr shape output_shape = graph_of<Model>.output();
    static constexpr std::int64_t arena_bytes = deployed.arena_bytes;
    static constexpr std::int64_t arena_lower_bound = deployed.arena_lower_bound;
    static constexpr std::int64_t weight_bytes = deployed.weight_bytes;
    static constexpr std::int64_t macs = dlas::macs(graph_of<Model>);
    /// Floats, or signed bytes where all layers are scaled by fixed-point numbers.
    static constexpr element image_type = integer_ends<Model, plan> ? element::s8 : element::f32;
    static constexpr element output_type = program.place(program.last().output).type;
    using image_element = element_type<image_type>;
    using output_element = element_type<output_type>;

    /// The network as plain data.
    static constexpr executable code = {
        Model::name, Plan::name, Plan::target::name, input_shape, output_shape, arena_bytes, weight_bytes, dlas::parameters(graph_of<Model>),
        macs, deployed.output_offset, std::span<const executable_step>(deployed.steps), &unavailable_because<typename Plan::target>,
        deploying::any_quantized(deployed.steps), threads, program_of<Model>.buffers.size(), image_type, output_type,
        deploying::fingerprint_of(Model::name, Plan::name, Plan::target::name, plan_scaling<Model, plan>, deployed.steps), plan_scaling<Model, plan>};

    /// `packed_weights` holds weight_bytes, `arena` arena_bytes.
    constexpr network(const std::byte* packed_weights, std::byte* arena) : weights_(packed_weights), arena_(arena) {}

    /// Runs one image (NHWC, preprocessed). The result lies in the arena until the next run.
    std::span<const output_element, static_cast<std::size_t>(output_shape.elements())> operator()(
        std::span<const image_element, static_cast<std::size_t>(input_shape.elements())> image) const {
        return (*this)(image, [](int, auto run) { run(); });
    }
    /// The same with `around(index, run)` in place of each step: it has to call `run`, and may count or measure what that takes.
    template <class Around>
    std::span<const output_element, static_cast<std::size_t>(output_shape.elements())> operator()(
        std::span<const image_element, static_cast<std::size_t>(input_shape.elements())> image, Around&& around) const {
        // Each step is a call with constant offsets: no table of steps has to be in flash.
        [&]<int... I>(std::integer_sequence<int, I...>) {
            [[maybe_unused]] const bool ran[] = {(run_step<I>(image.data(), around), true)...};
        }(std::make_integer_sequence<int, steps>{});
        return std::span<const output_element, static_cast<std::size_t>(output_shape.elements())>(
            reinterpret_cast<const output_element*>(arena_ + deployed.output_offset), static_cast<std::size_t>(output_shape.elements()));
    }

private:
    template <int Index, class Around>
    void run_step(const image_element* image, Around& around) const {
        // Numbers one by one: a step as a whole would bring its names and the packing of its weights into flash.
        constexpr fused_steps fused = planned[static_cast<std::size_t>(Index)].fused;
        constexpr auto step = [](auto member) { return deployed.steps[static_cast<std::size_t>(Index)].*member; };
        if constexpr (fused.first < 0 || fused.last == Index)
            around(Index, [&] {
                constexpr halo_fill halo = step(&executable_step::halo);
                constexpr placement place = step(&executable_step::output_place);
                constexpr std::int64_t weights = step(&executable_step::weights), run_weights = step(&executable_step::run_weights);
                constexpr std::int64_t input = step(&executable_step::input), second = step(&executable_step::second), gate = step(&executable_step::gate);
                constexpr std::int64_t output = step(&executable_step::output), workspace = step(&executable_step::workspace);
                if constexpr (halo.rows > 0) fill_halo(halo, halo_value(place.type, weights_ + weights), arena_);
                constexpr auto kernel = step(&executable_step::run);
                kernel({input < 0 ? static_cast<const void*>(image) : arena_ + input, second < 0 ? nullptr : arena_ + second, weights_ + run_weights,
                        arena_ + output, arena_ + workspace, gate < 0 ? nullptr : arena_ + gate});
            });
    }

    const std::byte* weights_;
    std::byte* arena_;
};

}  // namespace dlas
