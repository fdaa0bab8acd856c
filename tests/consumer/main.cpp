#include <dlas/core/shape.hpp>

int main() { return 0; }
