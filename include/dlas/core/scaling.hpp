// How sums of integers become the integers of the next feature map. Core: words that every layer of the stack uses.
#pragma once

#include <cstdint>

namespace dlas {

enum class scaling : std::uint8_t {
    real,          ///< times a float, rounded once, to the nearest integer, ties to even
    fixed_once,    ///< times a fixed-point number, rounded once, ties up; no float is computed
    fixed_twice,   ///< times a fixed-point number, rounded to an integer, and again when that is shifted: TensorFlow Lite's reference
    power_of_two,  ///< times a power of two of at most 1, rounded once, ties up: a shift, and nothing is multiplied
};

}  // namespace dlas
