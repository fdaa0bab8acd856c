// Which steps of a program run as one: a depthwise layer, the convolution before it and the 1x1 after it. Systems Software.
#pragma once

#include <dlas/algorithms/separable.hpp>
#include <dlas/systems/conversion.hpp>
#include <dlas/systems/memory_plan.hpp>
#include <dlas/systems/program.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

/// Steps first to last of a program that run together, in bands of `rows` output rows of the depthwise layer among them.
struct fused_steps {
    int first = -1;
    int depthwise = -1;
    int last = -1;
    int rows = 0;

    constexpr bool holds(int step) const { return first >= 0 && first <= step && step <= last; }
};

namespace fusing {

/// Bytes between two steps if they are all that touches them, else 0.
template <int P>
constexpr std::int64_t bytes_between(const program<P>& p, int writer, int reader) {
    if (writer < 0 || reader >= p.steps.size()) return 0;
    const int tensor = p.steps[writer].output;
    if (p.steps[reader].input != tensor || p.steps[reader].second == tensor) return 0;
    int readers = 0;
    for (const program_step& s : p.steps) readers += (s.input == tensor) + (s.second == tensor) + (s.gate == tensor);
    const program_buffer& b = p.buffers[p.tensors[tensor].buffer];
    return readers == 1 && b.map == p.tensors[tensor].map ? 4 * b.map.elements() : 0;
}

constexpr bool ungrouped(const program_step& s) { return s.kind == step_kind::conv2d && s.conv.groups == 1 && !s.conv.gated; }
constexpr bool pointwise(const program_step& s) {
    return ungrouped(s) && s.conv.kernel == extent(1) && s.conv.stride == extent(1) && s.conv.padding.empty();
}
constexpr bool banded(const program_step& s) { return s.kind == step_kind::conv2d && s.conv.depthwise() && runs_in_bands(s.conv); }

/// The candidates around a depthwise step. A 1x1 layer between two depthwise ones goes where more bytes stay in the cache.
template <int P>
constexpr fused_steps around(const program<P>& p, int step) {
    if (!banded(p.steps[step])) return {};
    fused_steps found = {step, step, step, 0};
    const std::int64_t before = bytes_between(p, step - 1, step), after = bytes_between(p, step, step + 1);
    if (before > 0 && ungrouped(p.steps[step - 1]) && !p.steps[step - 1].conv.residual) {
        const bool elsewhere = step >= 2 && pointwise(p.steps[step - 1]) && banded(p.steps[step - 2]) && bytes_between(p, step - 2, step - 1) >= before;
        if (!elsewhere) found.first = step - 1;
    }
    if (after > 0 && !p.steps[step].conv.residual && pointwise(p.steps[step + 1])) {
        const bool elsewhere = step + 2 < p.steps.size() && banded(p.steps[step + 2]) && !p.steps[step + 1].conv.residual &&
                               bytes_between(p, step + 1, step + 2) > after;
        if (!elsewhere) found.last = step + 1;
    }
    return found.first == found.last ? fused_steps{} : found;
}

/// Rows of a band by rule: none where what lies between the layers stays near anyhow, else as many as fit half of the second-level cache.
template <class Target, int P>
constexpr int rows_by_rule(const program<P>& p, const fused_steps& f) {
    const conv2d_layer& layer = p.steps[f.depthwise].conv;
    const std::int64_t before = f.first < f.depthwise ? bytes_between(p, f.first, f.depthwise) : 0;
    const std::int64_t after = f.last > f.depthwise ? bytes_between(p, f.depthwise, f.last) : 0;
    if (before < Target::near_bytes && after < Target::near_bytes) return 0;
    for (int rows = 16; rows > 0; --rows) {
        const int in_rows = f.first < f.depthwise ? (rows - 1) * layer.stride.height + layer.kernel.height : 0;
        const std::int64_t bytes = std::int64_t{4} * layer.channels * (in_rows * layer.in.width + rows * layer.out().width);
        if (layer.out().height % rows == 0 && (bytes <= Target::l2_bytes / 2 || rows == 1)) return rows;
    }
    return 0;
}

}  // namespace fusing

/// The steps that a plan runs together with `Step`; none where it runs alone.
template <class Model, class Plan, int Step>
consteval fused_steps fused_with() {
    fused_steps result;
    if constexpr (!all_float<Model, Plan>) return result;  // bands are of floats
    constexpr const auto& p = program_of<Model>;
    auto ask = [&result]<int At>() {
        if constexpr (At >= 0 && At < p.steps.size()) {
            constexpr fused_steps f = fusing::around(p, At);
            if constexpr (f.holds(Step)) {
                constexpr conv2d_layer layer = p.steps[At].conv;
                using stack = stack_for<Plan, layer>;
                using algorithm = chosen_algorithm<typename stack::algorithm, layer, typename stack::target>;
                constexpr int stated = stack::schedule::options.fused_rows;
                constexpr int rows = stated == by_rule ? fusing::rows_by_rule<typename stack::target>(p, f) : stated;
                auto direct_at = []<int Index>() {
                    if constexpr (Index == At) return true;
                    else {
                        constexpr conv2d_layer neighbour = p.steps[Index].conv;
                        using its = stack_for<Plan, neighbour>;
                        return std::same_as<chosen_algorithm<typename its::algorithm, neighbour, typename its::target, typename its::format>, direct> &&
                               std::same_as<typename its::format, f32>;
                    }
                };
                if constexpr (std::same_as<algorithm, depthwise> && std::same_as<typename stack::format, f32>)
                    if (rows > 0 && direct_at.template operator()<f.first>() && direct_at.template operator()<f.last>())
                        result = {f.first, f.depthwise, f.last, rows};
            }
        }
    };
    ask.template operator()<Step - 1>();
    ask.template operator()<Step>();
    ask.template operator()<Step + 1>();
    return result;
}

}  // namespace dlas
