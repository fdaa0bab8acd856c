// A schedule that the target's registers cannot hold.
#include <dlas/systems/conv2d_kernel.hpp>

using wrong = dlas::conv2d_kernel<{.in = {8, 8, 4}, .channels = 16, .kernel = 3, .padding = 1}, dlas::stack<dlas::direct, dlas::schedule<{.tile = {1, 8, 4}}>>>;
const auto& kernel = wrong::code;
