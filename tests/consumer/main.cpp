// A user's program: one network through the installed headers.
#include <cstdlib>

#include <dlas/dlas.hpp>

using network = dlas::network<dlas::resnet8<dlas::cifar10>, dlas::stack<dlas::direct>>;

alignas(64) static std::byte weights_of_zeros[network::weight_bytes];
alignas(64) static std::byte memory[network::arena_bytes];

int main() {
    static const float pixels[32 * 32 * 3] = {};
    const auto logits = network(weights_of_zeros, memory)(pixels);
    return logits.size() == 10 && logits[0] == 0.0f ? EXIT_SUCCESS : EXIT_FAILURE;
}
