// AMX: products of small matrices of bytes or bf16, beside AVX-512. Hardware.
#pragma once

#include <dlas/hardware/avx512_bf16.hpp>
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace dlas {

/// AMX-INT8 and AMX-BF16 (Sapphire Rapids and later). Linux lends the tiles to processes that ask for them.
struct amx : avx512_bf16 {
    static constexpr std::string_view name = "amx";
    static constexpr std::string_view compile_flags = "-mamx-tile -mamx-int8 -mamx-bf16 -mavx512bf16 -mavx512vpopcntdq -mavx512vnni -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c";
    static constexpr int l1_bytes = 48 * 1024;
    static constexpr int l2_bytes = 2 * 1024 * 1024;
    static constexpr int near_bytes = l2_bytes;
    static constexpr int dots_at_once = 16;

    static bool available() { return unavailable_because().empty(); }

#if defined(__x86_64__) && defined(__linux__)
    /// Why code for AMX cannot run; empty where it can. Asks the kernel for the tiles, once.
    static std::string_view unavailable_because() {
        if (!avx512_bf16::available() || !__builtin_cpu_supports("amx-tile") || !__builtin_cpu_supports("amx-int8") || !__builtin_cpu_supports("amx-bf16"))
            return "this CPU lacks it";
        static const bool permitted = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
        return permitted ? std::string_view() : "the kernel does not lend its tiles to this process (arch_prctl ARCH_REQ_XCOMP_PERM)";
    }

private:
    static constexpr int request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    static constexpr int tile_data = 18;               // XFEATURE_XTILEDATA
#else
    static std::string_view unavailable_because() { return "it is known on x86-64 Linux alone"; }
#endif
};

#if defined(__AMX_TILE__) && defined(__AMX_INT8__) && defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512VPOPCNTDQ__) && defined(__AVX512VNNI__)
template <>
struct simd<float, amx> : avx512_floats<amx> {};
template <>
struct simd<std::int8_t, amx> : avx512_vnni_bytes<amx> {};
template <>
struct simd<std::int16_t, amx> : avx512_vnni_shorts<amx> {};
template <>
struct simd<f16_value, amx> : avx512_f16_values<amx> {};
template <>
struct simd<bf16_value, amx> : avx512_bf16_pairs<amx> {};
template <>
struct byte_products<amx, 8> : avx2_byte_products<amx> {};
template <>
struct bit_products<amx> : avx512_bit_counts<amx> {};

// The compilers' intrinsics take the numbers of registers as literals only.
template <>
struct matrix_tiles<amx> {
    static void configure(int pixels) {
        alignas(64) std::uint8_t setting[64] = {1};  // of palette 1: bytes of each row from 16 on, two bytes each, rows from 48 on
        for (int i = 0; i < 8; ++i) {
            setting[16 + 2 * i] = 64;
            setting[48 + i] = static_cast<std::uint8_t>(i < 6 ? pixels : 16);
        }
        asm volatile("ldtilecfg %0" ::"m"(setting));
    }
    static void release() { asm volatile("tilerelease"); }

    template <int Register>
    [[gnu::always_inline]] static void load(const void* from, std::int64_t stride) {
        asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(Register) : "memory");
    }
    template <int Register>
    [[gnu::always_inline]] static void store(void* to, std::int64_t stride) {
        asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(Register) : "memory");
    }
    template <int Bytes>
    [[gnu::always_inline]] static void copy(void* to, const void* from) {
        _mm512_store_si512(to, _mm512_maskz_loadu_epi16(static_cast<__mmask32>((std::uint64_t{1} << Bytes / 2) - 1), from));
    }
    template <int Sums, int Pixels, int Weights>
    [[gnu::always_inline]] static void dot_bytes() {
        asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sums), "i"(Pixels), "i"(Weights));
    }
    template <int Sums, int Pixels, int Weights>
    [[gnu::always_inline]] static void dot_bf16() {
        asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sums), "i"(Pixels), "i"(Weights));
    }
};
#endif

}  // namespace dlas
