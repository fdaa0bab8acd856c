// oneDNN beside our kernels in `conv2d`.
#pragma once

#include <benchmark/benchmark.h>

#include <dlas/core/layer_text.hpp>

/// Adds a benchmark of the layer by oneDNN on one thread; `peak` in floating-point operations a second.
void register_onednn(const dlas::conv2d_layer& layer, double peak);
