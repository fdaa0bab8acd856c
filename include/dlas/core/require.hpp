// Errors of compile-time code. Core.
#pragma once

namespace dlas {

/// Never defined: what calls it is not a constant expression, and the compiler shows the call. (A throw would do the same, but
/// firmware is compiled without exceptions.)
void compile_time_error(const char* message);

/// Stops the constant evaluation where the condition does not hold; the compiler shows the message as the argument of this call.
constexpr void require(bool condition, const char* message) {
    if (!condition) compile_time_error(message);
}

}  // namespace dlas
