# The boards, which the project of one board and the one of all boards both read.
# A Cortex-M board is a machine of qemu-system-arm, the linker script of that name here, and its CPU.
set(DLAS_CORTEX_M_BOARDS microbit mps2-an385 mps2-an386 mps2-an500 mps2-an505 mps3-an547)
set(DLAS_CPU_OF_microbit cortex-m0)
set(DLAS_CPU_OF_mps2-an385 cortex-m3)
set(DLAS_CPU_OF_mps2-an386 cortex-m4)
set(DLAS_CPU_OF_mps2-an500 cortex-m7)
set(DLAS_CPU_OF_mps2-an505 cortex-m33)
set(DLAS_CPU_OF_mps3-an547 cortex-m55)

# The library's targets, as boards/target.hpp chooses them.
set(DLAS_TARGET_OF_microbit cortex_m0)
set(DLAS_TARGET_OF_mps2-an385 cortex_m3)
set(DLAS_TARGET_OF_mps2-an386 cortex_m4)
set(DLAS_TARGET_OF_mps2-an500 cortex_m4)
set(DLAS_TARGET_OF_mps2-an505 cortex_m4)
set(DLAS_TARGET_OF_mps3-an547 cortex_m55)
set(DLAS_TARGET_OF_riscv64 scalar)
set(DLAS_TARGET_OF_host scalar)

# These have an operating system; qemu-riscv64 translates a Linux program.
set(DLAS_BOARDS ${DLAS_CORTEX_M_BOARDS} riscv64 host)
