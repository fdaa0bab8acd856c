// A feature map of integers or reals in memory that notices what a kernel does beyond its share. For the kernels' tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include <dlas/algorithms/kernel.hpp>

/// A feature map in exactly the bytes that a kernel may touch. What is not the map's has a pattern; so has a halo that is not written.
class byte_map {
public:
    byte_map(dlas::shape map, dlas::border halo, dlas::placement place, int beyond)
        : map_(map), place_(place), bytes_(dlas::element_bytes(place.type)),
          before_((halo.top * place.row_stride + halo.left * place.pixel_stride) * bytes_),
          size_(((halo.top + map.height + halo.bottom - 1) * place.row_stride + (halo.left + map.width + halo.right - 1) * place.pixel_stride + map.channels) *
                    bytes_ + beyond),
          memory_(new std::byte[static_cast<std::size_t>(size_)]) {
        std::memset(memory_.get(), pattern, static_cast<std::size_t>(size_));
        halo_ = halo;
    }

    std::byte* first_pixel() { return memory_.get() + before_; }
    std::byte* at(int row, int column, int channel) {
        return first_pixel() + (row * place_.row_stride + column * place_.pixel_stride + channel) * bytes_;
    }
    void fill_halo(int stored) {
        for (int row = -halo_.top; row < map_.height + halo_.bottom; ++row)
            for (int column = -halo_.left; column < map_.width + halo_.right; ++column)
                std::memset(at(row, column, 0), stored, static_cast<std::size_t>(map_.channels * bytes_));
    }
    template <class Integer>
    void write(const std::vector<Integer>& values, int offset) {
        std::size_t i = 0;
        for_each([&](std::byte* to) {
            const auto stored = static_cast<Integer>(values[i++] + offset);
            std::memcpy(to, &stored, sizeof stored);
        });
    }
    template <class Element>
    std::vector<Element> read() {
        std::vector<Element> values;
        for_each([&](std::byte* from) {
            Element value;
            std::memcpy(&value, from, sizeof value);
            values.push_back(value);
        });
        return values;
    }
    /// Forgets the map; whether all else is as it was.
    bool rest_intact() {
        for_each([&](std::byte* to) { std::memset(to, pattern, static_cast<std::size_t>(bytes_)); });
        bool intact = true;
        for (int i = 0; i < size_; ++i) intact = intact && memory_[static_cast<std::size_t>(i)] == std::byte{pattern};
        return intact;
    }

private:
    static constexpr unsigned char pattern = 0xa5;
    void for_each(auto visit) {
        for (int row = 0; row < map_.height; ++row)
            for (int column = 0; column < map_.width; ++column)
                for (int channel = 0; channel < map_.channels; ++channel) visit(at(row, column, channel));
    }

    dlas::shape map_;
    dlas::placement place_;
    dlas::border halo_;
    int bytes_, before_, size_;
    std::unique_ptr<std::byte[]> memory_;
};
