// The safetensors file of the default sweep's network, linked into the program.
#pragma once

#include <cstddef>
#include <span>

/// The bytes of examples/train_shapes10/resnet8_shapes10.safetensors.
std::span<const std::byte> embedded_weights();
