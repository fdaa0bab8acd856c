// Networks scaled by fixed-point numbers, compiled for microcontrollers as a host runs them, and in floats.
#include "fixed_point_networks.hpp"

#include "compile_networks.hpp"

using fixed_point_networks::networks;

template std::span<const dlas::executable* const> compiled_networks<networks, dlas::cortex_m4, 0, 1>();
template std::span<const dlas::executable* const> compiled_networks<networks, dlas::cortex_m55, 0, 1>();
template std::span<const dlas::executable* const> compiled_networks<fixed_point_networks::float_networks, dlas::scalar, 0, 1>();
