// Safetensors files: what is read, what is refused and how the refusal names the fault, and that no byte can break it.
#include <dlas/systems/safetensors.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../scratch_directory.hpp"

namespace {

static_assert(!std::is_copy_constructible_v<dlas::safetensors> && std::is_nothrow_move_constructible_v<dlas::safetensors>);

/// A file of that header and as many bytes of data, which count 0, 1, 2, ...
std::vector<std::byte> file_of(std::string_view header, std::size_t data_bytes) {
    std::vector<std::byte> bytes(8 + header.size() + data_bytes);
    const std::uint64_t header_bytes = header.size();
    std::memcpy(bytes.data(), &header_bytes, 8);
    std::ranges::copy(std::as_bytes(std::span(header)), bytes.begin() + 8);
    for (std::size_t i = 0; i < data_bytes; ++i) bytes[8 + header.size() + i] = static_cast<std::byte>(i);
    return bytes;
}

dlas::safetensors parse(std::string_view header, std::size_t data_bytes = 0) {
    return dlas::safetensors::parse(file_of(header, data_bytes), "made.safetensors");
}

/// What the parser says about the bytes; empty when it takes them.
std::string complaint(std::span<const std::byte> bytes) {
    try {
        dlas::safetensors::parse(bytes, "made.safetensors");
        return "";
    } catch (const dlas::error& error) {
        return error.what();
    }
}

std::string complaint(std::string_view header, std::size_t data_bytes = 0) { return complaint(file_of(header, data_bytes)); }

/// Checks that the message begins with the file's name and holds every one of `parts`.
void check_message(const std::string& message, std::initializer_list<std::string_view> parts) {
    CAPTURE(message);
    CHECK(message.starts_with("made.safetensors: "));
    for (const std::string_view part : parts) {
        CAPTURE(part);
        CHECK(message.find(part) != std::string::npos);
    }
}

/// A header of one tensor with the given members.
std::string tensor_header(std::string_view members) { return R"({"w":{)" + std::string(members) + "}}"; }

}  // namespace

TEST_CASE("safetensors: tensors, metadata and spaces are read") {
    const auto file = parse(R"({ "__metadata__" : {"source":"here","empty":""},)"
                            R"( "a.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                            "\n\t\"b\" :{ \"data_offsets\" : [ 8 , 9 ] , \"shape\" : [ ] , \"dtype\" : \"U8\" } }  \r\n",
                            9);
    REQUIRE(file.tensors().size() == 2);
    const auto* a = file.find("a.weight");
    REQUIRE(a != nullptr);
    CHECK(a == &file.tensors()[0]);
    CHECK(a->dtype == "F32");
    CHECK(a->shape == std::vector<std::int64_t>{2, 1});
    REQUIRE(a->f32().size() == 2);
    const float expected = std::bit_cast<float>(0x07060504);
    CHECK(a->f32()[1] == expected);

    const auto* b = file.find("b");
    REQUIRE(b != nullptr);
    CHECK(b->shape.empty());
    REQUIRE(b->bytes.size() == 1);
    CHECK(b->bytes[0] == std::byte{8});

    CHECK(file.find("a") == nullptr);
    CHECK(file.find("__metadata__") == nullptr);
    REQUIRE(file.metadata().size() == 2);
    CHECK(file.metadata()[0] == dlas::safetensors::metadata_entry{"source", "here"});
    REQUIRE(file.find_metadata("empty") != nullptr);
    CHECK(file.find_metadata("empty")->empty());
    CHECK(file.find_metadata("a.weight") == nullptr);
    CHECK(file.origin() == "made.safetensors");
}

TEST_CASE("safetensors: a file may be empty, and a tensor too") {
    CHECK(parse("{}").tensors().empty());
    CHECK(parse(R"({"__metadata__":{}})").metadata().empty());

    const auto file = parse(R"({"first":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},)"
                            R"("w":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},)"
                            R"("last":{"dtype":"F64","shape":[4,0],"data_offsets":[3,3]}})",
                            3);
    CHECK(file.tensors().size() == 3);
    CHECK(file.find("first")->f32().empty());
    CHECK(file.find("w")->bytes[2] == std::byte{2});
}

TEST_CASE("safetensors: tensors are aligned wherever the file has them, in the order of the header") {
    const auto file = parse(R"({"late":{"dtype":"F32","shape":[17],"data_offsets":[1,69]},"early":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 69);
    REQUIRE(file.tensors().size() == 2);
    CHECK(file.tensors()[0].name == "late");
    CHECK(file.tensors()[0].bytes.front() == std::byte{1});
    CHECK(file.tensors()[0].bytes.back() == std::byte{68});
    for (const auto& tensor : file.tensors())
        CHECK(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % dlas::safetensors::alignment == 0);
}

TEST_CASE("safetensors: a moved object keeps its tensors") {
    auto file = parse(R"({"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4);
    const std::byte* const data = file.find("w")->bytes.data();
    dlas::safetensors moved = std::move(file);
    REQUIRE(moved.find("w") != nullptr);
    CHECK(moved.find("w")->bytes.data() == data);
    moved = parse("{}");
    CHECK(moved.tensors().empty());
}

TEST_CASE("safetensors: the size of every dtype is checked") {
    const std::pair<const char*, int> dtypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
                                                  {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},     {"F64", 8},     {"I64", 8}, {"U64", 8}};
    for (const auto& [dtype, bytes] : dtypes) {
        CAPTURE(dtype);
        const auto header = [&](int size) {
            return tensor_header(R"("dtype":")" + std::string(dtype) + R"(","shape":[3],"data_offsets":[0,)" + std::to_string(size) + "]");
        };
        CHECK(complaint(header(3 * bytes), static_cast<std::size_t>(3 * bytes)).empty());
        check_message(complaint(header(3 * bytes + 1), static_cast<std::size_t>(3 * bytes + 1)), {"tensor \"w\"", dtype, std::to_string(3 * bytes)});
    }
}

TEST_CASE("safetensors: only F32 is given as float") {
    const auto file = parse(R"({"w":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})", 4);
    CHECK_THROWS_WITH_AS(file.find("w")->f32(), "tensor \"w\" is \"I32\", not F32", dlas::error);
}

TEST_CASE("safetensors: the header's length is checked") {
    const auto good = file_of("{}", 0);
    for (std::size_t size = 0; size < 8; ++size) {
        const std::string byte = "byte " + std::to_string(size);
        check_message(complaint(std::span(good).first(size)), {byte, "ends inside the 8 bytes"});
    }
    check_message(complaint(std::span(good).first(9)), {"byte 0", "a header of 2 bytes", "only 1 follow"});
    check_message(complaint(std::string_view()), {"byte 8", "must begin with '{'"});

    auto bytes = good;
    const auto with_length = [&](std::uint64_t length) {
        std::memcpy(bytes.data(), &length, 8);
        return complaint(bytes);
    };
    check_message(with_length(100'000'000), {"byte 0", "a header of 100000000 bytes, but only 2 follow"});
    check_message(with_length(100'000'001), {"byte 0", "more than the 100000000 allowed"});
    check_message(with_length(~std::uint64_t{0}), {"byte 0", "more than the 100000000 allowed"});
    check_message(with_length(~std::uint64_t{7}), {"byte 0", "more than the 100000000 allowed"});
}

TEST_CASE("safetensors: a syntax error names its byte") {
    const struct {
        std::string_view header;
        std::size_t position;  // in the header
        std::string_view reason;
    } cases[] = {
        {" {}", 0, "must begin with '{'"},
        {"[]", 0, "must begin with '{'"},
        {"{", 1, "expected a string"},
        {"{} x", 3, "only spaces may follow"},
        {"{}{}", 2, "only spaces may follow"},
        {std::string_view("{}\0", 3), 2, "only spaces may follow"},
        {"{,}", 1, "expected a string"},
        {"{w:1}", 1, "expected a string"},
        {"{'w':1}", 1, "expected a string"},
        {R"({"w"})", 4, "expected ':'"},
        {R"({"w" 1})", 5, "expected ':'"},
        {R"({"w":)", 5, "expected '{', but the header ends"},
        {R"({"w":1})", 5, "expected '{'"},
        {R"({"w":null})", 5, "expected '{'"},
        {R"({"w":{},})", 5, "dtype is missing"},
        {R"({"w)", 1, "a string without an end"},
        {R"({"w\)", 3, "unknown escape"},
        {"{\"w\n\":{}}", 3, "control character"},
        {R"({"__metadata__":{"a":"b",}})", 25, "expected a string"},
        {R"({"__metadata__":{"a":"b"})", 25, "expected '}', but the header ends"},
        {R"({"__metadata__":{"a":1}})", 21, "expected a string"},
        {R"({"__metadata__":{"a":{"b":"c"}}})", 21, "expected a string"},
        {R"({"__metadata__":["a"]})", 16, "expected '{'"},
        {R"({"w":{"dtype":1}})", 14, "expected a string"},
        {R"({"w":{"shape":4}})", 14, "expected '['"},
        {R"({"w":{"shape":[}})", 15, "expected a number"},
        {R"({"w":{"shape":[1,]}})", 17, "expected a number"},
        {R"({"w":{"shape":[1 2]}})", 17, "expected ']'"},
        {R"({"w":{"shape":["1"]}})", 15, "expected a number"},
        {R"({"w":{"shape":[+1]}})", 15, "expected a number"},
        {R"({"w":{"shape":[true]}})", 15, "expected a number"},
        {R"({"w":{"shape":[-1]}})", 15, "negative"},
        {R"({"w":{"shape":[01]}})", 15, "leading zero"},
        {R"({"w":{"shape":[1.0]}})", 15, "not written as an integer"},
        {R"({"w":{"shape":[1e3]}})", 15, "not written as an integer"},
        {R"({"w":{"shape":[9223372036854775808]}})", 15, "above 2^63 - 1"},
        {R"({"w":{"shape":[99999999999999999999999999]}})", 15, "above 2^63 - 1"},
        {R"({"w":{"shape":[[1]]}})", 15, "expected a number"},
        {R"({"w":{"data_offsets":[]}})", 21, "[begin, end]"},
        {R"({"w":{"data_offsets":[0]}})", 21, "[begin, end]"},
        {R"({"w":{"data_offsets":[0,1,2]}})", 21, "[begin, end]"},
        {R"({"w":{"data_offsets":[0,-1]}})", 24, "negative"},
    };
    for (const auto& [header, position, reason] : cases) {
        CAPTURE(header);
        check_message(complaint(header), {"byte " + std::to_string(8 + position) + ": ", reason});
    }
    CHECK(complaint(R"({"w":{"shape":[-1]}})") == "made.safetensors: byte 23: tensor \"w\": a negative number");
}

TEST_CASE("safetensors: nesting beyond the format is refused at once") {
    for (const char* open : {"[", "{\"a\":"}) {
        std::string header = R"({"w":)";
        for (int i = 0; i < 100'000; ++i) header += open;
        check_message(complaint(header), {"byte ", "tensor \"w\""});
    }
}

TEST_CASE("safetensors: members of a tensor that are missing, repeated or unknown") {
    check_message(complaint(tensor_header(R"("shape":[],"data_offsets":[0,4])"), 4), {"tensor \"w\"", "dtype is missing"});
    check_message(complaint(tensor_header(R"("dtype":"F32","data_offsets":[0,4])"), 4), {"tensor \"w\"", "shape is missing"});
    check_message(complaint(tensor_header(R"("dtype":"F32","shape":[])"), 4), {"tensor \"w\"", "data_offsets is missing"});
    check_message(complaint(tensor_header(R"("dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4])"), 4),
                  {"byte 28", "tensor \"w\"", "key \"dtype\" appears twice"});
    check_message(complaint(tensor_header(R"("dtype":"F32","shape":[],"data_offsets":[0,4],"strides":[1])"), 4),
                  {"tensor \"w\"", "unknown key \"strides\""});
    for (const char* dtype : {"F33", "f32", "", "F32 ", "FLOAT"}) {
        CAPTURE(dtype);
        check_message(complaint(tensor_header(R"("dtype":")" + std::string(dtype) + R"(","shape":[],"data_offsets":[0,4])"), 4),
                      {"byte 22", "tensor \"w\"", "unknown dtype \"" + std::string(dtype) + "\""});
    }
}

TEST_CASE("safetensors: a repeated name is refused, however it is spelled") {
    const std::string value = R"(:{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    check_message(complaint("{\"w\"" + value + ",\"w\"" + value + "}"), {"byte 61", "key \"w\" appears twice"});
    check_message(complaint("{\"w\"" + value + ",\"\\u0077\"" + value + "}"), {"key \"w\" appears twice"});
    check_message(complaint(R"({"__metadata__":{},"__metadata__":{}})"), {"key \"__metadata__\" appears twice"});
    check_message(complaint(R"({"__metadata__":{"k":"1","k":"1"}})"), {"__metadata__: ", "key \"k\" appears twice"});
}

TEST_CASE("safetensors: shapes and offsets that do not fit the data") {
    const auto with = [](std::string_view shape, std::string_view offsets) {
        return tensor_header(R"("dtype":"F32","shape":)" + std::string(shape) + R"(,"data_offsets":)" + std::string(offsets));
    };
    CHECK(complaint(with("[2]", "[0,8]"), 8).empty());
    check_message(complaint(with("[2]", "[8,0]"), 8), {"tensor \"w\"", "[8, 0]", "reversed"});
    check_message(complaint(with("[3]", "[0,12]"), 8), {"tensor \"w\"", "[0, 12]", "beyond the 8 bytes of data"});
    check_message(complaint(with("[2]", "[9223372036854775799,9223372036854775807]"), 8), {"tensor \"w\"", "beyond the 8 bytes of data"});
    check_message(complaint(with("[3]", "[0,8]"), 8), {"tensor \"w\"", "span 8 bytes", "need 12"});
    check_message(complaint(with("[0]", "[0,8]"), 8), {"tensor \"w\"", "span 8 bytes", "need 0"});
    check_message(complaint(with("[4611686018427387904]", "[0,0]")), {"tensor \"w\"", "overflows"});
    check_message(complaint(with("[4294967296,4294967296]", "[0,0]")), {"tensor \"w\"", "overflows"});
    check_message(complaint(with("[9223372036854775807,9223372036854775807,0]", "[0,0]")), {"tensor \"w\"", "overflows"});
    check_message(complaint(with("[2]", "[0,8]"), 9), {"byte " + std::to_string(8 + with("[2]", "[0,8]").size() + 8), "1 bytes after the last tensor"});
    check_message(complaint("{}", 3), {"byte 10", "3 bytes after the last tensor"});
}

TEST_CASE("safetensors: overlapping tensors and holes are refused") {
    const auto two = [](int begin, int end, int other_begin, int other_end) {
        const auto member = [](const char* name, int from, int to) {
            return "\"" + std::string(name) + R"(":{"dtype":"U8","shape":[)" + std::to_string(to - from) + R"(],"data_offsets":[)" +
                   std::to_string(from) + "," + std::to_string(to) + "]}";
        };
        return "{" + member("a", begin, end) + "," + member("b", other_begin, other_end) + "}";
    };
    CHECK(complaint(two(0, 4, 4, 8), 8).empty());
    CHECK(complaint(two(4, 8, 0, 4), 8).empty());
    check_message(complaint(two(0, 5, 4, 8), 8), {"tensor \"b\"", "overlaps tensor \"a\""});
    check_message(complaint(two(3, 8, 0, 4), 8), {"tensor \"a\"", "overlaps tensor \"b\""});
    check_message(complaint(two(0, 8, 0, 8), 8), {"overlaps"});
    check_message(complaint(two(0, 8, 2, 4), 8), {"tensor \"b\"", "overlaps tensor \"a\""});
    check_message(complaint(two(0, 8, 4, 4), 8), {"tensor \"b\"", "overlaps tensor \"a\""});
    check_message(complaint(two(0, 3, 4, 8), 8), {"tensor \"b\"", "1 bytes before its start", "belong to no tensor"});
    check_message(complaint(two(1, 4, 4, 8), 8), {"tensor \"a\"", "1 bytes before its start"});
    check_message(complaint(two(0, 4, 4, 7), 8), {"1 bytes after the last tensor"});
}

TEST_CASE("safetensors: strings are decoded to UTF-8") {
    const auto decoded = [](std::string_view escaped) {
        const auto file = parse(R"({"__metadata__":{"k":")" + std::string(escaped) + "\"}}");
        return *file.find_metadata("k");
    };
    CHECK(decoded(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
    CHECK(decoded(R"(\u0041\u007f)") == "A\x7f");
    CHECK(decoded(R"(\u0000)") == std::string(1, '\0'));
    CHECK(decoded(R"(\u0080\u00e9\u07FF)") == "\xc2\x80\xc3\xa9\xdf\xbf");
    CHECK(decoded(R"(\u0800\u20ac\uFFFF)") == "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf");
    CHECK(decoded(R"(\ud800\udc00\uD83D\uDE00\udbff\udfff)") == "\xf0\x90\x80\x80\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
    const std::string plain = "\x7f \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf";
    CHECK(decoded(plain) == plain);
}

TEST_CASE("safetensors: bad escapes and bad UTF-8 name their byte") {
    const auto complaint_of = [](std::string_view escaped) { return complaint(R"({"__metadata__":{"k":"x)" + std::string(escaped) + "\"}}"); };
    for (const char* escaped : {R"(\x)", R"(\')", R"(\U0041)", R"(\0)"}) check_message(complaint_of(escaped), {"byte 31", "__metadata__", "unknown escape"});
    for (const char* escaped : {R"(\u)", R"(\u123)", R"(\u12g4)", R"(\u 123)", R"(\u-123)"})
        check_message(complaint_of(escaped), {"byte 31", "four hexadecimal digits"});
    for (const char* escaped : {R"(\ud800)", R"(\ud800x)", R"(\ud800\n)", R"(\ud800\ud800)", R"(\udbff\u0041)"})
        check_message(complaint_of(escaped), {"byte 31", "high surrogate without"});
    check_message(complaint_of(R"(\udc00)"), {"byte 31", "low surrogate without"});
    for (const char* bytes : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf",
                              "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
        CAPTURE(bytes);
        check_message(complaint_of(bytes), {"byte 31", "not UTF-8"});
    }
    // The character's bytes must not be looked for beyond the header.
    check_message(complaint("{\"\xf0\x90"), {"byte 10", "not UTF-8"});
}

TEST_CASE("safetensors: a message shows names on one line, and not all of a long one") {
    const std::string message = complaint(R"({"a\nb":{}})");
    check_message(message, {"tensor \"a?b\""});
    const std::string longer = complaint("{\"x" + std::string(50'000, '\x40') + "\":{}}");
    CHECK(longer.size() < 300);
    check_message(longer, {"@...\""});
    std::string accents = "a";
    for (int i = 0; i < 100; ++i) accents += "\xc3\xa9";
    check_message(complaint("{\"" + accents + "\":{}}"), {"\xc3\xa9...\""});
}

TEST_CASE("safetensors: what is written is read again") {
    const std::array<float, 6> values = {0, 1, -2.5f, 3, 4, 1e-30f};
    const std::array<std::int8_t, 3> small = {-1, 0, 1};
    const std::vector<dlas::safetensors::metadata_entry> metadata = {{"format", "pt"}, {"quote \" slash \\", std::string("line\n\0\x1f", 7)}, {"\xc3\xa9", ""}};
    const std::vector<dlas::safetensors::tensor> tensors = {{"odd \"name\"", "I8", {3}, std::as_bytes(std::span(small))},
                                                            {"w", "F32", {2, 3}, std::as_bytes(std::span(values))},
                                                            {"none", "F16", {0}, {}},
                                                            {"scalar", "F32", {}, std::as_bytes(std::span(values).first(1))}};
    const scratch_directory scratch("dlas_safetensors");
    const auto path = scratch.path / "made.safetensors";
    dlas::write_safetensors(path, metadata, tensors);

    const auto file = dlas::safetensors::read(path);
    CHECK(file.origin() == path.string());
    CHECK(std::ranges::equal(file.metadata(), metadata));
    REQUIRE(file.tensors().size() == tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        CHECK(file.tensors()[i].name == tensors[i].name);
        CHECK(file.tensors()[i].dtype == tensors[i].dtype);
        CHECK(file.tensors()[i].shape == tensors[i].shape);
        CHECK(std::ranges::equal(file.tensors()[i].bytes, tensors[i].bytes));
    }
    CHECK(file.find("w")->f32()[2] == -2.5f);
    CHECK(dlas::safetensors::serialize(metadata, tensors).size() == std::filesystem::file_size(path));
    CHECK(dlas::safetensors::parse(dlas::safetensors::serialize({}, {}), "nothing").tensors().empty());
}

TEST_CASE("safetensors: the writer refuses what the reader would") {
    const std::array<float, 2> values = {1, 2};
    const auto bytes = std::as_bytes(std::span(values));
    using tensor = dlas::safetensors::tensor;
    const auto refused = [](const std::vector<tensor>& tensors) {
        try {
            dlas::safetensors::serialize({}, tensors);
            return std::string();
        } catch (const dlas::error& error) {
            return std::string(error.what());
        }
    };
    CHECK(refused({tensor{"w", "F32", {2}, bytes}}).empty());
    CHECK(refused({tensor{"w", "F32", {3}, bytes}}).find("tensor \"w\"") != std::string::npos);
    CHECK(refused({tensor{"w", "F32", {-2}, bytes}}).find("tensor \"w\": a negative number") != std::string::npos);
    CHECK(refused({tensor{"w", "float", {2}, bytes}}).find("unknown dtype \"float\"") != std::string::npos);
    CHECK(refused({tensor{"w", "F32", {2}, bytes}, tensor{"w", "F32", {2}, bytes}}).find("appears twice") != std::string::npos);
    CHECK(refused({tensor{"\xff", "F32", {2}, bytes}}).find("not UTF-8") != std::string::npos);
}

TEST_CASE("safetensors: files that cannot be read or written are named") {
    const scratch_directory scratch("dlas_safetensors_missing");
    const auto missing = scratch.path / "missing.safetensors";
    CHECK_THROWS_WITH_AS(dlas::safetensors::read(missing), (missing.string() + ": no such file").c_str(), dlas::error);
    CHECK_THROWS_WITH_AS(dlas::safetensors::read(scratch.path), (scratch.path.string() + ": is a directory, not a file").c_str(), dlas::error);
    const auto nowhere = missing / "file";
    CHECK_THROWS_WITH_AS(dlas::write_safetensors(nowhere, {}, {}), (nowhere.string() + ": cannot be opened for writing").c_str(), dlas::error);

    dlas::write_file(missing, file_of("{", 0));
    CHECK_THROWS_WITH_AS(dlas::safetensors::read(missing), (missing.string() + ": byte 9: expected a string").c_str(), dlas::error);
}

TEST_CASE("safetensors: no changed, lost or added byte does harm") {
    const auto good = file_of(R"({"__metadata__":{"k\u00e9\ud83d\ude00":"\n)" "\xc3\xa9\xf0\x90\x80\x80" R"("},)"
                              R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                              R"("b":{"dtype":"BOOL","shape":[],"data_offsets":[8,9]}} )",
                              9);
    REQUIRE(complaint(good).empty());
    int accepted = 0;
    int refused = 0;
    const auto try_out = [&](const std::vector<std::byte>& bytes) {
        // An exact allocation, so that a sanitizer sees the first byte beyond it; every byte handed out is read.
        try {
            const auto file = dlas::safetensors::parse(bytes, "made.safetensors");
            unsigned sum = 0;
            for (const auto& tensor : file.tensors()) {
                for (const std::byte byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
                if (tensor.dtype == "F32") sum += tensor.f32().empty();
            }
            accepted += sum < 1u << 30;
        } catch (const dlas::error& error) {
            const std::string_view message = error.what();
            refused += message.starts_with("made.safetensors: ") && (message.find("byte ") != message.npos || message.find("tensor \"") != message.npos);
        }
    };
    int tries = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (int value = 0; value < 256; ++value, ++tries) {
            auto changed = good;
            changed[i] = static_cast<std::byte>(value);
            try_out(changed);
        }
        auto shorter = good;
        shorter.resize(i);
        shorter.shrink_to_fit();
        try_out(shorter);
        auto lost = good;
        lost.erase(lost.begin() + static_cast<std::ptrdiff_t>(i));
        lost.shrink_to_fit();
        try_out(lost);
        auto doubled = good;
        doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), good[i]);
        doubled.shrink_to_fit();
        try_out(doubled);
        // The header's length follows, so that the parser meets the end of its text everywhere.
        auto cut = shorter;
        if (cut.size() >= 8) {
            const std::uint64_t header_bytes = cut.size() - 8;
            std::memcpy(cut.data(), &header_bytes, 8);
        }
        try_out(cut);
        tries += 4;
    }
    CHECK(accepted + refused == tries);
    CHECK(accepted > 9 * 256);  // at the least, any data will do
    CHECK(refused > 1000);
}

TEST_CASE("safetensors: real weights") {
    const char* const data = std::getenv("DLAS_DATA");
    if (data == nullptr || !std::filesystem::is_directory(data)) {
        MESSAGE("skipped: DLAS_DATA does not name a directory with weights/");
        return;
    }
    const auto file = dlas::safetensors::read(std::filesystem::path(data) / "weights" / "cifar10_resnet20.safetensors");
    std::size_t parameters = 0;
    for (const auto& tensor : file.tensors())
        if (tensor.name.find(".running_") == std::string::npos) parameters += tensor.f32().size();
    CHECK(parameters == 269722);
    REQUIRE(file.find("conv1.weight") != nullptr);
    CHECK(file.find("conv1.weight")->shape == std::vector<std::int64_t>{16, 3, 3, 3});
    REQUIRE(file.find_metadata("license") != nullptr);
    CHECK(*file.find_metadata("license") == "BSD-2-Clause");

    for (const char* folder : {"weights", "refs"})
        for (const auto& each : std::filesystem::directory_iterator(std::filesystem::path(data) / folder))
            if (each.path().extension() == ".safetensors") {
                CAPTURE(each.path().string());
                CHECK_NOTHROW(dlas::safetensors::read(each.path()));
            }
}
