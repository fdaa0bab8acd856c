// oneDNN beside our kernels in `conv2d`.
#pragma once

#include <benchmark/benchmark.h>

#include <dlas/core/layer_text.hpp>
#include <dlas/explore/points.hpp>

/// Adds a benchmark of the layer by oneDNN on one thread, whose share of the peak is that of `loop`'s.
void register_onednn(const dlas::conv2d_layer& layer, const dlas::peak_loop& loop);
