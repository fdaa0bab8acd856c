// Made-up numbers, the same everywhere: weights and images of tests and benchmarks. Core.
#pragma once

#include <cstdint>

namespace dlas {

/// Uniform numbers from a seed (Steele's SplitMix64), the same on every machine.
class seeded_numbers {
public:
    explicit constexpr seeded_numbers(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t bits() {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }
    /// In [low, high).
    constexpr double between(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }
    /// Mean 0 and the given standard deviation.
    constexpr double centered(double deviation) { return between(-1.7320508075688772 * deviation, 1.7320508075688772 * deviation); }

private:
    std::uint64_t state_;
};

}  // namespace dlas
