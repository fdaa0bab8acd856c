// ImageNet images that were cropped beforehand, and their labels. Datasets & Problem Spaces; hosted.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <dlas/core/error.hpp>
#include <dlas/core/file.hpp>
#include <dlas/datasets/labeled_images.hpp>
#include <dlas/datasets/problems.hpp>

namespace dlas {

/// Reads a text of one `class_index file_name` per line; the names are not kept. Lines end in LF or CR LF.
/// Throws dlas::error, naming the file and the line (from 1), when a line is not of that form or its class is not 0 to 999.
inline std::vector<int> read_imagenet_labels(const std::filesystem::path& file) {
    const std::vector<std::byte> bytes = read_file(file);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());

    std::vector<int> labels;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);

        const std::string where = file.string() + ": line " + std::to_string(labels.size() + 1) + ": ";
        const char* const line_end = line.data() + line.size();
        int label = 0;
        const auto [rest, failure] = std::from_chars(line.data(), line_end, label);
        const bool is_number = failure != std::errc::invalid_argument;
        if (!is_number || line_end - rest < 2 || *rest != ' ') throw error(where + "expected `class_index file_name`");
        if (failure != std::errc{} || label < 0 || label >= imagenet::classes)
            throw error(where + "class " + std::string(line.data(), rest) + " is not 0 to " + std::to_string(imagenet::classes - 1));
        labels.push_back(label);
    }
    return labels;
}

/// Reads 224x224 RGB images, HWC bytes one after another, and their labels from the text file beside it: `set.bin` goes
/// with `set.labels.txt`. Throws dlas::error, naming the file, when either cannot be read, there is no image or a part
/// of one, the two counts differ, or read_imagenet_labels() throws.
inline labeled_images read_imagenet(const std::filesystem::path& file) {
    constexpr std::size_t image_bytes = static_cast<std::size_t>(imagenet::input.elements());

    const std::vector<std::byte> bytes = read_file(file);
    if (bytes.empty()) throw error(file.string() + ": is empty");
    if (bytes.size() % image_bytes != 0)
        throw error(file.string() + ": " + std::to_string(bytes.size()) + " bytes are not a multiple of an image's " + std::to_string(image_bytes));

    const std::filesystem::path labels_file = std::filesystem::path(file).replace_extension(".labels.txt");
    labeled_images images{imagenet::input, std::vector<std::uint8_t>(bytes.size()), read_imagenet_labels(labels_file)};
    const std::size_t count = bytes.size() / image_bytes;
    if (images.labels.size() != count)
        throw error(labels_file.string() + ": " + std::to_string(images.labels.size()) + " lines for the " + std::to_string(count) +
                    " images of " + file.string());

    std::ranges::transform(bytes, images.pixels.begin(), [](std::byte value) { return std::to_integer<std::uint8_t>(value); });
    return images;
}

}  // namespace dlas
