// The reason why an algorithm cannot run a layer reaches the one who asked for it.
#include <dlas/systems/conv2d_kernel.hpp>

using wrong = dlas::conv2d_kernel<{.in = {8, 8, 4}, .channels = 4, .kernel = 3, .stride = 2, .padding = 1}, dlas::stack<dlas::winograd<4>>>;
const dlas::conv2d_executable& code = wrong::code;
