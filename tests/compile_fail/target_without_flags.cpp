// A unit must be compiled with the flags of the targets that it names.
#include <dlas/systems/conv2d_kernel.hpp>

using wrong = dlas::conv2d_kernel<{.in = {8, 8, 4}, .channels = 4, .kernel = 3, .padding = 1}, dlas::stack<dlas::avx512, dlas::direct>>;
const dlas::conv2d_executable& code = wrong::code;
