// What a board can do before a network runs on it: print, compute, be counted, and say what the program takes of it.
#include "boards/board.hpp"

#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

namespace {

constexpr int count = 64;
constinit std::int8_t weights[count] = {3, -5, 7, 11};  // its first values come from flash
std::int8_t inputs[count];                              // zero at first
volatile float scale = 0.25f;

std::int32_t dot_product(const std::int8_t* a, const std::int8_t* b) {
    std::int32_t sum = 0;
    for (int i = 0; i < count; ++i) sum += a[i] * b[i];
    return sum;
}

#if defined(__ARM_FEATURE_MVE)
std::int32_t helium_dot_product(const std::int8_t* a, const std::int8_t* b) {
    std::int32_t sum = 0;
    for (int i = 0; i < count; i += 16) sum = vmladavaq_s8(sum, vld1q_s8(a + i), vld1q_s8(b + i));
    return sum;
}
#endif

using dot_product_function = std::int32_t(const std::int8_t*, const std::int8_t*);

/// Stores the sum between the marks: the compiler would be free to compute it elsewhere. Not inlined, so that each call is the same code.
template <dot_product_function* Function>
[[gnu::noinline]] std::int32_t counted() {
    static volatile std::int32_t result;
    board::count_begin();
    result = Function(weights, inputs);
    board::count_end();
    return result;
}

bool check(std::string_view what, bool holds) {
    if (!holds) board::print_line("WRONG: ", what);
    return holds;
}

}  // namespace

int main() {
    board::paint_stack();
    bool right = check("variables start as zero", inputs[0] == 0 && inputs[count - 1] == 0);
    for (int i = 0; i < count; ++i) inputs[i] = static_cast<std::int8_t>(i - 3);

    const std::int32_t expected = 3 * -3 + -5 * -2 + 7 * -1 + 11 * 0;
    board::print_line("board ", board::name(), ", dot product ", expected);
    right &= check("dot product", counted<dot_product>() == expected);
    right &= check("dot product again", counted<dot_product>() == expected);
#if defined(__ARM_FEATURE_MVE)
    right &= check("dot product by Helium", counted<helium_dot_product>() == expected);
    right &= check("dot product by Helium again", counted<helium_dot_product>() == expected);
#endif
    right &= check("floats", static_cast<int>(scale * 10.0f + scale) == 2);

    if (*board::argument() != '\0') {
        std::byte letters[5];
        const auto size = board::read_file(board::argument(), 2, letters);
        right &= check("a part of the host's file", size == 5 && letters[0] == std::byte('W') && letters[4] == std::byte('d'));
    }
    right &= check("no such file", board::read_file("/no/such/file", 0, {}) == -1);

    const board::image_size image = board::image_bytes();
    board::print_line("flash ", image.flash, ", RAM ", image.ram, ", stack ", board::stack_high_water(), " of ", image.stack);
    return right ? 0 : 1;
}
