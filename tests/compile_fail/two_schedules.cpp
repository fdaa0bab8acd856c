// One schedule for a stack.
#include <dlas/systems/stack.hpp>

using wrong = dlas::stack<dlas::untuned, dlas::schedule<{.pixels = 56}>>;
static_assert(!wrong::name.empty());
