# Tests of what stands around the programs of examples/firmware, read by its project.
dlas_add_same_counts_test(hello ${hello_file})

if(DLAS_BOARD IN_LIST DLAS_CORTEX_M_BOARDS)
    dlas_add_firmware(stack_overflow SOURCES ${CMAKE_CURRENT_LIST_DIR}/stack_overflow.cpp STACK 512)
    set_tests_properties(${DLAS_BOARD}/stack_overflow PROPERTIES PASS_REGULAR_EXPRESSION "fault: exception [0-9]+, the stack is full")
endif()

# Kernels by the core's own instructions. Boards of one target share the cases, and so do cores without vectors of their own: each runs every
# third from the first, second or third on.
set(first_of_mps2-an386 0)
set(first_of_mps2-an500 1)
set(first_of_mps2-an505 2)
set(first_of_mps2-an385 0)
set(first_of_riscv64 1)
set(first_of_host 2)
dlas_add_firmware(fixed_point SOURCES ${CMAKE_CURRENT_LIST_DIR}/fixed_point.cpp STACK 8192 TIMEOUT 300 EXCEPT microbit)
if(TARGET fixed_point)
    # g++ 12 makes conversions of floats conditional, in a spelling that its assembler does not take.
    target_compile_options(fixed_point PRIVATE -fno-if-conversion2)
    if(DEFINED first_of_${DLAS_BOARD})
        target_compile_definitions(fixed_point PRIVATE DLAS_STEP=3 DLAS_FIRST=${first_of_${DLAS_BOARD}})
    else()
        target_compile_definitions(fixed_point PRIVATE DLAS_STEP=1 DLAS_FIRST=0)
    endif()
endif()

dlas_add_firmware(floats SOURCES ${CMAKE_CURRENT_LIST_DIR}/floats.cpp STACK 4096 EXCEPT microbit)

# The check of symbols must find all that it looks for, in a file that uses all of it.
if(DLAS_BOARD IN_LIST DLAS_CORTEX_M_BOARDS)
    add_library(forbidden_symbols OBJECT ${CMAKE_CURRENT_LIST_DIR}/forbidden_symbols.cpp)
    target_compile_options(forbidden_symbols PRIVATE -fexceptions -frtti -fthreadsafe-statics)
    add_test(NAME ${DLAS_BOARD}/forbidden_symbols COMMAND ${CMAKE_COMMAND} -D NM=${CMAKE_NM} -D FILE=$<TARGET_OBJECTS:forbidden_symbols>
        -P ${dlas_SOURCE_DIR}/cmake/check_firmware_symbols.cmake)
    set_tests_properties(${DLAS_BOARD}/forbidden_symbols PROPERTIES
        PASS_REGULAR_EXPRESSION "the heap: .*_Znw.*exceptions: .*__cxa_throw.*run-time types: .*_ZTI.*printf: .*printf.*streams: .*_ZSt4cout.*threads: .*__cxa_guard_acquire.*libm: .*expf")
endif()
