// Running the compiler from a benchmark, and a place for what it makes.
#pragma once

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// A folder that goes when the program does.
struct scratch_folder {
    std::filesystem::path path;
    explicit scratch_folder(const std::string& name) : path(std::filesystem::temp_directory_path() / (name + "_" + std::to_string(getpid()))) {
        std::filesystem::create_directory(path);
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() { std::filesystem::remove_all(path); }
};

/// Runs a command, given as words separated by spaces, then as arguments; on some CPUs alone where `cpus` is given. Returns what it used,
/// its children included. Throws std::runtime_error, naming the subject, where it fails.
inline rusage run_compiler(const std::string& command, const std::vector<std::string>& more, const std::string& subject, const cpu_set_t* cpus = nullptr) {
    std::istringstream stream(command);
    std::vector<std::string> words(std::istream_iterator<std::string>(stream), {});
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    const pid_t child = fork();
    if (child == 0) {
        if (cpus != nullptr) sched_setaffinity(0, sizeof *cpus, cpus);
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    int status = 0;
    rusage usage{};
    // The driver's own children count into its usage once it has waited for them.
    if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0) throw std::runtime_error("cannot compile " + subject);
    return usage;
}
