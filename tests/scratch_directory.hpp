// A place for the files that a test makes.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <system_error>

/// A directory of its own for one test, removed at its end.
struct scratch_directory {
    std::filesystem::path path;

    explicit scratch_directory(const std::string& name) : path(std::filesystem::temp_directory_path() / (name + "_" + std::to_string(std::random_device{}()))) {
        std::filesystem::create_directories(path);
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};
