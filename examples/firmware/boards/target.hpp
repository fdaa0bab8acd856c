// The target that a board's program is compiled for.
#pragma once

#include <dlas/hardware/cortex_m.hpp>

namespace board {

#if defined(__ARM_FEATURE_MVE)
using target = dlas::cortex_m55;
#elif defined(__ARM_FEATURE_DSP) && defined(__arm__)
using target = dlas::cortex_m4;  // Cortex-M7 and M33 have its instructions
#elif defined(__ARM_ARCH_7M__)
using target = dlas::cortex_m3;
#elif defined(__ARM_ARCH_6M__)
using target = dlas::cortex_m0;
#else
using target = dlas::scalar;
#endif

}  // namespace board
