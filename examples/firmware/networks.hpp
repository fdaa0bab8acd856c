// The networks of the firmware examples, which the program that packs their weights and the boards' programs have to agree on.
#pragma once

#include <dlas/dlas.hpp>

#if __has_include("wake_words_kept.hpp")
#include <dlas/models/narrowed.hpp>

#include "wake_words_kept.hpp"  // written by examples/narrow.cpp
#endif

/// MLPerf Tiny's image classification: ResNet-8 on CIFAR-10, quantized by TensorFlow Lite.
template <class Target>
using image_classification = dlas::network<dlas::resnet8<dlas::cifar10>, dlas::stack<dlas::int8_tflite, Target>>;

/// MLPerf Tiny's keyword spotting: DS-CNN on spectra of spoken words.
template <class Target>
using keyword_spotting = dlas::network<dlas::ds_cnn<dlas::speech_commands>, dlas::stack<dlas::int8_tflite, Target>>;

/// The same network, quantized by this library, all of its scales powers of two: for cores on which a product of 64 bits takes long.
template <class Target>
using keyword_spotting_by_shifts = dlas::network<dlas::ds_cnn<dlas::speech_commands>, dlas::stack<dlas::int8_power_of_two, Target>>;

/// MLPerf Tiny's visual wake words: whether a 96x96 image shows a person, by MobileNetV1 of a quarter of the channels.
/// Its first layers run row by row: of 50 KB of feature maps 28 are left.
template <class Target>
using visual_wake_words =
    dlas::network<dlas::mobilenet_v1_quarter<dlas::visual_wake_words>, dlas::stack<dlas::int8_tflite, Target, dlas::streamed<4>>>;

#if __has_include("wake_words_kept.hpp")
/// The same without the channels that make no difference to it, and with the same answers.
template <class Target>
using narrow_wake_words = dlas::network<dlas::narrowed<dlas::mobilenet_v1_quarter<dlas::visual_wake_words>, kept>,
                                        dlas::stack<dlas::int8_tflite, Target, dlas::streamed<4>>>;
#endif

/// A network that comes with the library, quantized by it: ten drawn shapes.
template <class Target>
using drawn_shapes = dlas::network<dlas::resnet8_a<dlas::shapes10>, dlas::stack<dlas::int8_fixed, Target>>;
