// A stack has one number format, even if it is the same one twice.
#include <dlas/systems/stack.hpp>

using wrong = dlas::stack<dlas::f32, dlas::direct, dlas::f32>;
static_assert(!wrong::name.empty());
