// What makes a type a policy of the stack. Core: each layer of the stack defines its own policies.
#pragma once

#include <concepts>

namespace dlas {

/// The axes of the stack that a policy can choose on.
enum class policy_kind { format, sparsity, algorithm, schedule, target, threads, streaming };

/// An empty struct that states its axis and its name, e.g. `dlas::winograd<4>` or `dlas::avx512`.
/// The name labels it everywhere: in benchmarks, tables, plans and error messages.
template <class T>
concept policy = requires {
    { T::kind } -> std::same_as<const policy_kind&>;
    { T::name.size() };
};

template <class T>
concept format_policy = policy<T> && T::kind == policy_kind::format;
template <class T>
concept sparsity_policy = policy<T> && T::kind == policy_kind::sparsity;
template <class T>
concept algorithm_policy = policy<T> && T::kind == policy_kind::algorithm;
template <class T>
concept schedule_policy = policy<T> && T::kind == policy_kind::schedule;
template <class T>
concept threads_policy = policy<T> && T::kind == policy_kind::threads;
template <class T>
concept streaming_policy = policy<T> && T::kind == policy_kind::streaming;
template <class T>
concept target_policy = policy<T> && T::kind == policy_kind::target;

/// A family of policies: what tests, benchmarks and command lines enumerate.
template <class... Policies>
struct policy_list {
    static constexpr int size = sizeof...(Policies);
};

}  // namespace dlas
