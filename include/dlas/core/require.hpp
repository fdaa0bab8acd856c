// Errors of compile-time code. Core.
#pragma once

namespace dlas {

/// Never defined: what calls it is not a constant expression, and the compiler shows the call. (A throw would do the same, but
/// firmware is compiled without exceptions.)
void compile_time_error(const char* message);

/// Stops the constant evaluation where the condition does not hold; the compiler shows the message as the argument of this call.
/// Where the same code runs in a program it stops the program.
constexpr void require(bool condition, const char* message) {
    if (condition) return;
    if (__builtin_is_constant_evaluated()) compile_time_error(message);
    __builtin_trap();
}

}  // namespace dlas
