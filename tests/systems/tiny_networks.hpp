// The networks of MLPerf Tiny as TensorFlow Lite quantized them, compiled for one target.
#pragma once

#include <array>
#include <concepts>

#include <dlas/datasets/problems.hpp>
#include <dlas/hardware/targets.hpp>
#include <dlas/models/ds_cnn.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/systems/network.hpp>

/// Image classification, keyword spotting, visual wake words, and on some targets the last with its first layers row by row, or once more.
template <class Target>
std::array<const dlas::executable*, 4> tiny_networks();

template <class Target>
constexpr std::array<const dlas::executable*, 4> compile_tiny_networks() {
    using namespace dlas;
    using one_by_one = stack<int8_tflite, Target>;
    using wake_words = mobilenet_v1_quarter<visual_wake_words>;
    constexpr int rows = std::same_as<Target, scalar> || std::same_as<Target, cortex_m4> ? 4 : 0;
    return {&network<resnet8<cifar10>, one_by_one>::code, &network<ds_cnn<speech_commands>, one_by_one>::code, &network<wake_words, one_by_one>::code,
            &network<wake_words, stack<int8_tflite, Target, streamed<rows>>>::code};
}
