// Spectral features of spoken keywords, as MLPerf Tiny hands them out. Datasets & Problem Spaces; hosted.
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

/// Reads records of 491 bytes: the label, then 49 frames of ten 8-bit integers. They come out as bytes, 128 added to each.
/// Throws dlas::error, naming the file and the record (from 0), when it cannot be read, holds no record or a part of
/// one, or has a label above 11.
inline labeled_images read_speech_commands(const std::filesystem::path& file) {
    constexpr std::size_t elements = static_cast<std::size_t>(speech_commands::input.elements());
    constexpr std::size_t record_bytes = 1 + elements;

    const std::vector<std::byte> bytes = read_file(file);
    if (bytes.empty()) throw error(file.string() + ": is empty");
    if (bytes.size() % record_bytes != 0)
        throw error(file.string() + ": " + std::to_string(bytes.size()) + " bytes are not a multiple of a record's " + std::to_string(record_bytes));

    const std::size_t count = bytes.size() / record_bytes;
    labeled_images features{speech_commands::input, std::vector<std::uint8_t>(count * elements), std::vector<int>(count)};
    for (std::size_t record = 0; record < count; ++record) {
        const std::byte* const source = bytes.data() + record * record_bytes;
        const int label = std::to_integer<int>(source[0]);
        if (label >= speech_commands::classes)
            throw error(file.string() + ": record " + std::to_string(record) + ": label " + std::to_string(label) + " is above 11");
        features.labels[record] = label;
        // Flipping the sign bit adds 128.
        for (std::size_t i = 0; i < elements; ++i)
            features.pixels[record * elements + i] = std::to_integer<std::uint8_t>(source[1 + i] ^ std::byte{0x80});
    }
    return features;
}

}  // namespace dlas
