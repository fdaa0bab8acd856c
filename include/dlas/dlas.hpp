// All that an application or firmware needs: models, stacks, networks, kernels. No heap, exceptions, iostreams or threads.
// Reading files, datasets and weights by name is hosted: dlas/systems/host_network.hpp. Sweeps: dlas/explore.hpp.
#pragma once

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/densenet.hpp>
#include <dlas/models/ds_cnn.hpp>
#include <dlas/models/efficientnet.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/narrowed.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>
#include <dlas/models/vgg.hpp>
#include <dlas/systems/conv2d_kernel.hpp>
#include <dlas/systems/network.hpp>
