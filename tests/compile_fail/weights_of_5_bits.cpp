// Bit widths of weights without kernels are refused by name.
#include <dlas/systems/stack.hpp>

constexpr auto name = dlas::stack<dlas::scaled_weights<5>, dlas::scalar>::name;
