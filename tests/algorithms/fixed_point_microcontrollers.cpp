// The tested kernels of fixed-point scaling for microcontrollers, in the plain C++ that stands for their instructions on a host.
// Cortex-M4's and Cortex-M55's have half of the cases each, for a layer is there once for each scaling; what differs from them or from plain
// C++ in nothing but its name is tested less.
#include "fixed_point.hpp"

#include <dlas/hardware/targets.hpp>

namespace fixed_point {

template <>
const kernels& compiled_kernels<dlas::cortex_m0>() {
    return compilation<dlas::cortex_m0, 9>::all;
}
template <>
const kernels& compiled_kernels<dlas::cortex_m3>() {
    return compilation<dlas::cortex_m3, 8>::all;
}
template <>
const kernels& compiled_kernels<dlas::cortex_m4>() {
    return compilation<dlas::cortex_m4, 2>::all;
}
template <>
const kernels& compiled_kernels<dlas::cortex_m7>() {
    return compilation<dlas::cortex_m7, 9>::all;
}
template <>
const kernels& compiled_kernels<dlas::cortex_m33>() {
    return compilation<dlas::cortex_m33, 8>::all;
}
template <>
const kernels& compiled_kernels<dlas::cortex_m55>() {
    return compilation<dlas::cortex_m55, 2, 1>::all;
}

}  // namespace fixed_point
