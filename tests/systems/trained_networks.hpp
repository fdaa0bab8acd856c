// The networks of which trained weights exist, and the algorithms that they are run with.
#pragma once

#include <type_traits>

#include <dlas/algorithms/algorithms.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/hardware/targets.hpp>
#include <dlas/models/ds_cnn.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>

#include "compiled_networks.hpp"

struct trained_networks {
    /// The algorithm wherever it can run.
    template <class Algorithm>
    using mostly = dlas::first_of<Algorithm, dlas::direct, dlas::depthwise>;
    using directly = dlas::first_of<dlas::direct, dlas::depthwise>;

    using resnet20 = dlas::resnet20<dlas::cifar10>;
    using resnet8 = dlas::resnet8<dlas::cifar10>;
    using mobilenet_v2 = dlas::mobilenet_v2<dlas::imagenet>;
    using mobilenet_v1 = dlas::mobilenet_v1_quarter<dlas::imagenet>;
    using squeezenet = dlas::squeezenet1_1<dlas::imagenet>;
    using ds_cnn = dlas::ds_cnn<dlas::speech_commands>;

    using on_avx512 =
        point_list<point<resnet20, dlas::automatic>, point<resnet20, directly>, point<resnet20, mostly<dlas::winograd<4>>>, point<resnet8, dlas::automatic>,
                   point<mobilenet_v2, dlas::automatic>, point<mobilenet_v1, dlas::automatic>, point<squeezenet, dlas::automatic>, point<ds_cnn, dlas::automatic>>;
    // A MobileNet has no 3x3 window for Winograd: its only one that is not depthwise has stride 2.
    using on_avx2 =
        point_list<point<resnet20, dlas::automatic>, point<resnet20, directly>, point<resnet20, mostly<dlas::im2col>>,
                   point<resnet20, mostly<dlas::spatial_pack>>, point<resnet20, mostly<dlas::winograd<2>>>, point<resnet20, mostly<dlas::winograd<4>>>,
                   point<resnet8, mostly<dlas::im2col>>, point<mobilenet_v2, directly>, point<mobilenet_v2, mostly<dlas::im2col>>,
                   point<mobilenet_v2, mostly<dlas::spatial_pack>>, point<mobilenet_v1, directly>, point<mobilenet_v1, mostly<dlas::im2col>>,
                   point<mobilenet_v1, mostly<dlas::spatial_pack>>, point<squeezenet, directly>, point<squeezenet, mostly<dlas::im2col>>,
                   point<squeezenet, mostly<dlas::spatial_pack>>, point<squeezenet, mostly<dlas::winograd<4>>>, point<ds_cnn, directly>,
                   point<ds_cnn, mostly<dlas::im2col>>>;
    using elsewhere = point_list<point<resnet20, dlas::automatic>, point<resnet8, dlas::automatic>, point<ds_cnn, dlas::automatic>>;

    template <class Target>
    using points = std::conditional_t<std::is_same_v<Target, dlas::avx512>, on_avx512,
                                      std::conditional_t<std::is_same_v<Target, dlas::avx2>, on_avx2, elsewhere>>;
};
