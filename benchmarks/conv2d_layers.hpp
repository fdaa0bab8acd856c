// The layers that `conv2d` measures: distinct convolutions of ResNet, VGG and MobileNet.
#pragma once

#include <span>

#include <dlas/explore/points.hpp>
#include <dlas/systems/conv2d_kernel.hpp>

inline constexpr dlas::conv2d_layer measured_layers[] = {
    {.in = {224, 224, 3}, .channels = 64, .kernel = 7, .stride = 2, .padding = 3},
    {.in = {224, 224, 3}, .channels = 32, .kernel = 3, .stride = 2, .padding = 1},
    {.in = {32, 32, 16}, .channels = 16, .kernel = 3, .padding = 1},
    {.in = {8, 8, 64}, .channels = 64, .kernel = 3, .padding = 1},
    {.in = {112, 112, 64}, .channels = 128, .kernel = 3, .padding = 1},
    {.in = {56, 56, 64}, .channels = 64, .kernel = 3, .padding = 1},
    {.in = {28, 28, 128}, .channels = 128, .kernel = 3, .padding = 1},
    {.in = {14, 14, 256}, .channels = 256, .kernel = 3, .padding = 1},
    {.in = {7, 7, 512}, .channels = 512, .kernel = 3, .padding = 1},
    {.in = {56, 56, 128}, .channels = 128, .kernel = 3, .stride = 2, .padding = 1},
    {.in = {56, 56, 64}, .channels = 256},
    {.in = {56, 56, 256}, .channels = 64},
    {.in = {28, 28, 128}, .channels = 512},
    {.in = {14, 14, 256}, .channels = 1024},
    {.in = {14, 14, 1024}, .channels = 256},
    {.in = {7, 7, 512}, .channels = 2048},
    {.in = {56, 56, 256}, .channels = 512, .stride = 2},
    {.in = {112, 112, 32}, .channels = 32, .kernel = 3, .padding = 1, .groups = 32},
    {.in = {56, 56, 128}, .channels = 128, .kernel = 3, .stride = 2, .padding = 1, .groups = 128},
    {.in = {14, 14, 512}, .channels = 512, .kernel = 3, .padding = 1, .groups = 512},
    {.in = {1, 1, 2048}, .channels = 1000},
};

/// The compiled kernels of one target; defined in conv2d.cpp.in.
template <class Target>
std::span<const dlas::conv2d_executable> compiled_layers();
