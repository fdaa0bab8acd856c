// The entry point that all test programs share.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

int main(int argc, char** argv) {
    // Tests of real data are skipped, visibly, where there is none. 77 is what CTest takes for "skipped".
    const char* data = std::getenv("DLAS_DATA");
    if (std::getenv("DLAS_NEEDS_DATA") != nullptr && (data == nullptr || !std::filesystem::is_directory(data))) {
        std::printf("[dlas] skipped: no data in DLAS_DATA (%s)\n", data == nullptr ? "not set" : data);
        return 77;
    }
    return doctest::Context(argc, argv).run();
}
