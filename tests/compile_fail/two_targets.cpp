// A stack has one target.
#include <dlas/systems/stack.hpp>

using wrong = dlas::stack<dlas::avx2, dlas::direct, dlas::avx512>;
static_assert(!wrong::name.empty());
