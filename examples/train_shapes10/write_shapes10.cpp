// Writes a set of shapes10 as a file in CIFAR-10's binary format: records of the label, 32x32 red, green and blue bytes.
//     write_shapes10 OUT.bin COUNT SEED
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <dlas/core/error.hpp>
#include <dlas/core/file.hpp>
#include <dlas/datasets/shapes10.hpp>

namespace {

template <class Integer>
Integer parse(std::string_view text, const char* what) {
    Integer value{};
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || rest != text.data() + text.size() || value < 0) throw dlas::error(std::string(what) + " must be a number from 0");
    return value;
}

std::vector<std::byte> to_records(const dlas::labeled_images& images) {
    std::vector<std::byte> records;
    records.reserve(images.pixels.size() + images.labels.size());
    for (int index = 0; index < images.count(); ++index) {
        records.push_back(static_cast<std::byte>(images.labels[static_cast<std::size_t>(index)]));
        const std::span<const std::uint8_t> pixels = images[index];
        for (std::size_t channel = 0; channel < 3; ++channel)
            for (std::size_t i = channel; i < pixels.size(); i += 3) records.push_back(std::byte{pixels[i]});
    }
    return records;
}

}  // namespace

int main(int argument_count, char** arguments) try {
    if (argument_count != 4) throw dlas::error("usage: write_shapes10 OUT.bin COUNT SEED");
    const int count = parse<int>(arguments[2], "COUNT");
    const auto seed = parse<std::uint64_t>(arguments[3], "SEED");
    dlas::write_file(arguments[1], to_records(dlas::make_shapes10(count, seed)));
} catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
}
