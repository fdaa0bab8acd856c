// The family of convolution algorithms: a new one is its header and one line in each list below.
// Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/choice.hpp>
#include <dlas/algorithms/depthwise.hpp>
#include <dlas/algorithms/direct.hpp>
#include <dlas/algorithms/im2col.hpp>
#include <dlas/algorithms/line_buffer.hpp>
#include <dlas/algorithms/spatial_pack.hpp>
#include <dlas/algorithms/winograd.hpp>

namespace dlas {

/// Every algorithm that runs a layer itself in f32.
using algorithms = policy_list<direct, im2col, spatial_pack, winograd<2>, winograd<4>, winograd<6>, depthwise>;

}  // namespace dlas
