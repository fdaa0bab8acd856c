// A list of bounded length for compile-time passes. Core.
#pragma once

#include <dlas/core/require.hpp>

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
        require(count < Capacity, "[dlas] a compile-time list is full");
        elements[count] = element;
        return elements[count++];
    }
};

/// A list that grows without a bound, for constant evaluation alone: the compiler's memory, never a program's.
template <class T>
class growing_list {
public:
    constexpr growing_list() = default;
    growing_list(const growing_list&) = delete;
    growing_list& operator=(const growing_list&) = delete;
    constexpr ~growing_list() { delete[] elements_; }

    constexpr int size() const { return count_; }
    constexpr T& operator[](int index) { return elements_[index]; }
    constexpr const T& operator[](int index) const { return elements_[index]; }
    constexpr const T* begin() const { return elements_; }
    constexpr const T* end() const { return elements_ + count_; }

    constexpr void push(const T& element) {
        if (count_ == capacity_) {
            capacity_ = capacity_ == 0 ? 64 : 2 * capacity_;
            T* larger = new T[static_cast<unsigned>(capacity_)];
            for (int i = 0; i < count_; ++i) larger[i] = elements_[i];
            delete[] elements_;
            elements_ = larger;
        }
        elements_[count_++] = element;
    }

private:
    T* elements_ = nullptr;
    int count_ = 0;
    int capacity_ = 0;
};

}  // namespace dlas
