// Networks that are tested with made-up weights.
#pragma once

#include <type_traits>

#include <dlas/algorithms/algorithms.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/hardware/targets.hpp>
#include <dlas/models/densenet.hpp>
#include <dlas/models/efficientnet.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>
#include <dlas/models/vgg.hpp>

#include "compiled_networks.hpp"

/// Large enough for the networks' ImageNet forms, odd in all ways, and small enough for a run in double precision.
struct small_photographs {
    static constexpr std::string_view name = "small_photographs";
    static constexpr dlas::shape input = {67, 45, 3};
    static constexpr int classes = 37;
};

struct seeded_networks {
    template <class... Models>
    using chosen_by_rule = point_list<point<Models, dlas::automatic>...>;

    using on_avx512 =
        chosen_by_rule<dlas::resnet56<dlas::cifar10>, dlas::resnet18<dlas::cifar10>, dlas::mobilenet_v1<dlas::cifar10>,
                       dlas::mobilenet_v2<dlas::cifar10>, dlas::resnet18<small_photographs>, dlas::resnet34<small_photographs>,
                       dlas::vgg16<small_photographs>, dlas::mobilenet_v1<small_photographs>, dlas::efficientnet_b0<dlas::cifar10>,
                       dlas::densenet161<small_photographs>>;
    using on_avx2 = chosen_by_rule<dlas::resnet8_a<dlas::shapes10>, dlas::vgg16<dlas::cifar10>, dlas::resnet50<small_photographs>,
                                   dlas::mobilenet_v2<small_photographs>, dlas::squeezenet1_1<small_photographs>,
                                   dlas::efficientnet_b0<small_photographs>>;

    template <class Target>
    using points = std::conditional_t<std::is_same_v<Target, dlas::avx512>, on_avx512, on_avx2>;
};
