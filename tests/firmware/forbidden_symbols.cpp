// All that cmake/check_firmware_symbols.cmake must find; it is compiled and never linked.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>

struct base {
    virtual ~base() = default;
};
struct derived : base {
    int* numbers = new int[8];
};

int made_once(int argument) {
    static int value = std::rand() + argument;
    return value;
}

float use_all(base* object, float x) {
    if (auto* found = dynamic_cast<derived*>(object)) x += static_cast<float>(*found->numbers);
    std::printf("%d\n", made_once(1));
    std::cout << "text";
    void* bytes = std::malloc(static_cast<std::size_t>(x));
    std::free(bytes);
    delete new derived;
    if (x < 0) throw 1;
    return std::exp(x);
}
