// From 8-bit pixels to what a network was trained on. Core: a model states it, a dataset applies it.
#pragma once

namespace dlas {

/// Per-channel affine map of 8-bit RGB pixels: y[c] = pixel[c] * scale[c] + offset[c]. Maps of one channel have three equal ones.
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

/// pixel / 255: MLPerf Tiny's visual wake words.
inline constexpr preprocessing unit_range = {{1 / 255.0f, 1 / 255.0f, 1 / 255.0f}};

/// The pixels as they are, 0 to 255.
inline constexpr preprocessing raw_pixels = {};

/// MLPerf Tiny's spectral features, which are handed out as 8-bit integers with the zero point 83: as bytes, 83 + 128 stands for 0.
inline constexpr preprocessing quantized_features = {{0.5847029f, 0.5847029f, 0.5847029f},
                                                     {-211 * 0.5847029f, -211 * 0.5847029f, -211 * 0.5847029f}};

}  // namespace dlas
