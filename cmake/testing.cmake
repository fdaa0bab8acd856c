# The kinds of tests that this project has; tests/CMakeLists.txt lists the tests.

set(DLAS_TEST_FLAGS "" CACHE STRING "Further flags of the tests' own sources, but of those that compute much")

# dlas_add_test(<name> SOURCES <a.cpp>... [LIBRARIES <target>...] [NEEDS_DATA] [NOT_SANITIZED] [COMPUTES]
#               [UNITS <file.cpp.in> [AVAILABLE_ONLY] [TARGETS <target>...] [SHARDS <n>]])
# A doctest program. With NEEDS_DATA it is skipped where DLAS_DATA_DIR does not exist. NOT_SANITIZED: code that another test runs, too, with
# other networks or more of them, which is not repeated under the sanitizers. COMPUTES: its own sources, not its units alone, do much.
function(dlas_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "NEEDS_DATA;NOT_SANITIZED;COMPUTES" "" "LIBRARIES;SOURCES")
    if(arg_NOT_SANITIZED AND CMAKE_BUILD_TYPE STREQUAL "Sanitize")
        return()
    endif()
    dlas_add_program(${name} SOURCES ${arg_SOURCES} LIBRARIES dlas_test_main ${arg_LIBRARIES} ${arg_UNPARSED_ARGUMENTS})
    if(NOT arg_COMPUTES)
        separate_arguments(flags UNIX_COMMAND "${DLAS_TEST_FLAGS}")
        set_source_files_properties(${arg_SOURCES} PROPERTIES COMPILE_OPTIONS "${flags}")
    endif()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "DLAS_DATA=${DLAS_DATA_DIR}" SKIP_RETURN_CODE 77)
    if(arg_NEEDS_DATA)
        set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT DLAS_NEEDS_DATA=1)
    endif()
endfunction()

# dlas_add_compile_fail_test(<name> SOURCE <file.cpp> MESSAGE <regex> [OPTIONS <flag>...])
# The compiler must refuse the file with our message: any other error fails the test.
function(dlas_add_compile_fail_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE;MESSAGE" "OPTIONS")
    cmake_path(ABSOLUTE_PATH arg_SOURCE)
    set(includes $<TARGET_PROPERTY:dlas_test_main,INCLUDE_DIRECTORIES>)
    add_test(NAME ${name} COMMAND_EXPAND_LISTS
        COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -I$<JOIN:${includes},$<SEMICOLON>-I> ${arg_OPTIONS} ${arg_SOURCE})
    # On a line of the compiler's own: it also quotes source lines, which hold the text of every static_assert near an error.
    # g++ shows the arguments of a call that is not constant, and of a template, where it says how it came there.
    set_tests_properties(${name} PROPERTIES
        PASS_REGULAR_EXPRESSION "(error: |note: |In instantiation of |expansion of )[^\n]*${arg_MESSAGE}")
endfunction()

# dlas_add_shared_symbols_test(<name> TESTS <test>...)
# Fails where units of two ISAs define one weak function: the linker would keep either copy for all. Asked of optimized code only, since
# tiny functions stand out of line in all else.
function(dlas_add_shared_symbols_test name)
    if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "TESTS")
    list(TRANSFORM arg_TESTS REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -D NM=${CMAKE_NM} -D "OBJECTS=${objects}" -D "TARGETS=${DLAS_TARGETS}"
        -D "UNOPTIMIZED=${DLAS_UNAVAILABLE_TARGETS}" -P ${PROJECT_SOURCE_DIR}/cmake/check_shared_symbols.cmake)
endfunction()
