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

/// Keywords of Speech Commands (Warden, 2018) as MLPerf Tiny spots them: 49 frames of ten MFCC, ten words, silence and all else.
struct speech_commands {
    static constexpr std::string_view name = "speech_commands";
    static constexpr shape input = {49, 10, 1};
    static constexpr int classes = 12;
};

/// Visual Wake Words (Chowdhery et al., 2019) as MLPerf Tiny has them: 96x96 RGB, with a person or without.
struct visual_wake_words {
    static constexpr std::string_view name = "visual_wake_words";
    static constexpr shape input = {96, 96, 3};
    static constexpr int classes = 2;
};

/// The procedural set of datasets/shapes10.hpp: 32x32 RGB, ten classes, needs no download.
struct shapes10 {
    static constexpr std::string_view name = "shapes10";
    static constexpr shape input = {32, 32, 3};
    static constexpr int classes = 10;
};

}  // namespace dlas
