// The family of targets. Hardware: a new one is its header and one line in each list below.
#pragma once

#include <dlas/core/policy.hpp>
#include <dlas/hardware/amx.hpp>
#include <dlas/hardware/avx2.hpp>
#include <dlas/hardware/avx512.hpp>
#include <dlas/hardware/avx512_bf16.hpp>
#include <dlas/hardware/avx512_fp16.hpp>
#include <dlas/hardware/avx512_vnni.hpp>
#include <dlas/hardware/avx_vnni.hpp>
#include <dlas/hardware/cortex_m.hpp>
#include <dlas/hardware/neon.hpp>
#include <dlas/hardware/neon_dot.hpp>
#include <dlas/hardware/neon_fp16.hpp>
#include <dlas/hardware/scalar.hpp>
#include <dlas/hardware/sse42.hpp>

namespace dlas {

/// Every target, the least capable first.
using targets = policy_list<scalar, sse42, avx2, avx_vnni, avx512, avx512_vnni, avx512_bf16, avx512_fp16, amx, neon, neon_dot, neon_fp16>;

/// Those whose code runs, slowly, on every CPU that it is compiled for.
using microcontrollers = policy_list<cortex_m0, cortex_m3, cortex_m4, cortex_m7, cortex_m33, cortex_m55>;

}  // namespace dlas
