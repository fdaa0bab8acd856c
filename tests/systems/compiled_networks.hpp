// How the network tests get compiled networks from units of other flags, and what they have in common.
#pragma once

#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <dlas/hardware/targets.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/host_network.hpp>

#include "../sanitized.hpp"

/// One network of a list: a model and an algorithm, or a type whose plan<Target> is the plan.
template <class Model, class Policy>
struct point {};

template <class... Points>
struct point_list {
    static constexpr int size = sizeof...(Points);
};
template <class... A, class... B>
constexpr point_list<A..., B...> operator+(point_list<A...>, point_list<B...>) {
    return {};
}

/// The networks of `List::points<Target>` whose index is `Shard` modulo `Shards`. Defined by units compiled for the target, which include
/// compile_networks.hpp.
template <class List, class Target, int Shard, int Shards>
std::span<const dlas::executable* const> compiled_networks();

/// All that this program's units compiled and this CPU can run.
template <class List, int Shards, class... Targets>
std::vector<const dlas::executable*> available_networks() {
    std::vector<const dlas::executable*> codes;
    auto add = [&codes](std::span<const dlas::executable* const> more) {
        for (const dlas::executable* code : more)
            if (code->available()) codes.push_back(code);
    };
    auto add_target = [&]<class Target, int... Shard>(std::integer_sequence<int, Shard...>) {
        (add(compiled_networks<List, Target, Shard, Shards>()), ...);
    };
    (add_target.template operator()<Targets>(std::make_integer_sequence<int, Shards>{}), ...);
    return codes;
}

/// The place of a target in dlas::targets, where the least capable is the first.
inline int capability(std::string_view target) {
    return []<class... Targets>(dlas::policy_list<Targets...>, std::string_view wanted) {
        int index = 0, found = -1;
        ((found = Targets::name == wanted ? index : found, ++index), ...);
        return found;
    }(dlas::targets{}, target);
}

inline std::string label_of(const dlas::executable& code) { return std::string(code.model) + "/" + std::string(code.plan); }

/// Bytes that are NaN as floats: memory that is read before it is written shows in the result.
inline void fill_with_garbage(dlas::host_network& network) {
    std::memset(network.arena(), 0xff, static_cast<std::size_t>(network.code().arena_bytes));
}

/// The largest absolute difference; infinite where a value is not a number.
template <class A, class B>
double largest_difference(const A& a, const B& b) {
    double largest = a.size() == b.size() ? 0.0 : INFINITY;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        const double difference = std::abs(double(a[i]) - double(b[i]));
        largest = difference <= largest ? largest : std::isnan(difference) ? INFINITY : difference;
    }
    return largest;
}

template <class A>
double largest_magnitude(const A& a) {
    double largest = 0;
    for (const auto x : a) largest = std::max(largest, std::abs(double(x)));
    return largest;
}
