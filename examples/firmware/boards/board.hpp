// What a program may ask of the board that it runs on. The same on microcontrollers, on RISC-V Linux and on the host.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace board {

/// As in boards.cmake: the machine's name in qemu, "riscv64" or "host".
std::string_view name();

/// Text waits in a buffer until its line ends or the program does.
void print(std::string_view text);
void print(long long number);

template <class Number>
    requires std::integral<Number> && (!std::same_as<Number, char>)
void print(Number number) {
    print(static_cast<long long>(number));
}

/// print_line("took ", 3, " steps")
template <class... Parts>
void print_line(const Parts&... parts) {
    (print(parts), ...);
    print("\n");
}

/// Ends the program, as the return from main() does; 0 is success.
[[noreturn]] void exit(int status);

/// A file of the host's that the program was started with, or an empty text.
const char* argument();

/// Bytes read from `offset` on, fewer at the file's end; -1 where there is no such file.
std::ptrdiff_t read_file(const char* path, std::size_t offset, std::span<std::byte> to);

/// Fills the unused stack with a pattern. On microcontrollers start-up code has done so; elsewhere main() does where it wants to know.
void paint_stack();

/// Bytes of stack used at most since it was painted: of the whole stack on microcontrollers, below paint_stack()'s caller elsewhere.
std::size_t stack_high_water();

struct image_size {
    std::size_t flash;  ///< code, constants, and the first values of variables
    std::size_t ram;    ///< variables; the stack is not among them
    std::size_t stack;  ///< what the linker has set aside
};

/// From the linker; zeros where an operating system loads the program.
image_size image_bytes();

/// Instructions between these two are counted by count_instructions.c, which knows them by instructions that do nothing and that
/// compilers do not emit. What is computed between them must reach memory, or the compiler may compute it elsewhere.
/// Aligned, since the emulator shows its plugins no instruction in the last four bytes of a page.
inline void count_begin() {
#if defined(__thumb__)
    asm volatile(".balign 8\n\tmov r10, r10" ::: "memory");
#elif defined(__riscv)
    asm volatile("slti zero, zero, 17" ::: "memory");
#else
    asm volatile("" ::: "memory");
#endif
}
inline void count_end() {
#if defined(__thumb__)
    asm volatile(".balign 8\n\tmov r11, r11" ::: "memory");
#elif defined(__riscv)
    asm volatile("slti zero, zero, 18" ::: "memory");
#else
    asm volatile("" ::: "memory");
#endif
}

}  // namespace board
