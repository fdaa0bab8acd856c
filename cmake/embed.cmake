# dlas_embed(<cmake-target> FILE <file> FUNCTION <name> HEADER <header.hpp>)
# Links a file into a program: `std::span<const std::byte> <name>()`, which the header declares, gives its bytes.
function(dlas_embed target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILE;FUNCTION;HEADER" "")
    cmake_path(ABSOLUTE_PATH arg_FILE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_FILE})
    file(READ ${arg_FILE} bytes HEX)
    string(LENGTH "${bytes}" size)
    math(EXPR size "${size} / 2")
    # One string literal: compilers read it hundreds of times faster than a list of numbers.
    string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
    file(CONFIGURE OUTPUT ${arg_FUNCTION}.cpp @ONLY CONTENT [[
#include "@arg_HEADER@"

namespace {
alignas(64) constexpr char bytes[] = "@bytes@";
}

std::span<const std::byte> @arg_FUNCTION@() { return std::as_bytes(std::span(bytes, @size@)); }
]])
    # Clang's -Wpedantic holds literals to the 65536 characters that the standard guarantees.
    set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/${arg_FUNCTION}.cpp PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${arg_FUNCTION}.cpp)
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
