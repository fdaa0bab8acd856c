// Packed weights as a C++ header: constant data for a program that reads no files. Systems Software; hosted.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <dlas/core/error.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/safetensors.hpp>

namespace dlas {

namespace headers {

inline std::string hexadecimal(std::uint64_t number, int digits) {
    std::string text = "0x";
    for (int digit = digits - 1; digit >= 0; --digit) text += "0123456789abcdef"[(number >> (4 * digit)) & 15];
    return text;
}

inline bool is_identifier(std::string_view name) {
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    if (name.empty() || !letter(name[0])) return false;
    for (const char c : name)
        if (!letter(c) && !(c >= '0' && c <= '9')) return false;
    return true;
}

}  // namespace headers

/// A header that defines the namespace `name` with
///   of<Network>()      the weights; stops compilation for any network but the one that they are packed for
///   image, output      what its integers stand for, where it takes and gives such
///   flash_bytes, ram_bytes
/// `remarks` are lines for the reader, such as what the network gets right. The same arguments give the same text.
/// Throws dlas::error where the file does not fit the network, and where `name` is not a name of C++.
inline std::string packed_header(const executable& code, const safetensors& file, std::string_view name, std::span<const std::string> remarks = {}) {
    if (!headers::is_identifier(name)) throw error("packed_header: '" + std::string(name) + "' is not a name of C++");
    aligned_bytes packed(code.weight_bytes);
    std::memset(packed.data(), 0, static_cast<std::size_t>(code.weight_bytes));  // gaps too: the same file gives the same text
    pack_weights(code, file, packed.data());
    auto quantized = [&](std::string_view what, int map) {
        const quantization q = packing::map_quantization(file, map);
        char scale[32];
        const auto end = std::to_chars(scale, scale + sizeof scale, q.scale, std::chars_format::scientific, 8).ptr;
        return "inline constexpr dlas::quantization " + std::string(what) + " = {" + std::string(scale, end) + "f, " + std::to_string(q.zero) +
               "};\n";
    };
    const std::string model(code.model), plan(code.plan), space(name);
    std::string text = "// The weights of " + model + ", packed for " + plan + ". Written by a program; changes are lost.\n";
    text += "//   flash  " + std::to_string(code.weight_bytes) + " bytes\n//   RAM    " + std::to_string(code.arena_bytes) + " bytes of arena\n";
    for (const std::string& remark : remarks) text += "//   " + remark + "\n";
    text += "#pragma once\n\n#include <cstddef>\n#include <cstdint>\n\n#include <dlas/core/element.hpp>\n\nnamespace " + space + " {\n\n";
    text += "inline constexpr std::size_t flash_bytes = " + std::to_string(code.weight_bytes) + ";\n";
    text += "inline constexpr std::size_t ram_bytes = " + std::to_string(code.arena_bytes) + ";\n";
    if (code.image_type == element::s8) text += quantized("image", code.steps.front().input_map);
    if (code.output_type == element::s8) text += quantized("output", code.steps.back().output_map);
    text += "\nalignas(64) inline constexpr std::uint32_t words[] = {";
    const std::size_t words = (static_cast<std::size_t>(code.weight_bytes) + 3) / 4;
    for (std::size_t i = 0; i < words; ++i) {
        std::uint32_t word = 0;
        const std::size_t left = static_cast<std::size_t>(code.weight_bytes) - 4 * i;
        std::memcpy(&word, packed.data() + 4 * i, left < 4 ? left : 4);
        text += (i % 12 == 0 ? "\n    " : " ") + headers::hexadecimal(word, 8) + ",";
    }
    text += "\n};\n\ntemplate <class Network>\nconst std::byte* of() {\n    static_assert(Network::code.fingerprint == " +
            headers::hexadecimal(code.fingerprint, 16) + "u,\n                  \"[dlas] " + space + ": these weights are packed for " + model +
            " as " + plan + "; the network has another model or stack, or the library packs otherwise by now\");\n" +
            "    return reinterpret_cast<const std::byte*>(words);\n}\n\n}  // namespace " + space + "\n";
    return text;
}

}  // namespace dlas
