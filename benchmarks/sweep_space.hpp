// The default design space: what `sweep` explores. One unit for each target compiles the points; sweep.cpp runs them.
#pragma once

#include <dlas/datasets/problems.hpp>
#include <dlas/explore/points.hpp>
#include <dlas/explore/space.hpp>
#include <dlas/models/resnet.hpp>

inline constexpr auto default_space =
    dlas::axes(dlas::axis<dlas::f32, dlas::f16, dlas::bf16, dlas::int8, dlas::int4>, dlas::axis<dlas::dense>,
               dlas::axis<dlas::direct, dlas::im2col, dlas::spatial_pack, dlas::winograd<4>, dlas::first_of<dlas::winograd<2>, dlas::direct>,
                          dlas::first_of<dlas::winograd<4>, dlas::direct>>,
               dlas::axis<dlas::scalar, dlas::sse42, dlas::avx2, dlas::avx512, dlas::amx, dlas::neon>);

/// The embedded network, and one more for a user's own files.
using default_exploration =
    dlas::exploration<std::remove_cvref_t<decltype(default_space)>, dlas::resnet8_a<dlas::shapes10>, dlas::resnet20<dlas::cifar10>>;
