// Only the transforms that exist can be named.
#include <dlas/systems/stack.hpp>

using wrong = dlas::stack<dlas::winograd<3>>;
static_assert(!wrong::name.empty());
