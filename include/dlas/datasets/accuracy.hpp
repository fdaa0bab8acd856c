// Which class won, and how often it was the right one. Datasets & Problem Spaces; free of any I/O.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dlas {

/// The index of the largest value: the first of equals. A NaN never wins; -1 when there is nothing else.
constexpr int argmax(std::span<const float> values) {
    int best = -1;
    for (std::size_t i = 0; i < values.size(); ++i) {
        // -inf also wins against nothing; the comparison of a NaN with itself is false.
        const bool wins = best < 0 ? values[i] == values[i] : values[i] > values[static_cast<std::size_t>(best)];
        if (wins) best = static_cast<int>(i);
    }
    return best;
}

constexpr int argmax(std::span<const std::int8_t> values) {
    int best = -1;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (best < 0 || values[i] > values[static_cast<std::size_t>(best)]) best = static_cast<int>(i);
    return best;
}

/// How many of the images got their label as the first guess.
struct top1 {
    int correct = 0;
    int total = 0;

    constexpr bool operator==(const top1&) const = default;
    constexpr double percent() const { return total == 0 ? 0.0 : 100.0 * correct / total; }
};

/// Counts the images whose argmax is their label. `logits(index)` gives the logits of image `index`, as anything that a
/// span of const float can view; a temporary will do.
template <class Logits>
    requires requires(Logits& logits, int index) {
        { argmax(logits(index)) } -> std::same_as<int>;
    }
constexpr top1 count_top1(std::span<const int> labels, Logits&& logits) {
    top1 result;
    for (const int label : labels) {
        result.correct += argmax(logits(result.total)) == label;
        ++result.total;
    }
    return result;
}

}  // namespace dlas
