# Cortex-M without an operating system. Debian: gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib
#
#     cmake -S examples/firmware -B build/m4 --toolchain ../../cmake/toolchains/arm-none-eabi.cmake -D DLAS_CPU=cortex-m4
#
# CMAKE_BUILD_TYPE is Release (-O2) or MinSizeRel (-Os).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)

set(DLAS_CPU cortex-m4 CACHE STRING "The CPU: cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33 or cortex-m55")
set(dlas_cpu_flags_cortex-m0 "")
set(dlas_cpu_flags_cortex-m3 "")
set(dlas_cpu_flags_cortex-m4 "-mfloat-abi=hard -mfpu=fpv4-sp-d16")
set(dlas_cpu_flags_cortex-m7 "-mfloat-abi=hard -mfpu=fpv5-d16")
set(dlas_cpu_flags_cortex-m33 "-mfloat-abi=hard -mfpu=fpv5-sp-d16")
set(dlas_cpu_flags_cortex-m55 "-mfloat-abi=hard")
if(NOT DEFINED dlas_cpu_flags_${DLAS_CPU})
    message(FATAL_ERROR "DLAS_CPU is ${DLAS_CPU}, of which the flags are not known.")
endif()

if(NOT CMAKE_CXX_COMPILER)
    set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
endif()
# What a program can do without a board's start-up code and linker script: be compiled.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DLAS_CPU)

set(CMAKE_CXX_FLAGS_INIT "-mthumb -mcpu=${DLAS_CPU} ${dlas_cpu_flags_${DLAS_CPU}} -ffunction-sections -fdata-sections -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "Flags of Release")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles --specs=nano.specs -Wl,--gc-sections")
set(CMAKE_EXECUTABLE_SUFFIX_CXX .elf)

set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
