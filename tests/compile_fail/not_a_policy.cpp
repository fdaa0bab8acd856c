// What is no policy does not belong into a stack.
#include <dlas/systems/stack.hpp>

using wrong = dlas::stack<dlas::direct, int>;
static_assert(!wrong::name.empty());
