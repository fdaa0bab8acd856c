// At least the caller's own.
#include <dlas/systems/stack.hpp>

using wrong = dlas::stack<dlas::threads<0>>;
static_assert(!wrong::name.empty());
