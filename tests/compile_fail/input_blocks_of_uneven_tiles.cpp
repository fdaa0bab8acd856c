// Sums that two tiles share cannot be continued.
#include <dlas/systems/conv2d_kernel.hpp>

using wrong = dlas::conv2d_kernel<{.in = {8, 8, 64}, .channels = 4, .kernel = 3, .padding = 1},
                                  dlas::stack<dlas::direct, dlas::schedule<{.tile = {1, 3, 1}, .inputs = 32}>>>;
const auto& kernel = wrong::code;
