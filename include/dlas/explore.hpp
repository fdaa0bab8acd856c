// All that a design-space exploration needs on top of dlas.hpp: axes, sweeps, files, datasets. Hosted; Boost.Hana, Google Benchmark.
#pragma once

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/imagenet_file.hpp>
#include <dlas/dlas.hpp>
#include <dlas/explore/sweep.hpp>
#include <dlas/systems/host_network.hpp>
