// Memory that notices what a kernel does beyond its share, and numbers to compute with. For the kernels' tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <dlas/algorithms/kernel.hpp>

namespace feature_maps {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr std::size_t guard = 0;
#elif defined(__has_feature)
inline constexpr std::size_t guard = __has_feature(address_sanitizer) ? 0 : 16;
#else
inline constexpr std::size_t guard = 16;
#endif

/// What memory holds before a kernel writes to it: not a number, so that a value that is read too early shows in the result, and one of
/// unusual bits, so that it can be told from a computed one.
inline constexpr std::uint32_t untouched_bits = 0x7fc5a5a5;
inline float untouched() {
    float value;
    std::memcpy(&value, &untouched_bits, sizeof value);
    return value;
}
inline bool is_untouched(float value) { return std::memcmp(&value, &untouched_bits, sizeof value) == 0; }

/// Exactly as many floats on the heap, all untouched. The address sanitizer sees any access beyond them; without it guards on both
/// sides show at least what was written there.
class buffer {
public:
    explicit buffer(std::int64_t size) : floats_(static_cast<std::size_t>(size) + 2 * guard, untouched()) {}
    explicit buffer(std::span<const float> values) : buffer(static_cast<std::int64_t>(values.size())) {
        std::copy(values.begin(), values.end(), data());
    }

    float* data() { return floats_.data() + guard; }
    const float* data() const { return floats_.data() + guard; }
    bool guards_intact() const {
        for (std::size_t i = 0; i < guard; ++i)
            if (!is_untouched(floats_[i]) || !is_untouched(floats_[floats_.size() - 1 - i])) return false;
        return true;
    }

private:
    std::vector<float> floats_;
};

/// A feature map and the zeros around it as a kernel sees them. All else in its memory, if the placement leaves any, is not the kernel's.
class placed_map {
public:
    placed_map(dlas::shape map, dlas::border halo, dlas::placement place)
        : map_(map), place_(place), before_(halo.top * place.row_stride + halo.left * place.pixel_stride),
          floats_((halo.top + map.height + halo.bottom - 1) * place.row_stride + (halo.left + map.width + halo.right - 1) * place.pixel_stride +
                  map.channels) {
        for (int row = -halo.top; row < map.height + halo.bottom; ++row)
            for (int column = -halo.left; column < map.width + halo.right; ++column) {
                const bool inside = row >= 0 && row < map.height && column >= 0 && column < map.width;
                for (int channel = 0; !inside && channel < map.channels; ++channel) at(row, column, channel) = 0.0f;
            }
    }

    float* first_pixel() { return floats_.data() + before_; }
    float& at(int row, int column, int channel) { return first_pixel()[row * place_.row_stride + column * place_.pixel_stride + channel]; }

    /// Dense NHWC into the map, and back.
    void write(std::span<const float> values) {
        std::size_t from = 0;
        for_each([&](float& value) { value = values[from++]; });
    }
    std::vector<float> read() {
        std::vector<float> values;
        for_each([&](float& value) { values.push_back(value); });
        return values;
    }
    void forget() {
        for_each([](float& value) { value = untouched(); });
    }

    /// Whether what is not part of the map has the bits that it began with. For maps without a halo.
    bool rest_intact() {
        const std::vector<float> values = read();
        forget();
        bool intact = floats_.guards_intact();
        const int size = (map_.height - 1) * place_.row_stride + (map_.width - 1) * place_.pixel_stride + map_.channels;
        for (int i = 0; i < size; ++i) intact = intact && is_untouched(floats_.data()[i]);
        write(values);
        return intact;
    }

private:
    void for_each(auto visit) {
        for (int row = 0; row < map_.height; ++row)
            for (int column = 0; column < map_.width; ++column)
                for (int channel = 0; channel < map_.channels; ++channel) visit(at(row, column, channel));
    }

    dlas::shape map_;
    dlas::placement place_;
    int before_;
    buffer floats_;
};

/// Seeded numbers, the same from every standard library.
class numbers {
public:
    explicit numbers(unsigned seed) : generator_(seed) {}

    std::vector<float> reals(std::int64_t count, float lowest, float highest) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (float& value : values) value = lowest + (highest - lowest) * static_cast<float>(generator_() >> 8) / 16777216.0f;
        return values;
    }
    /// Multiples of `step` up to `most` of them, of both signs.
    std::vector<float> integers(std::int64_t count, int most, int step = 1) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (float& value : values)
            value = static_cast<float>(step * (static_cast<int>(generator_() % static_cast<unsigned>(2 * most + 1)) - most));
        return values;
    }

private:
    std::mt19937 generator_;
};

/// Bound of the relative error of `roundings` consecutive roundings to nearest: n u / (1 - n u) with u = 2^-24
/// (Higham, Accuracy and Stability of Numerical Algorithms, lemma 3.1).
inline double rounding_bound(int roundings) {
    const double nu = roundings * 0x1p-24;
    return nu / (1 - nu);
}

/// What is wrong with a kernel's result, in words; empty where every element is within its bound.
struct comparison {
    std::string first_wrong;
    int wrong = 0;
    double largest = 0;  ///< error over bound, where the bound is not zero
};
inline comparison compare(std::span<const float> result, std::span<const double> expected, std::span<const double> bounds, dlas::shape map) {
    comparison found;
    for (std::size_t i = 0; i < result.size(); ++i) {
        const double error = std::abs(double{result[i]} - expected[i]);
        if (bounds[i] > 0 && error <= bounds[i]) found.largest = std::max(found.largest, error / bounds[i]);
        if (error <= bounds[i]) continue;  // never true of what is not a number
        if (found.wrong++ > 0) continue;
        const int channel = static_cast<int>(i) % map.channels, pixel = static_cast<int>(i) / map.channels;
        found.first_wrong = "row " + std::to_string(pixel / map.width) + ", column " + std::to_string(pixel % map.width) + ", channel " +
                            std::to_string(channel) + " is " + std::to_string(result[i]) + ", not " + std::to_string(expected[i]) +
                            " +- " + std::to_string(bounds[i]);
    }
    if (found.wrong > 0) found.first_wrong += "; " + std::to_string(found.wrong) + " of " + std::to_string(result.size()) + " are wrong";
    return found;
}

}  // namespace feature_maps
