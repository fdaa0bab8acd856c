// Images with their classes, as every dataset reader hands them out. Datasets & Problem Spaces; hosted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <dlas/core/preprocessing.hpp>
#include <dlas/core/shape.hpp>

namespace dlas {

/// 8-bit images, NHWC without gaps, and the class index of each.
struct labeled_images {
    shape image;
    std::vector<std::uint8_t> pixels;
    std::vector<int> labels;

    int count() const { return static_cast<int>(labels.size()); }

    /// The pixels of image `index`, HWC.
    std::span<const std::uint8_t> operator[](int index) const {
        const auto elements = static_cast<std::size_t>(image.elements());
        return std::span(pixels).subspan(static_cast<std::size_t>(index) * elements, elements);
    }
};

/// Writes the network input of one image: y = pixel * scale + offset, HWC in and out.
/// `input` has as many elements as `pixels`; three channels.
inline void apply(const preprocessing& map, std::span<const std::uint8_t> pixels, std::span<float> input) {
    for (std::size_t i = 0; i < pixels.size(); ++i)
        input[i] = static_cast<float>(pixels[i]) * map.scale[i % 3] + map.offset[i % 3];
}

}  // namespace dlas
