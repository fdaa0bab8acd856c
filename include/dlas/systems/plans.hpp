// The measured plans that ship with the library: stack<tuned, TARGET> finds its network's here. Systems Software.
// `tune` writes them; a new one is its header and one line.
#pragma once

#include <dlas/systems/plans/densenet161_imagenet_avx2.hpp>
#include <dlas/systems/plans/densenet161_imagenet_avx512.hpp>
#include <dlas/systems/plans/efficientnet_b0_imagenet_avx2.hpp>
#include <dlas/systems/plans/efficientnet_b0_imagenet_avx512.hpp>
#include <dlas/systems/plans/mobilenet_v1_cifar10_avx2.hpp>
#include <dlas/systems/plans/mobilenet_v1_cifar10_avx512.hpp>
#include <dlas/systems/plans/mobilenet_v1_imagenet_avx2.hpp>
#include <dlas/systems/plans/mobilenet_v1_imagenet_avx512.hpp>
#include <dlas/systems/plans/mobilenet_v2_cifar10_avx2.hpp>
#include <dlas/systems/plans/mobilenet_v2_cifar10_avx512.hpp>
#include <dlas/systems/plans/mobilenet_v2_imagenet_avx2.hpp>
#include <dlas/systems/plans/mobilenet_v2_imagenet_avx512.hpp>
#include <dlas/systems/plans/resnet18_cifar10_avx2.hpp>
#include <dlas/systems/plans/resnet18_cifar10_avx512.hpp>
#include <dlas/systems/plans/resnet18_imagenet_avx2.hpp>
#include <dlas/systems/plans/resnet18_imagenet_avx512.hpp>
#include <dlas/systems/plans/resnet50_imagenet_avx2.hpp>
#include <dlas/systems/plans/resnet50_imagenet_avx512.hpp>
#include <dlas/systems/plans/resnet8_cifar10_avx2.hpp>
#include <dlas/systems/plans/resnet8_cifar10_avx512.hpp>
#include <dlas/systems/plans/vgg16_cifar10_avx2.hpp>
#include <dlas/systems/plans/vgg16_cifar10_avx512.hpp>
#include <dlas/systems/plans/vgg16_imagenet_avx2.hpp>
#include <dlas/systems/plans/vgg16_imagenet_avx512.hpp>
