// A stack that is too small ends the program by a fault that says so, before any variable is written over.
#include "boards/board.hpp"

volatile int deepest = 1000;

// Each call needs the frame of the one before.
[[gnu::noinline]] int deeper(int depth) {
    volatile int frame[16] = {depth};
    return depth < deepest ? deeper(depth + 1) + frame[0] : 0;
}

int main() { return deeper(0); }
