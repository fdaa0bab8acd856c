// print() of board.hpp, the same on every board.
#include "board.hpp"
#include "write.hpp"

namespace board {

namespace {
char line[128];
std::size_t used = 0;
}  // namespace

void flush() {
    line[used] = '\0';
    if (used > 0) write(line, used);
    used = 0;
}

void print(std::string_view text) {
    for (char letter : text) {
        line[used++] = letter;
        if (letter == '\n' || used + 1 == sizeof line) flush();
    }
}

void print(long long number) {
    char digits[20];
    std::size_t first = sizeof digits;
    auto rest = static_cast<unsigned long long>(number);
    if (number < 0) {
        print("-");
        rest = 0 - rest;
    }
    do {
        // Long division by shifts: the library's 64-bit one would be the larger half of a small program.
        std::uint64_t quotient = 0;
        std::uint32_t remainder = 0;
        for (int bit = 63; bit >= 0; --bit) {
            remainder = (remainder << 1) | static_cast<std::uint32_t>((rest >> bit) & 1);
            quotient <<= 1;
            if (remainder >= 10) {
                remainder -= 10;
                quotient |= 1;
            }
        }
        digits[--first] = static_cast<char>('0' + remainder);
        rest = quotient;
    } while (rest != 0);
    print(std::string_view(digits + first, sizeof digits - first));
}

}  // namespace board
