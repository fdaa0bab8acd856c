# Every board in one build, each as a project of its own with its tool chain: cmake --workflow --preset firmware
# A part of the library's own build, which is the host's.
include(ExternalProject)
include(${CMAKE_CURRENT_LIST_DIR}/boards/boards.cmake)

set(DLAS_FIRMWARE_BOARDS ${DLAS_BOARDS} CACHE STRING "Boards that firmware is built for")
set(folder ${PROJECT_BINARY_DIR}/firmware)

# dlas_add_firmware_header(<header.hpp> COMMAND <program> <argument>... [DEPENDS <file>...])
# A header that a program of the host writes before any board is built; its path follows the arguments. Boards include it by its name.
add_custom_target(firmware_headers)
function(dlas_add_firmware_header header)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;DEPENDS")
    set(path ${PROJECT_BINARY_DIR}/firmware/headers/${header})
    list(GET arg_COMMAND 0 program)
    add_custom_command(OUTPUT ${path} COMMAND ${arg_COMMAND} ${path} DEPENDS ${program} ${arg_DEPENDS})
    string(MAKE_C_IDENTIFIER "firmware_header_${header}" target)
    add_custom_target(${target} DEPENDS ${path})
    add_dependencies(firmware_headers ${target})
endfunction()
file(MAKE_DIRECTORY ${folder}/headers)

# The program that packs weights, with the networks of each target in a unit of its own.
set(DLAS_DATA_DIR ${PROJECT_SOURCE_DIR}/../shared/data CACHE PATH "Trained weights and images; examples of them are left out where it is absent")
set(targets "")
foreach(board IN LISTS DLAS_FIRMWARE_BOARDS)
    list(APPEND targets ${DLAS_TARGET_OF_${board}})
endforeach()
list(REMOVE_DUPLICATES targets)
list(TRANSFORM targets PREPEND dlas:: OUTPUT_VARIABLE types)
list(JOIN types "," types)
dlas_add_program(pack SOURCES ${CMAKE_CURRENT_LIST_DIR}/pack.cpp LIBRARIES dlas::tflite)
target_include_directories(pack PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(pack PRIVATE DLAS_PACK_TARGETS=${types})
foreach(DLAS_TARGET IN LISTS targets)
    configure_file(${CMAKE_CURRENT_LIST_DIR}/pack_networks.cpp.in ${folder}/pack_networks.${DLAS_TARGET}.cpp @ONLY)
    target_sources(pack PRIVATE ${folder}/pack_networks.${DLAS_TARGET}.cpp)
    file(MAKE_DIRECTORY ${folder}/headers/${DLAS_TARGET})
endforeach()

# dlas_pack(<network> <weights> [<images>]): a header for each target, <network>_weights.hpp, and images for the boards, <network>.records.
function(dlas_pack network weights)
    set(images "")
    if(ARGN)
        set(images --images ${ARGN})
    endif()
    foreach(target IN LISTS targets)
        # The logits of the records are those of the last target's integers; boards of all others have to agree.
        set(records ${folder}/headers/${target}/${network}.records)
        dlas_add_firmware_header(${target}/${network}_weights.hpp
            COMMAND pack ${network} ${target} ${weights} ${images} --records ${records} DEPENDS ${weights} ${ARGN})
    endforeach()
endfunction()

# The networks of networks.hpp: one to a line, as in CMakeLists.txt.
dlas_pack(drawn_shapes ${PROJECT_SOURCE_DIR}/examples/train_shapes10/resnet8_shapes10.safetensors)
if(EXISTS ${DLAS_DATA_DIR})
    dlas_pack(image_classification ${DLAS_DATA_DIR}/weights/pretrainedResnet_quant.tflite ${DLAS_DATA_DIR}/data/cifar10_test_dev1000.bin)
    dlas_pack(keyword_spotting ${DLAS_DATA_DIR}/weights/kws_ref_model.tflite ${DLAS_DATA_DIR}/data/kws01_dev500.bin)
    dlas_pack(visual_wake_words ${DLAS_DATA_DIR}/weights/vww_96_int8.tflite)
endif()

# Whether a board's tools are there, and what to install where they are not.
find_program(DLAS_ARM_CXX arm-none-eabi-g++)
find_program(DLAS_RISCV64_CXX riscv64-linux-gnu-g++)
find_program(DLAS_QEMU_SYSTEM_ARM qemu-system-arm)
find_program(DLAS_QEMU_RISCV64 qemu-riscv64)
set(missing_arm "")
set(missing_riscv64 "")
set(missing_host "")
if(NOT DLAS_ARM_CXX)
    list(APPEND missing_arm gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib)
else()
    # Its libraries are packages of their own.
    execute_process(COMMAND ${DLAS_ARM_CXX} --specs=nano.specs -std=c++20 -include cstring -include span -x c++ -E -
        INPUT_FILE /dev/null OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        list(APPEND missing_arm libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib)
    endif()
endif()
if(NOT DLAS_QEMU_SYSTEM_ARM)
    list(APPEND missing_arm qemu-system-arm)
endif()
if(NOT DLAS_RISCV64_CXX)
    list(APPEND missing_riscv64 g++-riscv64-linux-gnu)
endif()
if(NOT DLAS_QEMU_RISCV64)
    list(APPEND missing_riscv64 qemu-user)
endif()

set(included "")
foreach(board IN LISTS DLAS_FIRMWARE_BOARDS)
    if(board IN_LIST DLAS_CORTEX_M_BOARDS)
        set(tools arm)
        set(options -D CMAKE_TOOLCHAIN_FILE=${PROJECT_SOURCE_DIR}/cmake/toolchains/arm-none-eabi.cmake -D CMAKE_CXX_COMPILER=${DLAS_ARM_CXX}
            -D DLAS_CPU=${DLAS_CPU_OF_${board}})
    elseif(board STREQUAL "riscv64")
        set(tools riscv64)
        set(options -D CMAKE_TOOLCHAIN_FILE=${PROJECT_SOURCE_DIR}/cmake/toolchains/riscv64-linux-gnu.cmake -D CMAKE_CXX_COMPILER=${DLAS_RISCV64_CXX})
    else()
        # The library's dependencies on the host come from where this build has them.
        set(tools host)
        set(options -D CMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER})
        foreach(variable IN ITEMS CMAKE_PROJECT_TOP_LEVEL_INCLUDES DLAS_PROVIDER_CACHE xsimd_DIR)
            if(${variable})
                list(APPEND options -D ${variable}=${${variable}})
            endif()
        endforeach()
        if(xsimd_SOURCE_DIR)
            list(APPEND options -D FETCHCONTENT_SOURCE_DIR_XSIMD=${xsimd_SOURCE_DIR})
        endif()
    endif()
    if(missing_${tools})
        list(JOIN missing_${tools} " " packages)
        message(STATUS "dlas: no firmware for ${board}: apt-get install ${packages}")
        add_test(NAME ${board} COMMAND ${CMAKE_COMMAND} -E echo "skipped, its tools are missing: apt-get install ${packages}")
        set_tests_properties(${board} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped, its tools are missing")
        continue()
    endif()
    # With the terminal, which only one can have: board after board, each on all cores.
    ExternalProject_Add(firmware_${board} SOURCE_DIR ${CMAKE_CURRENT_LIST_DIR} PREFIX ${folder}/stamps BINARY_DIR ${folder}/${board}
        CMAKE_ARGS ${options} -D DLAS_BOARD=${board} -D CMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE} -D DLAS_FIRMWARE_HEADERS=${folder}/headers/${DLAS_TARGET_OF_${board}}
            -D DLAS_WARNINGS_AS_ERRORS=${DLAS_WARNINGS_AS_ERRORS} --no-warn-unused-cli
        BUILD_ALWAYS ON INSTALL_COMMAND "" DEPENDS firmware_headers USES_TERMINAL_CONFIGURE ON USES_TERMINAL_BUILD ON)
    string(APPEND included "subdirs(\"${folder}/${board}\")\n")
endforeach()
# What each layer takes on each board: cmake --build --preset firmware --target firmware_layers
add_custom_target(firmware_layers)
foreach(board IN LISTS DLAS_FIRMWARE_BOARDS)
    if(TARGET firmware_${board} AND NOT board STREQUAL "host")
        add_custom_target(firmware_layers_${board} COMMAND ${CMAKE_COMMAND} --build ${folder}/${board} --target layers USES_TERMINAL)
        add_dependencies(firmware_layers_${board} firmware_${board})
        add_dependencies(firmware_layers firmware_layers_${board})
    endif()
endforeach()

# The boards' tests are tests of this build.
file(CONFIGURE OUTPUT ${folder}/tests.cmake CONTENT "${included}")
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${folder}/tests.cmake)
