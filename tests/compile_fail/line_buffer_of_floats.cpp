// An algorithm that computes in integers alone says so.
#include <dlas/systems/conv2d_kernel.hpp>

using wrong = dlas::conv2d_kernel<{.in = {8, 8, 4}, .channels = 4, .kernel = 3, .padding = 1}, dlas::stack<dlas::f32, dlas::line_buffer>>;
const dlas::conv2d_executable& code = wrong::code;
