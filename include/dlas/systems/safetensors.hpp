// Weight files: the safetensors format, read with every number checked, and written. Systems Software; hosted.
//
// A file is the length of its header (u64, little-endian), the header (JSON), and the tensors' bytes without gaps.
// The header maps each tensor's name to {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__" to strings.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dlas/core/error.hpp>
#include <dlas/core/file.hpp>

namespace dlas {

/// The tensors and the metadata of one safetensors file. Owns the data; moves, but does not copy.
/// Every tensor starts at a 64-byte aligned address, wherever the file had it.
class safetensors {
public:
    static_assert(std::endian::native == std::endian::little, "[dlas] safetensors data is little-endian, and is used as it is");

    static constexpr std::size_t alignment = 64;
    static constexpr std::size_t largest_header = 100'000'000;

    /// One tensor: elements row-major, the last dimension innermost; an empty shape is a scalar.
    struct tensor {
        std::string name;
        std::string dtype;  // as the file spells it: "F32", "I8", ...
        std::vector<std::int64_t> shape;
        std::span<const std::byte> bytes;  // lives as long as the safetensors object

        /// The elements of an F32 tensor. Throws dlas::error, naming the tensor, when it is of another dtype.
        std::span<const float> f32() const {
            if (dtype != "F32") throw error(in_tensor(name) + " is " + quoted(dtype) + ", not F32");
            return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
        }
    };

    using metadata_entry = std::pair<std::string, std::string>;

    /// Reads a file. Throws dlas::error, naming the file and the tensor or the byte at fault, for all that the format
    /// forbids: nothing is guessed, and nothing is read out of bounds.
    static safetensors read(const std::filesystem::path& file) { return parse(read_file(file), file.string()); }

    /// The same from memory, which is copied. `origin` stands for the file's name in errors; bytes count from its start.
    static safetensors parse(std::span<const std::byte> bytes, std::string origin);

    /// A file's bytes: the tensors in the given order, the data at a multiple of 64.
    /// Throws dlas::error for what parse() would not take: a size that does not fit the shape, a repeated name, an unknown dtype.
    static std::vector<std::byte> serialize(std::span<const metadata_entry> metadata, std::span<const tensor> tensors);

    /// In the order of the file's header.
    std::span<const tensor> tensors() const { return tensors_; }

    /// Null when there is no tensor of that name.
    const tensor* find(std::string_view name) const {
        const auto found = std::ranges::find(tensors_, name, &tensor::name);
        return found == tensors_.end() ? nullptr : &*found;
    }

    /// The "__metadata__" of the file, in its order; empty when there is none.
    std::span<const metadata_entry> metadata() const { return metadata_; }

    /// Null when the metadata has no such key.
    const std::string* find_metadata(std::string_view key) const {
        const auto found = std::ranges::find(metadata_, key, &metadata_entry::first);
        return found == metadata_.end() ? nullptr : &found->second;
    }

    /// The name of the file, for the errors of those who find its tensors unfit.
    const std::string& origin() const { return origin_; }

private:
    class header_parser;

    struct aligned_delete {
        void operator()(std::byte* storage) const { ::operator delete[](storage, std::align_val_t{alignment}); }
    };

    /// Bytes of one element; 0 for an unknown dtype.
    static constexpr std::uint64_t element_bytes(std::string_view dtype) {
        constexpr std::pair<std::string_view, std::uint64_t> known[] = {
            {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
            {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},     {"F64", 8},     {"I64", 8}, {"U64", 8}};
        for (const auto& [name, bytes] : known)
            if (name == dtype) return bytes;
        return 0;
    }

    static constexpr std::size_t round_up(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

    /// A name as an error message shows it: one line, and not a megabyte of it.
    static std::string quoted(std::string_view name) {
        std::size_t length = std::min<std::size_t>(name.size(), 120);
        if (length < name.size())
            while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xc0) == 0x80) --length;  // no cut inside a UTF-8 character
        std::string text = "\"";
        for (const char c : name.substr(0, length)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
        return text + (length < name.size() ? "...\"" : "\"");
    }

    // Messages begin with a string, not a literal: g++ 12 warns of -Wrestrict, wrongly, when a literal + a temporary is inlined.
    static std::string in_tensor(std::string_view name) { return std::string("tensor ").append(quoted(name)); }
    static std::string at_byte(std::uint64_t position) { return std::string("byte ").append(std::to_string(position)); }

    std::string origin_;
    std::vector<tensor> tensors_;
    std::vector<metadata_entry> metadata_;
    std::unique_ptr<std::byte[], aligned_delete> storage_;
};

/// A strict parser of the header's JSON. The format nests three levels and no more, so nothing here recurses.
class safetensors::header_parser {
public:
    static constexpr std::size_t length_bytes = 8;

    /// A tensor as the header describes it; offsets count from the start of the data.
    struct entry {
        safetensors::tensor tensor;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };

    header_parser(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

    /// Fills both lists, or throws dlas::error.
    void parse(std::vector<entry>& entries, std::vector<metadata_entry>& metadata) {
        if (!text_.starts_with('{')) fail("the header must begin with '{'");
        object([&](std::string name) {
            if (name == "__metadata__") {
                within_ = "__metadata__: ";
                object([&](std::string key) {
                    skip_space();
                    metadata.emplace_back(std::move(key), string());
                });
            } else {
                within_ = in_tensor(name) + ": ";
                entries.push_back(tensor_entry(std::move(name)));
            }
            within_.clear();
        });
        skip_space();
        if (position_ != text_.size()) fail("only spaces may follow the header's closing '}'");
    }

private:
    [[noreturn]] void fail_at(std::size_t position, std::string_view reason) const {
        throw error(std::string(origin_) + ": " + at_byte(length_bytes + position) + ": " + within_ + std::string(reason));
    }
    [[noreturn]] void fail(std::string_view reason) const { fail_at(position_, reason); }

    entry tensor_entry(std::string name) {
        const std::size_t start = position_;
        entry result;
        result.tensor.name = std::move(name);
        bool has_dtype = false;
        bool has_shape = false;
        std::vector<std::int64_t> offsets;

        object([&](const std::string& key) {
            skip_space();
            const std::size_t value = position_;
            if (key == "dtype") {
                has_dtype = true;
                result.tensor.dtype = string();
                if (element_bytes(result.tensor.dtype) == 0) fail_at(value, "unknown dtype " + quoted(result.tensor.dtype));
            } else if (key == "shape") {
                has_shape = true;
                result.tensor.shape = integers();
            } else if (key == "data_offsets") {
                offsets = integers();
                if (offsets.size() != 2) fail_at(value, "data_offsets must be [begin, end]");
            } else {
                fail_at(value, "unknown key " + quoted(key));
            }
        });
        if (!has_dtype) fail_at(start, "dtype is missing");
        if (!has_shape) fail_at(start, "shape is missing");
        if (offsets.empty()) fail_at(start, "data_offsets is missing");
        result.begin = static_cast<std::uint64_t>(offsets[0]);
        result.end = static_cast<std::uint64_t>(offsets[1]);
        return result;
    }

    /// Calls `member(key)` with the position on the member's value. Equal keys are an error at the second one.
    template <class Member>
    void object(Member member) {
        expect('{');
        if (accept('}')) return;
        std::set<std::string> keys;
        do {
            skip_space();
            const std::size_t start = position_;
            std::string key = string();
            if (!keys.insert(key).second) fail_at(start, "key " + quoted(key) + " appears twice");
            expect(':');
            member(std::move(key));
        } while (accept(','));
        expect('}');
    }

    std::vector<std::int64_t> integers() {
        std::vector<std::int64_t> values;
        expect('[');
        if (accept(']')) return values;
        do {
            skip_space();
            values.push_back(integer());
        } while (accept(','));
        expect(']');
        return values;
    }

    std::int64_t integer() {
        constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
        const std::size_t start = position_;
        if (peek() == '-') fail("a negative number");
        if (!is_digit(peek())) fail("expected a number");
        std::int64_t value = 0;
        for (; is_digit(peek()); ++position_) {
            const int digit = text_[position_] - '0';
            if (value > (largest - digit) / 10) fail_at(start, "a number above 2^63 - 1");
            value = value * 10 + digit;
        }
        if (text_[start] == '0' && position_ - start > 1) fail_at(start, "a number with a leading zero");
        if (peek() == '.' || peek() == 'e' || peek() == 'E') fail_at(start, "a number that is not written as an integer");
        return value;
    }

    std::string string() {
        if (peek() != '"') fail("expected a string");
        const std::size_t start = position_++;
        std::string value;
        for (;;) {
            if (position_ == text_.size()) fail_at(start, "a string without an end");
            const auto byte = static_cast<unsigned char>(text_[position_]);
            if (byte == '"') break;
            if (byte < 0x20) fail("a control character in a string");
            if (byte == '\\') {
                append_escape(value);
            } else {
                const std::size_t length = character_length(byte);
                value += text_.substr(position_, length);
                position_ += length;
            }
        }
        ++position_;
        return value;
    }

    /// Bytes of the UTF-8 character that `first` begins at the position. What UTF-8 rules out is an error: lone and
    /// missing continuation bytes, longer forms than needed, surrogates, and what lies beyond U+10FFFF.
    std::size_t character_length(unsigned char first) const {
        if (first < 0x80) return 1;
        const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
        if (length == 0 || text_.size() - position_ < length) fail("a string that is not UTF-8");
        for (std::size_t i = 1; i < length; ++i) {
            const auto byte = static_cast<unsigned char>(text_[position_ + i]);
            unsigned char lowest = 0x80;
            unsigned char highest = 0xbf;
            if (i == 1 && first == 0xe0) lowest = 0xa0;
            if (i == 1 && first == 0xed) highest = 0x9f;
            if (i == 1 && first == 0xf0) lowest = 0x90;
            if (i == 1 && first == 0xf4) highest = 0x8f;
            if (byte < lowest || byte > highest) fail("a string that is not UTF-8");
        }
        return length;
    }

    void append_escape(std::string& value) {
        const std::size_t start = position_++;
        const char kind = peek();
        if (position_ < text_.size()) ++position_;
        switch (kind) {
            case '"': case '\\': case '/': value += kind; return;
            case 'b': value += '\b'; return;
            case 'f': value += '\f'; return;
            case 'n': value += '\n'; return;
            case 'r': value += '\r'; return;
            case 't': value += '\t'; return;
            case 'u': break;
            default: fail_at(start, "an unknown escape sequence");
        }
        std::uint32_t code = hexadecimal(start);
        if (code >= 0xdc00 && code < 0xe000) fail_at(start, "a low surrogate without a high one before it");
        if (code >= 0xd800 && code < 0xdc00) {
            if (!text_.substr(position_).starts_with("\\u")) fail_at(start, "a high surrogate without a low one after it");
            position_ += 2;
            const std::uint32_t low = hexadecimal(start);
            if (low < 0xdc00 || low >= 0xe000) fail_at(start, "a high surrogate without a low one after it");
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        append_utf8(value, code);
    }

    /// Four hexadecimal digits of an escape that began at `start`.
    std::uint32_t hexadecimal(std::size_t start) {
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = peek();
            int digit = 0;
            if (is_digit(c)) digit = c - '0';
            else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
            else if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
            else fail_at(start, "\\u must be followed by four hexadecimal digits");
            code = code * 16 + static_cast<std::uint32_t>(digit);
            ++position_;
        }
        return code;
    }

    static void append_utf8(std::string& value, std::uint32_t code) {
        const auto byte = [&](std::uint32_t bits) { value += static_cast<char>(static_cast<unsigned char>(bits)); };
        if (code < 0x80) {
            byte(code);
        } else if (code < 0x800) {
            byte(0xc0 | code >> 6);
            byte(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            byte(0xe0 | code >> 12);
            byte(0x80 | (code >> 6 & 0x3f));
            byte(0x80 | (code & 0x3f));
        } else {
            byte(0xf0 | code >> 18);
            byte(0x80 | (code >> 12 & 0x3f));
            byte(0x80 | (code >> 6 & 0x3f));
            byte(0x80 | (code & 0x3f));
        }
    }

    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    /// The character at the position; NUL, which no rule of the grammar accepts, at the end.
    char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

    void skip_space() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++position_;
    }

    bool accept(char wanted) {
        skip_space();
        if (peek() != wanted) return false;
        ++position_;
        return true;
    }

    void expect(char wanted) {
        if (accept(wanted)) return;
        const std::string reason = std::string("expected '") + wanted + "'";
        fail(position_ == text_.size() ? reason + ", but the header ends" : reason);
    }

    std::string_view text_;
    std::string_view origin_;
    std::string within_;  // what is being parsed, as the start of an error's reason
    std::size_t position_ = 0;
};

inline safetensors safetensors::parse(std::span<const std::byte> bytes, std::string origin) {
    constexpr std::size_t length_bytes = header_parser::length_bytes;
    const auto fail = [&](const std::string& reason) { throw error(origin + ": " + reason); };

    if (bytes.size() < length_bytes)
        fail(at_byte(bytes.size()) + ": the file ends inside the 8 bytes of the header's length");
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, bytes.data(), length_bytes);
    const std::uint64_t available = bytes.size() - length_bytes;
    if (header_bytes > largest_header)
        fail(at_byte(0) + ": a header of " + std::to_string(header_bytes) + " bytes, more than the " + std::to_string(largest_header) + " allowed");
    if (header_bytes > available)
        fail(at_byte(0) + ": a header of " + std::to_string(header_bytes) + " bytes, but only " + std::to_string(available) + " follow its length");

    const std::size_t data_start = length_bytes + static_cast<std::size_t>(header_bytes);
    const std::span<const std::byte> data = bytes.subspan(data_start);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + length_bytes, static_cast<std::size_t>(header_bytes));

    safetensors result;
    std::vector<header_parser::entry> entries;
    header_parser(text, origin).parse(entries, result.metadata_);

    for (const auto& [tensor, begin, end] : entries) {
        const std::string name = in_tensor(tensor.name) + ": ";
        const std::string offsets = std::string("data_offsets [").append(std::to_string(begin)) + ", " + std::to_string(end) + "]";
        std::uint64_t needed = element_bytes(tensor.dtype);
        for (const std::int64_t dimension : tensor.shape) {
            const auto factor = static_cast<std::uint64_t>(dimension);
            if (factor != 0 && needed > std::numeric_limits<std::uint64_t>::max() / factor) fail(name + "the product of its shape overflows");
            needed *= factor;
        }
        if (begin > end) fail(name + offsets + " are reversed");
        if (end > data.size()) fail(name + offsets + " reach beyond the " + std::to_string(data.size()) + " bytes of data");
        if (end - begin != needed)
            fail(name + offsets + " span " + std::to_string(end - begin) + " bytes, but " + tensor.dtype + " and its shape need " + std::to_string(needed));
    }

    std::vector<std::size_t> by_offset(entries.size());
    std::iota(by_offset.begin(), by_offset.end(), std::size_t{0});
    std::ranges::sort(by_offset, {}, [&](std::size_t i) { return std::pair(entries[i].begin, entries[i].end); });
    std::uint64_t covered = 0;
    const header_parser::entry* before = nullptr;
    for (const std::size_t i : by_offset) {
        const header_parser::entry& entry = entries[i];
        const std::string name = in_tensor(entry.tensor.name) + ": ";
        const std::string where = at_byte(data_start + entry.begin);
        if (entry.begin < covered) fail(name + "overlaps tensor " + quoted(before->tensor.name) + " at " + where);
        if (entry.begin > covered) fail(name + std::to_string(entry.begin - covered) + " bytes before its start, " + where + ", belong to no tensor");
        covered = entry.end;
        before = &entry;
    }
    if (covered != data.size())
        fail(at_byte(data_start + covered) + ": " + std::to_string(data.size() - covered) + " bytes after the last tensor");

    std::size_t storage_bytes = 0;
    for (const auto& entry : entries) storage_bytes += round_up(static_cast<std::size_t>(entry.end - entry.begin));
    result.storage_.reset(static_cast<std::byte*>(::operator new[](std::max(storage_bytes, alignment), std::align_val_t{alignment})));

    result.tensors_.reserve(entries.size());
    std::size_t offset = 0;
    for (auto& entry : entries) {
        const std::span<const std::byte> source = data.subspan(static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(entry.end - entry.begin));
        std::byte* const target = result.storage_.get() + offset;
        std::ranges::copy(source, target);
        entry.tensor.bytes = {target, source.size()};
        result.tensors_.push_back(std::move(entry.tensor));
        offset += round_up(source.size());
    }
    result.origin_ = std::move(origin);
    return result;
}

inline std::vector<std::byte> safetensors::serialize(std::span<const metadata_entry> metadata, std::span<const tensor> tensors) {
    const auto json_string = [](std::string_view value) {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string text = "\"";
        for (const char c : value) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20) {
                text += "\\u00";
                text += digits[byte / 16];
                text += digits[byte % 16];
            } else {
                if (c == '"' || c == '\\') text += '\\';
                text += c;
            }
        }
        return text + '"';
    };

    std::string header = "{";
    const auto member = [&](std::string_view key) {
        if (header.back() != '{') header += ',';
        header += json_string(key);
        header += ':';
    };
    if (!metadata.empty()) {
        member("__metadata__");
        header += '{';
        for (const auto& [key, value] : metadata) {
            member(key);
            header += json_string(value);
        }
        header += '}';
    }
    std::size_t offset = 0;
    for (const tensor& each : tensors) {
        member(each.name);
        header += "{\"dtype\":";
        header += json_string(each.dtype);
        header += ",\"shape\":[";
        for (const std::int64_t dimension : each.shape) {
            if (header.back() != '[') header += ',';
            header += std::to_string(dimension);
        }
        header += "],\"data_offsets\":[";
        header += std::to_string(offset) + ',' + std::to_string(offset + each.bytes.size()) + "]}";
        offset += each.bytes.size();
    }
    header += '}';
    header.resize(round_up(header_parser::length_bytes + header.size()) - header_parser::length_bytes, ' ');

    std::vector<std::byte> bytes(header_parser::length_bytes);
    const std::uint64_t header_bytes = header.size();
    std::memcpy(bytes.data(), &header_bytes, header_parser::length_bytes);
    bytes.reserve(bytes.size() + header.size() + offset);
    const auto append = [&](std::span<const std::byte> part) { bytes.insert(bytes.end(), part.begin(), part.end()); };
    append(std::as_bytes(std::span(header)));
    for (const tensor& each : tensors) append(each.bytes);

    parse(bytes, "safetensors to be written");  // the reader's rules are the writer's rules
    return bytes;
}

/// Writes a safetensors file. Throws dlas::error when safetensors::serialize does, or when the file cannot be written.
inline void write_safetensors(const std::filesystem::path& file, std::span<const safetensors::metadata_entry> metadata,
                              std::span<const safetensors::tensor> tensors) {
    write_file(file, safetensors::serialize(metadata, tensors));
}

}  // namespace dlas
