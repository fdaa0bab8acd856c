// The problem spaces of the study: what a network is asked. Datasets & Problem Spaces; free of any I/O.
#pragma once

#include <string_view>

#include <dlas/core/shape.hpp>

namespace dlas {

/// CIFAR-10: 32x32 RGB, ten classes (Krizhevsky, 2009).
struct cifar10 {
    static constexpr std::string_view name = "cifar10";
    static constexpr shape input = {32, 32, 3};
    static constexpr int classes = 10;
};

/// ILSVRC2012 at the usual 224x224 centre crop, 1000 classes.
struct imagenet {
    static constexpr std::string_view name = "imagenet";
    static constexpr shape input = {224, 224, 3};
    static constexpr int classes = 1000;
};

/// The procedural set of datasets/shapes10.hpp: 32x32 RGB, ten classes, needs no download.
struct shapes10 {
    static constexpr std::string_view name = "shapes10";
    static constexpr shape input = {32, 32, 3};
    static constexpr int classes = 10;
};

}  // namespace dlas
