// A list of bounded length for compile-time passes. Core.
#pragma once

namespace dlas {

/// Elements in place, at most `Capacity`; growing past it stops the constant evaluation.
template <class T, int Capacity>
struct list {
    T elements[Capacity > 0 ? Capacity : 1] = {};
    int count = 0;

    constexpr int size() const { return count; }
    constexpr bool empty() const { return count == 0; }
    constexpr T& operator[](int index) { return elements[index]; }
    constexpr const T& operator[](int index) const { return elements[index]; }
    constexpr T& back() { return elements[count - 1]; }
    constexpr T* begin() { return elements; }
    constexpr T* end() { return elements + count; }
    constexpr const T* begin() const { return elements; }
    constexpr const T* end() const { return elements + count; }

    constexpr T& push(const T& element) {
        if (count == Capacity) throw "[dlas] a compile-time list is full: the network is larger than the bound in models/graph.hpp";
        elements[count] = element;
        return elements[count++];
    }
};

}  // namespace dlas
