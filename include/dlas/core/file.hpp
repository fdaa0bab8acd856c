// Whole files in and out of memory, with errors that name the file. Core; hosted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <dlas/core/error.hpp>

namespace dlas {

/// All bytes of a file. Throws dlas::error, naming the file, when it is missing, a directory, or cannot be read to its end.
inline std::vector<std::byte> read_file(const std::filesystem::path& file) {
    std::error_code status;
    if (!std::filesystem::exists(file, status)) throw error(file.string() + ": " + (status ? status.message() : "no such file"));
    // A directory can be opened as a stream, and then fails without a reason.
    if (std::filesystem::is_directory(file, status)) throw error(file.string() + ": is a directory, not a file");

    std::ifstream stream(file, std::ios::binary | std::ios::ate);
    if (!stream) throw error(file.string() + ": cannot be opened for reading");
    const std::streamoff size = stream.tellg();
    if (size < 0) throw error(file.string() + ": has no size, so it cannot be read as a file");

    std::vector<std::byte> bytes(static_cast<std::size_t>(size));
    stream.seekg(0);
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (!stream || stream.gcount() != size)
        throw error(file.string() + ": only " + std::to_string(stream.gcount()) + " of " + std::to_string(size) + " bytes could be read");
    return bytes;
}

/// Writes a file, replacing what it held. Throws dlas::error, naming the file, when not every byte could be written.
inline void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    if (!stream) throw error(file.string() + ": cannot be opened for writing");
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    stream.close();  // A full disk may show only here.
    if (!stream) throw error(file.string() + ": could not be written");
}

}  // namespace dlas
