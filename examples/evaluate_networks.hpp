// The networks that `evaluate` is compiled with. One unit for each target compiles them; evaluate.cpp runs them.
#pragma once

#include <dlas/datasets/problems.hpp>
#include <dlas/explore/points.hpp>
#include <dlas/explore/space.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>

template <class Algorithm>
using with_fallback = dlas::first_of<Algorithm, dlas::direct, dlas::depthwise>;

inline constexpr auto evaluate_targets = dlas::axis<dlas::scalar, dlas::avx2, dlas::avx512, dlas::neon>;

/// Every algorithm for the networks on 32x32 images.
inline constexpr auto every_algorithm =
    dlas::axes(dlas::axis<dlas::automatic, dlas::direct, with_fallback<dlas::im2col>, with_fallback<dlas::spatial_pack>,
                          with_fallback<dlas::winograd<2>>, with_fallback<dlas::winograd<4>>>,
               evaluate_targets);
using cifar_networks = dlas::exploration<std::remove_cvref_t<decltype(every_algorithm)>, dlas::resnet8<dlas::cifar10>,
                                         dlas::resnet20<dlas::cifar10>, dlas::resnet8_a<dlas::shapes10>>;

inline constexpr auto automatic_algorithm = dlas::axes(dlas::axis<dlas::automatic, dlas::first_of<dlas::direct, dlas::depthwise>>, evaluate_targets);
using imagenet_networks =
    dlas::exploration<std::remove_cvref_t<decltype(automatic_algorithm)>, dlas::mobilenet_v1_quarter<dlas::imagenet>,
                      dlas::mobilenet_v2<dlas::imagenet>, dlas::squeezenet1_1<dlas::imagenet>>;
