# cmake -D FILE=<file> -D HEADER=<a.hpp> -D FUNCTION=<name> -D SOURCE=<a.cpp> -P embed_file.cmake
file(READ ${FILE} bytes HEX)
string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${SOURCE} "#include \"${HEADER}\"

namespace {
alignas(64) constexpr unsigned char bytes[] = {
${bytes}
};
}  // namespace

std::span<const std::byte> ${FUNCTION}() { return std::as_bytes(std::span(bytes)); }
")
