// Policies that choose among algorithms layer by layer. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/depthwise.hpp>
#include <dlas/algorithms/direct.hpp>
#include <dlas/algorithms/winograd.hpp>
#include <dlas/core/text.hpp>

namespace dlas {

/// The first of the listed algorithms that can run the layer. Its name says so: "winograd4+direct".
template <class... Algorithms>
struct first_of {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr auto name_text = [] {
        text<96> joined;
        ((joined.length > 0 ? joined.append("+") : void(), joined.append(std::string_view(Algorithms::name))), ...);
        return joined;
    }();
    static constexpr std::string_view name = name_text.view();

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        std::string_view last;
        (void)((last = Algorithms::template refuses<Target>(layer), last.empty()) || ...);
        return last;
    }

    template <conv2d_layer Layer, class Target>
    struct choice {
        template <class First, class... Rest>
        static consteval auto pick() {
            if constexpr (sizeof...(Rest) == 0 || First::template refuses<Target>(Layer).empty()) return First{};
            else return pick<Rest...>();
        }
        using type = decltype(pick<Algorithms...>());
    };
};

/// A rule of thumb: depthwise layers by their own kernel; Winograd F(4x4) for 3x3 windows where enough tiles and channels share its
/// larger weights; direct for the rest.
struct automatic {
    static constexpr policy_kind kind = policy_kind::algorithm;
    static constexpr std::string_view name = "automatic";

    template <class Target>
    static constexpr std::string_view refuses(const conv2d_layer& layer) {
        return first_of<depthwise, direct>::template refuses<Target>(layer);
    }

    template <conv2d_layer Layer, class Target>
    struct choice {
        static consteval auto pick() {
            if constexpr (depthwise::refuses<Target>(Layer).empty()) return depthwise{};
            else if constexpr (winograd<4>::template refuses<Target>(Layer).empty() && Layer.in.channels >= 16 && Layer.channels >= 16 &&
                               Layer.out().pixels() >= 144)
                return winograd<4>{};
            else return direct{};
        }
        using type = decltype(pick());
    };
};

namespace choosing {
template <class Algorithm, conv2d_layer Layer, class Target>
struct chosen {
    using type = Algorithm;
};
template <class Algorithm, conv2d_layer Layer, class Target>
    requires requires { typename Algorithm::template choice<Layer, Target>::type; }
struct chosen<Algorithm, Layer, Target> {
    using type = typename Algorithm::template choice<Layer, Target>::type;
};
}  // namespace choosing

/// The algorithm that will run: the policy itself, or what it chooses for the layer.
template <class Algorithm, conv2d_layer Layer, class Target>
using chosen_algorithm = typename choosing::chosen<Algorithm, Layer, Target>::type;

}  // namespace dlas
