// Bit widths without kernels are refused by name, not run as others.
#include <dlas/systems/conv2d_kernel.hpp>

using wrong = dlas::conv2d_kernel<{.in = {8, 8, 4}, .channels = 4}, dlas::stack<dlas::quantized<9, 8>>>;
const dlas::conv2d_executable& code = wrong::code;
