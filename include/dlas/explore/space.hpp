// Design spaces: axes of policies and the points that they span. Explore.
// Hana describes the axes; points are enumerated by mixed-radix index arithmetic, which costs the compiler a fraction of Hana's product.
#pragma once

#include <boost/hana/size.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>

#include <dlas/systems/stack.hpp>

namespace dlas {

namespace hana = boost::hana;

/// The policies that one axis of a space offers: axis<direct, im2col>.
template <policy... Policies>
inline constexpr auto axis = hana::tuple_t<Policies...>;

/// A whole family as an axis: axis_of<targets>.
template <class Family>
inline constexpr auto axis_of = nullptr;
template <policy... Policies>
inline constexpr auto axis_of<policy_list<Policies...>> = axis<Policies...>;

/// The product of axes; the last axis varies fastest.
template <class... Axes>
struct design_space {
    static constexpr int dimensions = sizeof...(Axes);
    static constexpr int sizes[dimensions] = {static_cast<int>(decltype(hana::size(std::declval<Axes>()))::value)...};
    static constexpr int size = (1 * ... * static_cast<int>(decltype(hana::size(std::declval<Axes>()))::value));

    /// Which policy of axis `dimension` point `index` takes.
    static constexpr int digit(int index, int dimension) {
        for (int d = dimensions - 1; d > dimension; --d) index /= sizes[d];
        return index % sizes[dimension];
    }

    template <int Index>
    static consteval auto stack_of() {
        return []<int... D>(std::integer_sequence<int, D...>) {
            return stack<typename std::decay_t<decltype(hana::at_c<digit(Index, D)>(std::declval<Axes>()))>::type...>{};
        }(std::make_integer_sequence<int, dimensions>{});
    }

    /// The stack of point `Index`.
    template <int Index>
    using point = decltype(stack_of<Index>());
};

/// A space of the given axes, in any order: axes(axis<f32>, axis<direct, im2col>, axis<avx2, avx512>).
template <class... Axes>
constexpr design_space<Axes...> axes(Axes...) {
    return {};
}

}  // namespace dlas
