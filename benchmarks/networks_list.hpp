// The networks that `networks` measures: the usual CIFAR-10 and ImageNet forms, untuned (every layer by rule) and by their plans.
#pragma once

#include <dlas/datasets/problems.hpp>
#include <dlas/explore/points.hpp>
#include <dlas/explore/space.hpp>
#include <dlas/models/densenet.hpp>
#include <dlas/models/efficientnet.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>
#include <dlas/models/vgg.hpp>
#include <dlas/systems/plans.hpp>

inline constexpr auto measured_stacks = dlas::axes(dlas::axis<dlas::automatic, dlas::tuned>, dlas::axis<dlas::avx2, dlas::avx512, dlas::neon>);

using measured_networks =
    dlas::exploration<std::remove_cvref_t<decltype(measured_stacks)>, dlas::resnet8<dlas::cifar10>, dlas::resnet20<dlas::cifar10>,
                      dlas::resnet18<dlas::cifar10>, dlas::vgg16<dlas::cifar10>, dlas::mobilenet_v1<dlas::cifar10>,
                      dlas::mobilenet_v2<dlas::cifar10>, dlas::resnet18<dlas::imagenet>, dlas::resnet50<dlas::imagenet>,
                      dlas::vgg16<dlas::imagenet>, dlas::mobilenet_v1<dlas::imagenet>, dlas::mobilenet_v2<dlas::imagenet>,
                      dlas::squeezenet1_1<dlas::imagenet>, dlas::efficientnet_b0<dlas::imagenet>, dlas::densenet161<dlas::imagenet>>;

/// As integers, each layer by rule.
inline constexpr auto integer_stacks = dlas::axes(dlas::axis<dlas::int8>, dlas::axis<dlas::automatic>,
                                                  dlas::axis<dlas::avx2, dlas::avx_vnni, dlas::avx512, dlas::avx512_vnni, dlas::amx, dlas::neon, dlas::neon_dot>);

using integer_networks =
    dlas::exploration<std::remove_cvref_t<decltype(integer_stacks)>, dlas::resnet8<dlas::cifar10>, dlas::resnet18<dlas::cifar10>,
                      dlas::vgg16<dlas::cifar10>, dlas::mobilenet_v1<dlas::cifar10>, dlas::mobilenet_v2<dlas::cifar10>, dlas::resnet18<dlas::imagenet>,
                      dlas::resnet50<dlas::imagenet>, dlas::vgg16<dlas::imagenet>, dlas::mobilenet_v1<dlas::imagenet>, dlas::mobilenet_v2<dlas::imagenet>,
                      dlas::densenet161<dlas::imagenet>>;

/// With weights of seven bits where those of eight have to be widened.
inline constexpr auto seven_bit_stacks = dlas::axes(dlas::axis<dlas::int7>, dlas::axis<dlas::automatic>, dlas::axis<dlas::avx2, dlas::avx512>);

using seven_bit_networks = dlas::exploration<std::remove_cvref_t<decltype(seven_bit_stacks)>, dlas::resnet18<dlas::imagenet>,
                                             dlas::resnet50<dlas::imagenet>, dlas::mobilenet_v1<dlas::imagenet>, dlas::mobilenet_v2<dlas::imagenet>>;

/// As bf16 where there are instructions for it.
inline constexpr auto bf16_stacks = dlas::axes(dlas::axis<dlas::bf16>, dlas::axis<dlas::automatic>, dlas::axis<dlas::avx512_bf16, dlas::amx>);

using bf16_networks = dlas::exploration<std::remove_cvref_t<decltype(bf16_stacks)>, dlas::resnet50<dlas::imagenet>, dlas::vgg16<dlas::imagenet>,
                                        dlas::mobilenet_v2<dlas::imagenet>>;

/// As f16 where its sums are.
inline constexpr auto f16_stacks = dlas::axes(dlas::axis<dlas::f16>, dlas::axis<dlas::automatic>, dlas::axis<dlas::avx512_fp16, dlas::neon_fp16>);

using f16_networks = dlas::exploration<std::remove_cvref_t<decltype(f16_stacks)>, dlas::resnet50<dlas::imagenet>, dlas::vgg16<dlas::imagenet>,
                                       dlas::mobilenet_v2<dlas::imagenet>>;

/// By two threads, where one could use help.
inline constexpr auto threaded_stacks = dlas::axes(dlas::axis<dlas::tuned>, dlas::axis<dlas::avx2, dlas::avx512, dlas::neon>, dlas::axis<dlas::threads<2>>);

using threaded_networks = dlas::exploration<std::remove_cvref_t<decltype(threaded_stacks)>, dlas::resnet50<dlas::imagenet>, dlas::vgg16<dlas::imagenet>>;
