// One choice on each axis of the stack, in any order. Systems Software.
#pragma once

#include <dlas/algorithms/algorithms.hpp>
#include <dlas/core/text.hpp>
#include <dlas/formats/binary.hpp>
#include <dlas/formats/dense.hpp>
#include <dlas/formats/f32.hpp>
#include <dlas/formats/half.hpp>
#include <dlas/formats/scaled.hpp>
#include <dlas/formats/quantized.hpp>
#include <dlas/hardware/targets.hpp>

namespace dlas {

namespace stacking {

template <policy_kind Kind, class Policy>
concept chooses = Policy::kind == Kind;

/// The policy of one axis: the given one, or the default.
template <policy_kind Kind, class Default, class... Policies>
struct find {
    using type = Default;
};
template <policy_kind Kind, class Default, class First, class... Rest>
struct find<Kind, Default, First, Rest...> : find<Kind, Default, Rest...> {};
template <policy_kind Kind, class Default, class First, class... Rest>
    requires chooses<Kind, First>
struct find<Kind, Default, First, Rest...> {
    using type = First;
};

template <policy_kind Kind, class... Policies>
inline constexpr int count = (0 + ... + (Policies::kind == Kind ? 1 : 0));

template <class Policy>
struct checked {
    static_assert(policy<Policy>, "[dlas] stack: an argument is not a policy: it states no kind and name (see dlas/core/policy.hpp)");
};

}  // namespace stacking

/// How many threads run each layer together; 1 unless a stack says otherwise, and no threads exist then. The number is the most:
/// systems/thread_pool.hpp starts them.
template <int Count>
struct threads {
    static_assert(Count >= 1 && Count <= 1024, "[dlas] threads<N>: N must be between 1 and 1024");
    static constexpr policy_kind kind = policy_kind::threads;
    static constexpr int count = Count;
    static constexpr auto name_text = [] {
        text<16> spelled("threads");
        spelled.append(Count);
        return spelled;
    }();
    static constexpr std::string_view name = name_text.view();
};

/// How many of a network's first convolutions run together, row by row, so that none of the maps between them is in memory. They have to be a
/// chain of layers of algorithms that buffer rows (line_buffer).
template <int Count>
struct streamed {
    static_assert(Count == 0 || Count >= 2, "[dlas] streamed<N>: N must be 2 at least, or 0 for none");
    static constexpr policy_kind kind = policy_kind::streaming;
    static constexpr int count = Count;
    static constexpr auto name_text = [] {
        text<16> spelled("streamed");
        spelled.append(Count);
        return spelled;
    }();
    static constexpr std::string_view name = name_text.view();
};

/// A stack in its canonical order; write `stack<...>`.
template <format_policy Format, sparsity_policy Sparsity, algorithm_policy Algorithm, schedule_policy Schedule, target_policy Target,
          threads_policy Threads, streaming_policy Streaming>
struct basic_stack {
    using format = Format;
    using sparsity = Sparsity;
    using algorithm = Algorithm;
    using schedule = Schedule;
    using target = Target;
    using threads = Threads;
    using streaming = Streaming;

    static constexpr auto name_text = [] {
        text<200> joined;
        joined.append(std::string_view(Format::name));
        joined.append("/");
        joined.append(std::string_view(Sparsity::name));
        joined.append("/");
        joined.append(std::string_view(Algorithm::name));
        joined.append("/");
        if (Schedule::options != schedule_options{}) {
            joined.append(std::string_view(Schedule::name));
            joined.append("/");
        }
        joined.append(std::string_view(Target::name));
        if (Threads::count > 1) {
            joined.append("/");
            joined.append(std::string_view(Threads::name));
        }
        if (Streaming::count > 0) {
            joined.append("/");
            joined.append(std::string_view(Streaming::name));
        }
        return joined;
    }();
    /// "f32/dense/direct/avx2": how benchmarks, tables and plans call it. A schedule and threads are named where there are any.
    static constexpr std::string_view name = name_text.view();

    /// Whether the stack can run a layer: empty, or the reason why not. What a static_assert and a sweep both ask.
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        // Never a label for what did not run: a policy has to have kernels before a stack may carry its name.
        if (const std::string_view no_kernel = refusal_of<Algorithm, Format, Target>(layer, Schedule::options); !no_kernel.empty()) return no_kernel;
        if (!std::same_as<Format, f32>) {
            if (Schedule::options.inputs != by_rule) return "schedule: blocks of input channels need partial sums in the output: f32 alone has them";
            if (Schedule::options.fused_rows > 0) return "schedule: bands around depthwise layers are of f32 alone";
        }
        if (std::same_as<Format, binary> && !layer.depthwise() && Schedule::options != schedule_options{}) return "schedule: w1a1 runs by rule alone";
        if (!std::same_as<Sparsity, dense>) return "sparsity: there are kernels for dense weights alone";
        return {};
    }
};

namespace stacking {

template <class... Policies>
struct compose {
    static_assert((sizeof(checked<Policies>) + ... + 1) > 0);
    static_assert(count<policy_kind::format, Policies...> <= 1, "[dlas] stack: two number formats; give one");
    static_assert(count<policy_kind::sparsity, Policies...> <= 1, "[dlas] stack: two sparsity formats; give one");
    static_assert(count<policy_kind::algorithm, Policies...> <= 1,
                  "[dlas] stack: two convolution algorithms; give one, or first_of<...> to choose layer by layer");
    static_assert(count<policy_kind::schedule, Policies...> <= 1, "[dlas] stack: two schedules; give one");
    static_assert(count<policy_kind::target, Policies...> <= 1, "[dlas] stack: two targets; give one");
    static_assert(count<policy_kind::threads, Policies...> <= 1, "[dlas] stack: two numbers of threads; give one");
    static_assert(count<policy_kind::streaming, Policies...> <= 1, "[dlas] stack: two numbers of streamed layers; give one");
    using type = basic_stack<typename find<policy_kind::format, f32, Policies...>::type,
                             typename find<policy_kind::sparsity, dense, Policies...>::type,
                             typename find<policy_kind::algorithm, automatic, Policies...>::type,
                             typename find<policy_kind::schedule, untuned, Policies...>::type,
                             typename find<policy_kind::target, scalar, Policies...>::type,
                             typename find<policy_kind::threads, threads<1>, Policies...>::type,
                             typename find<policy_kind::streaming, streamed<0>, Policies...>::type>;
};

}  // namespace stacking

/// Policies in any order, at most one of each kind; what is left out is f32, dense, automatic, untuned, scalar, threads<1>,
/// streamed<0>.
template <class... Policies>
using stack = typename stacking::compose<Policies...>::type;

namespace stacking {

/// g++ prints a template argument that is text, clang the literal that a call is given: each its own way to show the reason.
#ifdef __clang__
consteval bool policy_can_run_layer(const char* why_not) {
    require(why_not == nullptr, "[dlas] a policy cannot run a layer: the argument of policy_can_run_layer() says which and why");
    return true;
}
#else
template <text<160> WhyNot>
struct policy_can_run_layer {
    static_assert(WhyNot.length == 0, "[dlas] a policy cannot run a layer: the template argument of policy_can_run_layer says which and why");
};
#endif

}  // namespace stacking

/// Stops compilation with the reason where a stack cannot run a layer.
template <class Stack, conv2d_layer Layer>
consteval bool require_runs() {
    static_assert(compiled_for<typename Stack::target>,
                  "[dlas] the target's vectors are not available in this translation unit: compile it with the target's compile_flags "
                  "(dlas/hardware), or choose dlas::scalar");
    constexpr std::string_view why_not = Stack::refuses(Layer);
#ifdef __clang__
    static_assert(stacking::policy_can_run_layer(why_not.empty() ? nullptr : why_not.data()));
#else
    if constexpr (!why_not.empty()) (void)stacking::policy_can_run_layer<text<160>(why_not)>{};
#endif
    return why_not.empty();
}

/// One stack for every layer, or a type of the user's that chooses: `template <conv2d_layer L> static consteval auto select()`
/// returning the stack for the layer. All stacks of a plan share one target: `using target = ...`.
template <class T>
concept layer_plan = requires { T::name.size(); } && target_policy<typename T::target>;

namespace stacking {
template <class Plan, conv2d_layer Layer>
struct selected {
    using type = Plan;
};
template <class Plan, conv2d_layer Layer>
    requires requires { Plan::template select<Layer>(); }
struct selected<Plan, Layer> {
    using type = decltype(Plan::template select<Layer>());
};
}  // namespace stacking

/// The algorithm policy that stands for a plan that was written by measurement: stack<tuned, avx512> is tuned_plan<Model, avx512>.
struct tuned {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "tuned";

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer&, const schedule_options& schedule = {}) {
        if (schedule != schedule_options{}) return "tuned: the plan states the schedules; a stack's own would be lost";
        return "tuned: there is no plan for this model on this target; include dlas/systems/plans.hpp, or write one with `tune`";
    }
};

/// The measured plan of a model for a target. Specializations stand in dlas/systems/plans; `tune` writes them.
template <class Model, class Target>
struct tuned_plan;

namespace stacking {
template <class Model, class Plan>
struct resolved {
    using type = Plan;
};
template <class Model, class Plan>
    requires requires { tuned_plan<Model, typename Plan::target>::name; } && std::same_as<typename Plan::algorithm, tuned> &&
             std::same_as<typename Plan::schedule, untuned> && std::same_as<typename Plan::format, f32> && std::same_as<typename Plan::sparsity, dense> &&
             (Plan::streaming::count == 0)
struct resolved<Model, Plan> {
    using type = tuned_plan<Model, typename Plan::target>;
};
template <class Plan>
inline constexpr int thread_count = 1;
template <class Plan>
    requires requires { Plan::threads::count; }
inline constexpr int thread_count<Plan> = Plan::threads::count;
template <class Plan>
inline constexpr int streamed_count = 0;
template <class Plan>
    requires requires { Plan::streaming::count; }
inline constexpr int streamed_count<Plan> = Plan::streaming::count;
}  // namespace stacking

/// The plan that chooses for a model's layers: the plan itself, or the measured one that stack<tuned, ...> stands for.
template <class Model, class Plan>
using resolved_plan = typename stacking::resolved<Model, Plan>::type;

/// The stack that a plan chooses for a layer.
template <class Plan, conv2d_layer Layer>
using stack_for = typename stacking::selected<Plan, Layer>::type;

}  // namespace dlas
