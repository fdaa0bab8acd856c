// An algorithm without kernels for fixed-point numbers says so, and which has them.
#include <dlas/systems/conv2d_kernel.hpp>

using wrong = dlas::conv2d_kernel<{.in = {8, 8, 4}, .channels = 4, .kernel = 3, .padding = 1}, dlas::stack<dlas::int8_fixed, dlas::winograd<4>>>;
const dlas::conv2d_executable& code = wrong::code;
