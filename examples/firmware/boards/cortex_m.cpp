// Start-up, and board.hpp by semihosting: the debugger, or qemu, does what an operating system would.
// Nothing here needs a heap, and main() is all that runs: cortex_m.ld refuses static constructors.
#include <cstring>

#include "board.hpp"
#include "write.hpp"

#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
#define DLAS_STACK_LIMIT  // a register that the stack pointer may not pass
#endif

// Of cortex_m.ld. Sizes are symbols too, whose addresses are the numbers.
extern "C" {
extern std::uint32_t stack_bottom[], stack_top[];
extern std::byte data_begin[], data_end[], data_in_flash[], bss_begin[], bss_end[];
extern const std::byte flash_bytes[], ram_bytes[];
}

int program() asm("main");  // C++ does not let main be called by its name

namespace board {

namespace {

enum class request : std::uintptr_t {
    open = 0x01,
    close = 0x02,
    write0 = 0x04,
    read = 0x06,
    seek = 0x0a,
    get_command_line = 0x15,
    exit_extended = 0x20
};

/// The host reads `arguments`, a word for each; some requests have one argument, which stands in its place.
std::intptr_t ask_host(request what, const void* arguments) {
    register auto r0 asm("r0") = static_cast<std::intptr_t>(what);
    register const void* r1 asm("r1") = arguments;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

std::uintptr_t word(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

std::string_view name() { return DLAS_BOARD_NAME; }

void write(const char* text, std::size_t) { ask_host(request::write0, text); }

void exit(int status) {
    flush();
    const std::uintptr_t arguments[] = {0x20026, static_cast<std::uintptr_t>(status)};  // the application's own end, and its status
    for (;;) ask_host(request::exit_extended, arguments);
}

const char* argument() {
    static char line[256];
    std::uintptr_t arguments[] = {word(line), sizeof line};
    if (ask_host(request::get_command_line, arguments) != 0) return "";
    const char* space = std::strchr(line, ' ');  // behind the program's name
    return space == nullptr ? "" : space + 1;
}

std::ptrdiff_t read_file(const char* path, std::size_t offset, std::span<std::byte> to) {
    const std::uintptr_t name_and_mode[] = {word(path), 1, std::strlen(path)};  // 1: "rb"
    const std::intptr_t file = ask_host(request::open, name_and_mode);
    if (file == -1) return -1;
    const auto handle = static_cast<std::uintptr_t>(file);
    const std::uintptr_t position[] = {handle, offset};
    const std::uintptr_t bytes[] = {handle, word(to.data()), to.size()};
    auto missing = static_cast<std::intptr_t>(to.size());
    if (ask_host(request::seek, position) == 0) missing = ask_host(request::read, bytes);
    ask_host(request::close, &handle);
    return static_cast<std::ptrdiff_t>(to.size()) - missing;
}

// In assembly: a compiler may save registers below the stack pointer that it has read, where this paints.
[[gnu::naked]] void paint_stack() {
    asm volatile(
        "ldr r0, =stack_bottom \n"
        "ldr r1, =0xc5c5c5c5 \n"
        "mov r2, sp \n"
        "b 2f \n"
        "1: stmia r0!, {r1} \n"
        "2: cmp r0, r2 \n"
        "bne 1b \n"
        "bx lr \n");
}

std::size_t stack_high_water() {
    const volatile std::uint32_t* at = stack_bottom;
    while (at != stack_top && *at == 0xc5c5c5c5) ++at;
    return word(stack_top) - reinterpret_cast<std::uintptr_t>(at);
}

image_size image_bytes() { return {word(flash_bytes), word(ram_bytes), word(stack_top) - word(stack_bottom)}; }

}  // namespace board

// Callers are the CPU's exceptions and this file's assembly alone.
extern "C" {

[[noreturn]] void start() {
    board::paint_stack();
    std::memcpy(data_begin, data_in_flash, static_cast<std::size_t>(data_end - data_begin));
    std::memset(bss_begin, 0, static_cast<std::size_t>(bss_end - bss_begin));
    board::exit(program());
}

// The frame of the exception was pushed below the stack, or the CPU has a limit and says that it was met.
[[noreturn]] void report_fault(int exception, const std::uint32_t* stack) {
    bool full = stack <= stack_bottom;
#ifdef DLAS_STACK_LIMIT
    full |= (*reinterpret_cast<const volatile std::uint32_t*>(0xe000ed28) >> 20 & 1) != 0;  // CFSR.STKOF
#endif
    board::print_line("fault: exception ", exception, full ? ", the stack is full" : "");
    board::exit(128 + exception);
}

[[noreturn]] void abort() {
    board::print_line("abort");
    board::exit(134);
}

// libgcc's 64-bit division names the unwinder, which would come in whole.
void __aeabi_unwind_cpp_pr0() {}

[[gnu::naked]] void reset() {
    asm volatile(
#ifdef __ARM_FP
        "ldr r0, =0xe000ed88 \n"  // CPACR: let code use the coprocessors 10 and 11, floats and Helium
        "ldr r1, [r0] \n"
        "orr r1, r1, #0x00f00000 \n"
        "str r1, [r0] \n"
        "dsb \n"
        "isb \n"
#endif
#ifdef DLAS_STACK_LIMIT
        "ldr r0, =stack_bottom \n"
        "msr msplim, r0 \n"
#endif
        "bl start \n");
}

// The stack may be what has failed: the report starts at its top again.
[[gnu::naked]] void fault() {
    asm volatile(
        "mrs r0, ipsr \n"
        "mov r1, sp \n"
        "ldr r2, =stack_top \n"
        "mov sp, r2 \n"
        "bl report_fault \n");
}
}

using handler = void (*)();
struct vector_table {
    std::uint32_t* stack;
    handler reset, exceptions[14];
};

extern "C" [[gnu::section(".vectors"), gnu::used]] constexpr vector_table vectors = {
    stack_top, reset, {fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault}};
