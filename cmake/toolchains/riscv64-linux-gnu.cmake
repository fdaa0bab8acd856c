# 64-bit RISC-V, as a static program that qemu-riscv64 runs. Debian: g++-riscv64-linux-gnu qemu-user
# Linux is there for files and texts alone. To CMake it is a system without packages, as firmware's is.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv64)

if(NOT CMAKE_CXX_COMPILER)
    set(CMAKE_CXX_COMPILER riscv64-linux-gnu-g++)
endif()
set(CMAKE_CXX_FLAGS_INIT "-ffunction-sections -fdata-sections -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "Flags of Release")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -Wl,--gc-sections")
