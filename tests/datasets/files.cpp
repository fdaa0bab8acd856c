// CIFAR-10, ImageNet and Speech Commands files: the order of the pixels, and what is refused by which message.
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/imagenet_file.hpp>
#include <dlas/datasets/speech_commands_file.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../scratch_directory.hpp"

namespace {

void write_text(const std::filesystem::path& file, std::string_view text) { dlas::write_file(file, std::as_bytes(std::span(text))); }

/// What `read` throws; empty when it does not.
template <class Read>
std::string complaint(Read read) {
    try {
        read();
        return "";
    } catch (const dlas::error& error) {
        return error.what();
    }
}

void check_message(const std::string& message, std::initializer_list<std::string> parts) {
    CAPTURE(message);
    for (const std::string& part : parts) {
        CAPTURE(part);
        CHECK(message.find(part) != std::string::npos);
    }
}

std::optional<std::filesystem::path> real_data() {
    const char* const directory = std::getenv("DLAS_DATA");
    if (directory == nullptr || !std::filesystem::is_directory(directory)) {
        MESSAGE("skipped: DLAS_DATA does not name a directory with data/");
        return {};
    }
    return std::filesystem::path(directory) / "data";
}

}  // namespace

TEST_CASE("file: what is written is read, and faults name the file") {
    const scratch_directory scratch("dlas_file");
    const auto file = scratch.path / "a file";
    std::string bytes(70'000, 'x');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 & 127);
    write_text(file, bytes);
    CHECK(std::ranges::equal(dlas::read_file(file), std::as_bytes(std::span(bytes))));
    write_text(file, "");
    CHECK(dlas::read_file(file).empty());

    const auto missing = scratch.path / "missing";
    CHECK(complaint([&] { dlas::read_file(missing); }) == missing.string() + ": no such file");
    CHECK(complaint([&] { dlas::read_file(scratch.path); }) == scratch.path.string() + ": is a directory, not a file");
    CHECK(complaint([&] { write_text(scratch.path, "x"); }) == scratch.path.string() + ": cannot be opened for writing");
}

TEST_CASE("cifar10: planes become pixels") {
    const scratch_directory scratch("dlas_cifar10");
    const auto file = scratch.path / "batch.bin";
    const auto value = [](int record, int channel, int pixel) { return static_cast<std::uint8_t>(record * 101 + channel * 53 + pixel * 7); };
    std::string bytes;
    for (int record = 0; record < 3; ++record) {
        bytes += static_cast<char>(9 - record);
        for (int channel = 0; channel < 3; ++channel)
            for (int pixel = 0; pixel < 1024; ++pixel) bytes += static_cast<char>(value(record, channel, pixel));
    }
    write_text(file, bytes);

    const dlas::labeled_images images = dlas::read_cifar10(file);
    CHECK(images.image == dlas::shape{32, 32, 3});
    CHECK(images.labels == std::vector<int>{9, 8, 7});
    REQUIRE(images.pixels.size() == 3u * 3072u);
    int wrong = 0;
    for (int record = 0; record < 3; ++record)
        for (int pixel = 0; pixel < 1024; ++pixel)
            for (int channel = 0; channel < 3; ++channel) wrong += images[record][static_cast<std::size_t>(pixel * 3 + channel)] != value(record, channel, pixel);
    CHECK(wrong == 0);
}

TEST_CASE("cifar10: bad files are named") {
    const scratch_directory scratch("dlas_cifar10_bad");
    const auto file = scratch.path / "batch.bin";
    const auto read = [&] { return complaint([&] { dlas::read_cifar10(file); }); };
    check_message(read(), {file.string(), "no such file"});
    write_text(file, "");
    check_message(read(), {file.string(), "is empty"});
    write_text(file, std::string(3072, '\0'));
    check_message(read(), {file.string(), "3072 bytes are not a multiple of a record's 3073"});
    write_text(file, std::string(3074, '\0'));
    check_message(read(), {file.string(), "3074 bytes"});

    std::string records(3 * 3073, '\0');
    write_text(file, records);
    CHECK(read().empty());
    records[2 * 3073] = 10;
    write_text(file, records);
    check_message(read(), {file.string(), "record 2", "label 10"});
    records[3073] = '\xff';
    write_text(file, records);
    check_message(read(), {file.string(), "record 1", "label 255"});
}

TEST_CASE("speech commands: integers become bytes, bad files are named") {
    const scratch_directory scratch("dlas_speech_commands");
    const auto file = scratch.path / "features.bin";
    const auto read = [&] { return complaint([&] { dlas::read_speech_commands(file); }); };
    std::string bytes(2 * 491, '\0');
    bytes[0] = 11;
    bytes[1] = static_cast<char>(-128);
    bytes[2] = 83;
    bytes[490] = 127;
    write_text(file, bytes);
    const dlas::labeled_images features = dlas::read_speech_commands(file);
    CHECK(features.image == dlas::shape{49, 10, 1});
    CHECK(features.labels == std::vector<int>{11, 0});
    REQUIRE(features[0].size() == 490);
    CHECK(features[0][0] == 0);
    CHECK(features[0][1] == 211);
    CHECK(features[0][2] == 128);
    CHECK(features[0][489] == 255);

    bytes[491] = 12;
    write_text(file, bytes);
    check_message(read(), {file.string(), "record 1", "label 12"});
    write_text(file, std::string(490, '\0'));
    check_message(read(), {file.string(), "490 bytes are not a multiple of a record's 491"});
    write_text(file, "");
    check_message(read(), {file.string(), "is empty"});
}

TEST_CASE("imagenet: images and their labels") {
    const scratch_directory scratch("dlas_imagenet");
    const auto file = scratch.path / "set.v1.bin";
    std::string bytes(2 * 224 * 224 * 3, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(static_cast<unsigned char>(i % 251));
    write_text(file, bytes);
    for (const char* text : {"0 a.jpg\n999 b c.jpg\n", "0 a.jpg\n999 b.jpg", "0 a.jpg\r\n999 b.jpg\r\n"}) {
        write_text(scratch.path / "set.v1.labels.txt", text);
        const dlas::labeled_images images = dlas::read_imagenet(file);
        CHECK(images.image == dlas::shape{224, 224, 3});
        CHECK(images.labels == std::vector<int>{0, 999});
        CHECK(std::ranges::equal(images.pixels, bytes, {}, {}, [](char c) { return static_cast<std::uint8_t>(c); }));
    }
}

TEST_CASE("imagenet: bad files and lines are named") {
    const scratch_directory scratch("dlas_imagenet_bad");
    const auto file = scratch.path / "set.bin";
    const auto labels = scratch.path / "set.labels.txt";
    const auto read = [&] { return complaint([&] { dlas::read_imagenet(file); }); };
    const std::string image(224 * 224 * 3, '\x7f');

    check_message(read(), {file.string(), "no such file"});
    write_text(file, "");
    check_message(read(), {file.string(), "is empty"});
    write_text(file, image + "x");
    check_message(read(), {file.string(), "150529 bytes are not a multiple of an image's 150528"});
    write_text(file, image + image);
    check_message(read(), {labels.string(), "no such file"});

    const auto with_labels = [&](std::string_view text) {
        write_text(labels, text);
        return read();
    };
    CHECK(with_labels("1 a\n2 b\n").empty());
    check_message(with_labels(""), {labels.string(), "0 lines for the 2 images", file.string()});
    check_message(with_labels("1 a\n"), {labels.string(), "1 lines for the 2 images", file.string()});
    check_message(with_labels("1 a\n2 b\n3 c\n"), {labels.string(), "3 lines for the 2 images"});
    for (const char* line : {"", "x", "x b", "2", "2 ", "2b", "2\tb", " 2 b", "+2 b", "-", "2.5 b", "\r"}) {
        CAPTURE(line);
        check_message(with_labels("1 a\n" + std::string(line) + "\n"), {labels.string(), "line 2", "class_index file_name"});
    }
    for (const char* number : {"1000", "-1", "99999999999999999999"}) {
        CAPTURE(number);
        check_message(with_labels(std::string(number) + " a\n2 b\n"), {labels.string(), "line 1", "class " + std::string(number) + " is not 0 to 999"});
    }
}

TEST_CASE("cifar10: the real test images") {
    const auto data = real_data();
    if (!data) return;
    const dlas::labeled_images images = dlas::read_cifar10(*data / "cifar10_test_dev1000.bin");
    CHECK(images.count() == 1000);
    std::vector<int> per_class(10);
    for (const int label : images.labels) ++per_class[static_cast<std::size_t>(label)];
    for (const int count : per_class) CHECK(count > 0);
}

TEST_CASE("speech commands: the real features") {
    const auto data = real_data();
    if (!data) return;
    const dlas::labeled_images features = dlas::read_speech_commands(*data / "kws01_dev500.bin");
    CHECK(features.count() == 500);
    std::vector<int> per_class(12);
    for (const int label : features.labels) ++per_class[static_cast<std::size_t>(label)];
    for (const int count : per_class) CHECK(count > 0);
}

TEST_CASE("imagenet: the real validation images") {
    const auto data = real_data();
    if (!data) return;
    const dlas::labeled_images images = dlas::read_imagenet(*data / "imagenet_val100_224_rgb_u8.bin");
    CHECK(images.count() == 100);
    CHECK(images[99].size() == 150528);
    CHECK(images.labels.front() == 388);
}
