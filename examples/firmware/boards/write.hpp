// Between print.cpp and what a board is printed with.
#pragma once

#include <cstddef>

namespace board {

/// Writes a text now; a zero stands behind it.
void write(const char* text, std::size_t size);

/// Writes what print() still holds.
void flush();

}  // namespace board
