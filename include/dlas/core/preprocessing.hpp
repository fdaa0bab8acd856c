// From 8-bit pixels to what a network was trained on. Core: a model states it, a dataset applies it.
#pragma once

namespace dlas {

/// Per-channel affine map of 8-bit RGB pixels: y[c] = pixel[c] * scale[c] + offset[c].
struct preprocessing {
    float scale[3] = {1.0f, 1.0f, 1.0f};
    float offset[3] = {0.0f, 0.0f, 0.0f};
};

/// pixel / 255, then (x - mean) / standard deviation of ImageNet: torchvision's networks.
inline constexpr preprocessing imagenet_normalization = {
    {1.0f / (255.0f * 0.229f), 1.0f / (255.0f * 0.224f), 1.0f / (255.0f * 0.225f)},
    {-0.485f / 0.229f, -0.456f / 0.224f, -0.406f / 0.225f}};

/// pixel / 127.5 - 1: Keras' MobileNets.
inline constexpr preprocessing signed_unit_range = {{1 / 127.5f, 1 / 127.5f, 1 / 127.5f}, {-1.0f, -1.0f, -1.0f}};

/// The pixels as they are, 0 to 255.
inline constexpr preprocessing raw_pixels = {};

}  // namespace dlas
