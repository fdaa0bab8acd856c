// board.hpp where there is an operating system: the host, and RISC-V Linux.
#include <cstdio>
#include <cstdlib>

#include "board.hpp"
#include "write.hpp"

namespace board {

namespace {

constexpr unsigned char paint = 0xc5;
constexpr std::size_t painted_bytes = 256 * 1024;
const volatile unsigned char* bottom = nullptr;

struct flush_at_end {
    ~flush_at_end() { flush(); }
} at_end;

}  // namespace

std::string_view name() { return DLAS_BOARD_NAME; }

void write(const char* text, std::size_t size) {
    std::fwrite(text, 1, size, stdout);
    std::fflush(stdout);
}

void exit(int status) { std::exit(status); }

const char* argument() {
    static char line[4096];
    std::FILE* file = std::fopen("/proc/self/cmdline", "rb");
    if (file == nullptr) return "";
    const std::size_t size = std::fread(line, 1, sizeof line - 2, file);
    std::fclose(file);
    line[size] = line[size + 1] = '\0';
    const char* end_of_name = line;
    while (*end_of_name != '\0') ++end_of_name;
    return end_of_name + 1;
}

std::ptrdiff_t read_file(const char* path, std::size_t offset, std::span<std::byte> to) {
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return -1;
    std::size_t size = 0;
    if (std::fseek(file, static_cast<long>(offset), SEEK_SET) == 0) size = std::fread(to.data(), 1, to.size(), file);
    std::fclose(file);
    return static_cast<std::ptrdiff_t>(size);
}

// What a function leaves below its caller's frame stays there until another call writes over it.
[[gnu::noinline, gnu::no_sanitize_address]] void paint_stack() {
    volatile unsigned char area[painted_bytes];
    for (std::size_t i = 0; i < painted_bytes; ++i) area[i] = paint;
    asm volatile("" : "=r"(bottom) : "0"(area));
}

[[gnu::noinline, gnu::no_sanitize_address]] std::size_t stack_high_water() {
    if (bottom == nullptr) return 0;
    std::size_t untouched = 0;
    while (untouched < painted_bytes && bottom[untouched] == paint) ++untouched;
    return painted_bytes - untouched;
}

image_size image_bytes() { return {}; }

}  // namespace board
