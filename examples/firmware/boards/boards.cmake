# The boards, which the project of one board and the one of all boards both read.
# A Cortex-M board is a machine of qemu-system-arm, the linker script of that name here, and its CPU.
set(DLAS_CORTEX_M_BOARDS microbit mps2-an385 mps2-an386 mps2-an500 mps2-an505 mps3-an547)
set(DLAS_CPU_OF_microbit cortex-m0)
set(DLAS_CPU_OF_mps2-an385 cortex-m3)
set(DLAS_CPU_OF_mps2-an386 cortex-m4)
set(DLAS_CPU_OF_mps2-an500 cortex-m7)
set(DLAS_CPU_OF_mps2-an505 cortex-m33)
set(DLAS_CPU_OF_mps3-an547 cortex-m55)

# These have an operating system; qemu-riscv64 translates a Linux program.
set(DLAS_BOARDS ${DLAS_CORTEX_M_BOARDS} riscv64 host)
