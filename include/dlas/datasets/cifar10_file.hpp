// CIFAR-10's binary files. Datasets & Problem Spaces; hosted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <dlas/core/error.hpp>
#include <dlas/core/file.hpp>
#include <dlas/datasets/labeled_images.hpp>
#include <dlas/datasets/problems.hpp>

namespace dlas {

/// Reads records of 3073 bytes: the label, then 32x32 red, 32x32 green and 32x32 blue bytes. The images come out HWC.
/// Throws dlas::error, naming the file and the record (from 0), when it cannot be read, holds no record or a part of
/// one, or has a label above 9.
inline labeled_images read_cifar10(const std::filesystem::path& file) {
    constexpr std::size_t plane = static_cast<std::size_t>(cifar10::input.pixels());
    constexpr std::size_t channels = static_cast<std::size_t>(cifar10::input.channels);
    constexpr std::size_t record_bytes = 1 + channels * plane;

    const std::vector<std::byte> bytes = read_file(file);
    if (bytes.empty()) throw error(file.string() + ": is empty");
    if (bytes.size() % record_bytes != 0)
        throw error(file.string() + ": " + std::to_string(bytes.size()) + " bytes are not a multiple of a record's " +
                    std::to_string(record_bytes));

    const std::size_t count = bytes.size() / record_bytes;
    labeled_images images{cifar10::input, std::vector<std::uint8_t>(count * channels * plane), std::vector<int>(count)};
    for (std::size_t record = 0; record < count; ++record) {
        const std::byte* const source = bytes.data() + record * record_bytes;
        const int label = std::to_integer<int>(source[0]);
        if (label >= cifar10::classes)
            throw error(file.string() + ": record " + std::to_string(record) + ": label " + std::to_string(label) + " is above 9");
        images.labels[record] = label;

        std::uint8_t* const target = images.pixels.data() + record * channels * plane;
        for (std::size_t channel = 0; channel < channels; ++channel)
            for (std::size_t pixel = 0; pixel < plane; ++pixel)
                target[pixel * channels + channel] = std::to_integer<std::uint8_t>(source[1 + channel * plane + pixel]);
    }
    return images;
}

}  // namespace dlas
