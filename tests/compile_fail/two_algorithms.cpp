// A stack has one convolution algorithm.
#include <dlas/systems/stack.hpp>

using wrong = dlas::stack<dlas::direct, dlas::avx2, dlas::im2col>;
static_assert(!wrong::name.empty());
