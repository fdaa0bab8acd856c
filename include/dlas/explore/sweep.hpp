// A design space swept by a program of one unit. Explore; hosted.
#pragma once

#include <dlas/explore/compile_points.hpp>
#include <dlas/explore/runner.hpp>

namespace dlas {

/// Sweeps a space in one unit: all points whose target this unit is compiled for, on made-up weights unless a subject is given.
template <class Model, class... Axes>
int sweep(design_space<Axes...>, int argc, char** argv, std::optional<sweep_subject> subject = {}) {
    sweep_runner runner;
    [&]<class... Targets>(policy_list<Targets...>) {
        auto add = [&]<class Target>(Target) {
            if constexpr (compiled_for<Target>)
                runner.add(compiled_points<exploration<design_space<Axes...>, Model>, Target>(), compiled_peak<Target>());
        };
        (add(Targets{}), ...);
    }(targets{});
    if (subject) runner.set_subject(Model::name, *std::move(subject));
    return runner.run(argc, argv);
}

}  // namespace dlas
