// Short text that exists at compile time: names of layers and tensors, labels of points.
#pragma once

#include <string_view>

#include <dlas/core/require.hpp>

namespace dlas {

/// Text of bounded length held by value, so that a constexpr value can own it.
template <int Capacity>
struct text {
    char characters[Capacity + 1] = {};
    int length = 0;

    constexpr text() = default;
    constexpr text(const char* terminated) {  // NOLINT: names are written as literals
        append(std::string_view(terminated));
    }
    constexpr text(std::string_view view) { append(view); }  // NOLINT

    constexpr void append(std::string_view more) {
        for (char c : more) {
            require(length < Capacity, "[dlas] a name or label is longer than its bound");
            characters[length++] = c;
        }
    }
    constexpr void append(int number) {
        if (number < 0) {
            append("-");
            number = -number;
        }
        if (number >= 10) append(number / 10);
        const char digit = static_cast<char>('0' + number % 10);
        append(std::string_view(&digit, 1));
    }

    constexpr std::string_view view() const { return {characters, static_cast<std::size_t>(length)}; }
    constexpr operator std::string_view() const { return view(); }
    constexpr bool operator==(const text& other) const { return view() == other.view(); }
};

/// Name of a layer as PyTorch's state_dict spells it: "layer1.0.conv1".
using layer_name = text<96>;

/// Joins two parts of a layer's name with a dot: layer_name("layer1") / 0 / "conv1".
constexpr layer_name operator/(layer_name scope, std::string_view part) {
    if (scope.length > 0 && !part.empty()) scope.append(".");
    scope.append(part);
    return scope;
}
constexpr layer_name operator/(layer_name scope, int part) {
    if (scope.length > 0) scope.append(".");
    scope.append(part);
    return scope;
}

}  // namespace dlas
