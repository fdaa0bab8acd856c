// TensorFlow Lite's model files: 8-bit networks as plain structs, every number checked. Systems Software; hosted, needs flatbuffers' headers.
//
// A .tflite file is a flatbuffer of the root table Model. Tables are read by the numbers that the schema gives their fields.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include <dlas/core/error.hpp>
#include <dlas/core/file.hpp>
#include <dlas/core/layer.hpp>

namespace dlas {

/// The types of tensors that an 8-bit network computes with, and all others.
enum class tflite_type : std::uint8_t { i8, i32, other };

/// A tensor: elements row-major, the last dimension innermost.
struct tflite_tensor {
    std::string name;
    std::vector<int> shape;
    tflite_type type = tflite_type::other;
    std::vector<float> scales;        ///< none, one, or one for each index of the quantized dimension
    std::vector<std::int64_t> zeros;  ///< as many as scales
    int quantized_dimension = 0;
    std::span<const std::byte> bytes;  ///< of a constant; empty where the tensor is computed

    std::int64_t elements() const {
        std::int64_t product = 1;
        for (const int extent : shape) product *= extent;
        return product;
    }
    /// The extents of a feature map: [1, rows, columns, channels], or [1, channels] for one pixel.
    dlas::shape map() const {
        if (shape.size() == 4) return {shape[1], shape[2], shape[3]};
        return {1, 1, shape.empty() ? 1 : shape.back()};
    }
    std::span<const std::int8_t> int8s() const { return {reinterpret_cast<const std::int8_t*>(bytes.data()), bytes.size()}; }
    /// A copy, for a file does not have to align them.
    std::vector<std::int32_t> int32s() const {
        std::vector<std::int32_t> values(bytes.size() / sizeof(std::int32_t));
        if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(std::int32_t));
        return values;
    }
};

/// Operators that 8-bit networks are made of; the numbers are the schema's.
enum class tflite_kind : std::uint8_t {
    add = 0,
    average_pool_2d = 1,
    conv_2d = 3,
    depthwise_conv_2d = 4,
    fully_connected = 9,
    reshape = 22,
    softmax = 25,
};

/// The schema's name of an operator, or its number: those stand here that a network of images or sounds is likely to have.
inline std::string tflite_operator_name(int code) {
    constexpr std::pair<int, std::string_view> known[] = {{0, "ADD"},
                                                          {1, "AVERAGE_POOL_2D"},
                                                          {2, "CONCATENATION"},
                                                          {3, "CONV_2D"},
                                                          {4, "DEPTHWISE_CONV_2D"},
                                                          {6, "DEQUANTIZE"},
                                                          {9, "FULLY_CONNECTED"},
                                                          {11, "L2_NORMALIZATION"},
                                                          {14, "LOGISTIC"},
                                                          {16, "LSTM"},
                                                          {17, "MAX_POOL_2D"},
                                                          {18, "MUL"},
                                                          {19, "RELU"},
                                                          {21, "RELU6"},
                                                          {22, "RESHAPE"},
                                                          {23, "RESIZE_BILINEAR"},
                                                          {25, "SOFTMAX"},
                                                          {27, "SVDF"},
                                                          {28, "TANH"},
                                                          {32, "CUSTOM"},
                                                          {34, "PAD"},
                                                          {36, "GATHER"},
                                                          {39, "TRANSPOSE"},
                                                          {40, "MEAN"},
                                                          {41, "SUB"},
                                                          {42, "DIV"},
                                                          {43, "SQUEEZE"},
                                                          {45, "STRIDED_SLICE"},
                                                          {47, "EXP"},
                                                          {49, "SPLIT"},
                                                          {53, "CAST"},
                                                          {54, "PRELU"},
                                                          {55, "MAXIMUM"},
                                                          {56, "ARG_MAX"},
                                                          {57, "MINIMUM"},
                                                          {67, "TRANSPOSE_CONV"},
                                                          {98, "LEAKY_RELU"},
                                                          {114, "QUANTIZE"},
                                                          {117, "HARD_SWISH"}};
    for (const auto& [number, name] : known)
        if (number == code) return std::string(name);
    return std::string("number ").append(std::to_string(code));
}
inline std::string tflite_operator_name(tflite_kind kind) { return tflite_operator_name(static_cast<int>(kind)); }

/// One operator. What its kind does not have keeps its default.
struct tflite_operator {
    tflite_kind kind = tflite_kind::add;
    std::vector<int> inputs;  ///< tensors; of a convolution its input, filter and bias, which is -1 where there is none
    int output = -1;
    extent window;  ///< of the filter, or of the pool
    extent stride;
    extent dilation;
    bool same_padding = false;  ///< TensorFlow's SAME, else VALID
    dlas::activation activation = activation::none;
    int depth_multiplier = 1;

    bool filtered() const { return kind == tflite_kind::conv_2d || kind == tflite_kind::depthwise_conv_2d || kind == tflite_kind::fully_connected; }
};

/// An 8-bit network. What has been read can be run as it stands: operators come after what they read, every tensor is written
/// once, shapes follow from each other, constants have the bytes of their shapes, and what is quantized has scales above 0.
struct tflite_file {
    std::string origin;  ///< the name of the file, for the errors of those who find its network unfit
    std::vector<tflite_tensor> tensors;
    std::vector<tflite_operator> operators;
    int input = -1;
    int output = -1;

    /// Reads a file. Throws dlas::error, naming the file and what is wrong, for all that is malformed or is not an 8-bit network
    /// of the operators known here; nothing is read out of bounds.
    static tflite_file read(const std::filesystem::path& file) { return parse(read_file(file), file.string()); }

    /// The same from memory. `origin` stands for the file's name in errors.
    static tflite_file parse(std::vector<std::byte> bytes, std::string origin);

    const tflite_tensor& tensor(int index) const { return tensors[static_cast<std::size_t>(index)]; }

private:
    class reader;

    std::shared_ptr<const std::vector<std::byte>> storage_;  ///< shared by copies: tensors point into it
};

/// The schema's tables, as far as they are read. The verifier calls Verify() and with it decides all that may be touched.
namespace tflite_schema {

template <class Element>
using vector = flatbuffers::Vector<Element>;
template <class Table>
using tables = flatbuffers::Vector<flatbuffers::Offset<Table>>;

struct table : private flatbuffers::Table {
    template <class Scalar>
    Scalar scalar(int field, Scalar absent = 0) const {
        return GetField<Scalar>(place(field), absent);
    }
    /// Null where the field is absent.
    template <class Pointed>
    const Pointed* pointer(int field) const {
        return GetPointer<const Pointed*>(place(field));
    }
    bool has(int field) const { return CheckField(place(field)); }

protected:
    static flatbuffers::voffset_t place(int field) { return static_cast<flatbuffers::voffset_t>(4 + 2 * field); }

    /// Runs the checks of the fields between the verifier's own of the table's begin and end.
    template <class Fields>
    bool verify(flatbuffers::Verifier& verifier, Fields fields) const {
        return VerifyTableStart(verifier) && fields() && verifier.EndTable();
    }
    template <class... Scalars>
    bool scalars(flatbuffers::Verifier& verifier, int first_field = 0) const {
        return (VerifyField<Scalars>(verifier, place(first_field++), alignof(Scalars)) && ...);
    }
    template <class Element>
    bool elements(flatbuffers::Verifier& verifier, int field) const {
        return VerifyOffset(verifier, place(field)) && verifier.VerifyVector(pointer<vector<Element>>(field));
    }
    bool text(flatbuffers::Verifier& verifier, int field) const {
        return VerifyOffset(verifier, place(field)) && verifier.VerifyString(pointer<flatbuffers::String>(field));
    }
    template <class Table>
    bool one(flatbuffers::Verifier& verifier, int field) const {
        return VerifyOffset(verifier, place(field)) && verifier.VerifyTable(pointer<Table>(field));
    }
    template <class Table>
    bool several(flatbuffers::Verifier& verifier, int field) const {
        return VerifyOffset(verifier, place(field)) && verifier.VerifyVector(pointer<tables<Table>>(field)) &&
               verifier.VerifyVectorOfTables(pointer<tables<Table>>(field));
    }
};

struct buffer : table {
    const vector<std::uint8_t>* data() const { return pointer<vector<std::uint8_t>>(0); }
    /// Of data that lies behind the flatbuffer, as files above 2 GB have it.
    std::uint64_t offset() const { return scalar<std::uint64_t>(1); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] { return elements<std::uint8_t>(verifier, 0) && scalars<std::uint64_t, std::uint64_t>(verifier, 1); });
    }
};

struct quantization_parameters : table {
    const vector<float>* scales() const { return pointer<vector<float>>(2); }
    const vector<std::int64_t>* zeros() const { return pointer<vector<std::int64_t>>(3); }
    bool has_details() const { return scalar<std::uint8_t>(4) != 0; }
    std::int32_t dimension() const { return scalar<std::int32_t>(6); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] {
            return elements<float>(verifier, 2) && elements<std::int64_t>(verifier, 3) && scalars<std::uint8_t>(verifier, 4) &&
                   scalars<std::int32_t>(verifier, 6);
        });
    }
};

struct tensor : table {
    const vector<std::int32_t>* shape() const { return pointer<vector<std::int32_t>>(0); }
    std::int8_t type() const { return scalar<std::int8_t>(1); }
    std::uint32_t buffer() const { return scalar<std::uint32_t>(2); }
    const flatbuffers::String* name() const { return pointer<flatbuffers::String>(3); }
    const quantization_parameters* quantization() const { return pointer<quantization_parameters>(4); }
    bool is_variable() const { return scalar<std::uint8_t>(5) != 0; }
    bool is_sparse() const { return has(6); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] {
            return elements<std::int32_t>(verifier, 0) && scalars<std::int8_t, std::uint32_t>(verifier, 1) && text(verifier, 3) &&
                   one<quantization_parameters>(verifier, 4) && scalars<std::uint8_t>(verifier, 5);
        });
    }
};

/// Of both convolutions; a depthwise one has its depth multiplier before the last three.
template <bool Depthwise>
struct convolution_options : table {
    static constexpr int after = Depthwise ? 1 : 0;
    std::int8_t padding() const { return scalar<std::int8_t>(0); }
    extent stride() const { return {scalar<std::int32_t>(2), scalar<std::int32_t>(1)}; }
    std::int32_t depth_multiplier() const { return Depthwise ? scalar<std::int32_t>(3) : 1; }
    std::int8_t activation() const { return scalar<std::int8_t>(3 + after); }
    extent dilation() const { return {scalar<std::int32_t>(5 + after, 1), scalar<std::int32_t>(4 + after, 1)}; }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] {
            return scalars<std::int8_t, std::int32_t, std::int32_t>(verifier) && (!Depthwise || scalars<std::int32_t>(verifier, 3)) &&
                   scalars<std::int8_t, std::int32_t, std::int32_t>(verifier, 3 + after);
        });
    }
};

struct pool_options : table {
    std::int8_t padding() const { return scalar<std::int8_t>(0); }
    extent stride() const { return {scalar<std::int32_t>(2), scalar<std::int32_t>(1)}; }
    extent window() const { return {scalar<std::int32_t>(4), scalar<std::int32_t>(3)}; }
    std::int8_t activation() const { return scalar<std::int8_t>(5); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] { return scalars<std::int8_t, std::int32_t, std::int32_t, std::int32_t, std::int32_t, std::int8_t>(verifier); });
    }
};

/// Of FULLY_CONNECTED and ADD: the activation, and the order of the weights of the one.
struct activation_options : table {
    std::int8_t activation() const { return scalar<std::int8_t>(0); }
    std::int8_t weights_format() const { return scalar<std::int8_t>(1); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] { return scalars<std::int8_t, std::int8_t>(verifier); });
    }
};

/// What an operator's options are, by the schema's numbers.
enum options_type : std::uint8_t { convolution = 1, depthwise_convolution = 2, pool = 5, fully_connected = 8, addition = 11 };

struct operation : table {
    std::uint32_t opcode() const { return scalar<std::uint32_t>(0); }
    const vector<std::int32_t>* inputs() const { return pointer<vector<std::int32_t>>(1); }
    const vector<std::int32_t>* outputs() const { return pointer<vector<std::int32_t>>(2); }
    /// Null where the options are of another type.
    template <class Options>
    const Options* options(options_type type) const {
        return scalar<std::uint8_t>(3) == type ? pointer<Options>(4) : nullptr;
    }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] {
            if (!scalars<std::uint32_t>(verifier) || !elements<std::int32_t>(verifier, 1) || !elements<std::int32_t>(verifier, 2)) return false;
            if (!scalars<std::uint8_t>(verifier, 3)) return false;
            switch (scalar<std::uint8_t>(3)) {
                case convolution:
                    return one<convolution_options<false>>(verifier, 4);
                case depthwise_convolution:
                    return one<convolution_options<true>>(verifier, 4);
                case pool:
                    return one<pool_options>(verifier, 4);
                case fully_connected:
                case addition:
                    return one<activation_options>(verifier, 4);
                default:
                    return true;  // never read
            }
        });
    }
};

struct operator_code : table {
    /// Files from before the schema's 128th operator have the number in the first field alone, which is too narrow for more.
    std::int32_t code() const { return std::max<std::int32_t>(scalar<std::int8_t>(0), scalar<std::int32_t>(3)); }
    const flatbuffers::String* custom_code() const { return pointer<flatbuffers::String>(1); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] { return scalars<std::int8_t>(verifier) && text(verifier, 1) && scalars<std::int32_t>(verifier, 3); });
    }
};

struct subgraph : table {
    const tables<tensor>* tensors() const { return pointer<tables<tensor>>(0); }
    const vector<std::int32_t>* inputs() const { return pointer<vector<std::int32_t>>(1); }
    const vector<std::int32_t>* outputs() const { return pointer<vector<std::int32_t>>(2); }
    const tables<operation>* operators() const { return pointer<tables<operation>>(3); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] {
            return several<tensor>(verifier, 0) && elements<std::int32_t>(verifier, 1) && elements<std::int32_t>(verifier, 2) &&
                   several<operation>(verifier, 3);
        });
    }
};

struct model : table {
    static constexpr std::uint32_t known_version = 3;
    std::uint32_t version() const { return scalar<std::uint32_t>(0); }
    const tables<operator_code>* operator_codes() const { return pointer<tables<operator_code>>(1); }
    const tables<subgraph>* subgraphs() const { return pointer<tables<subgraph>>(2); }
    const tables<buffer>* buffers() const { return pointer<tables<buffer>>(4); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return verify(verifier, [&] {
            return scalars<std::uint32_t>(verifier) && several<operator_code>(verifier, 1) && several<subgraph>(verifier, 2) &&
                   several<buffer>(verifier, 4);
        });
    }
};

}  // namespace tflite_schema

/// From verified tables to structs.
class tflite_file::reader {
public:
    explicit reader(tflite_file& file) : file_(file) {}

    void read(std::span<const std::byte> bytes) {
        constexpr std::size_t least = 8;  // where the root table is, and the identifier
        const auto* const first = reinterpret_cast<const std::uint8_t*>(bytes.data());
        if (bytes.size() < least) fail("is " + std::to_string(bytes.size()) + " bytes long, too short for a model");
        if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) fail("is longer than a flatbuffer can be");
        if (!flatbuffers::BufferHasIdentifier(first, "TFL3")) fail("is not a TensorFlow Lite model: it has no identifier TFL3");
        flatbuffers::Verifier verifier(first, bytes.size());
        if (!verifier.VerifyBuffer<tflite_schema::model>("TFL3")) fail("is truncated or damaged: an offset or a size leads out of it");
        // Nothing forbids that tables share their vectors, but what is copied of them must not grow beyond all bounds.
        copies_left_ = 16 * bytes.size();

        const auto& model = *flatbuffers::GetRoot<tflite_schema::model>(first);
        if (model.version() != model.known_version)
            fail("has version " + std::to_string(model.version()) + " of the schema, not " + std::to_string(model.known_version));
        if (count(model.subgraphs()) != 1) fail("has " + std::to_string(count(model.subgraphs())) + " subgraphs, not one");
        const auto& graph = *model.subgraphs()->Get(0);
        for (std::size_t i = 0; i < count(graph.tensors()); ++i) add_tensor(model, *graph.tensors()->Get(index(i)));
        file_.input = only(graph.inputs(), "input");
        file_.output = only(graph.outputs(), "output");

        known_.assign(file_.tensors.size(), false);
        for (std::size_t i = 0; i < file_.tensors.size(); ++i) known_[i] = !file_.tensors[i].bytes.empty();
        within_ = "the input";
        check_activation(file_.input);
        define(file_.input);
        for (std::size_t i = 0; i < count(graph.operators()); ++i) add_operator(model, *graph.operators()->Get(index(i)), i);
        if (!known_[static_cast<std::size_t>(file_.output)]) fail("its output, " + about(file_.output) + ", is never computed");
    }

private:
    static constexpr int largest_extent = 1 << 24;
    static constexpr std::int64_t largest_tensor = std::int64_t{1} << 31;

    [[noreturn]] void fail(const std::string& reason) const { throw error(file_.origin + ": " + reason); }
    /// The same, of the operator that is being read.
    [[noreturn]] void fail_here(const std::string& reason) const { fail(within_ + ": " + reason); }

    template <class Vector>
    static std::size_t count(const Vector* vector) {
        return vector == nullptr ? 0 : vector->size();
    }
    static flatbuffers::uoffset_t index(std::size_t i) { return static_cast<flatbuffers::uoffset_t>(i); }

    /// A name as an error message shows it: one line, and not a megabyte of it.
    static std::string quoted(std::string_view name) {
        std::string text = "'";
        for (const char c : name.substr(0, 120)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
        return text + (name.size() > 120 ? "...'" : "'");
    }
    std::string about(int tensor) const { return "tensor " + std::to_string(tensor) + " " + quoted(file_.tensor(tensor).name); }

    void take(std::size_t bytes) {
        if (bytes > copies_left_) fail("is damaged: its tables repeat more than the file holds");
        copies_left_ -= bytes;
    }
    template <class Element>
    std::vector<Element> copied(const flatbuffers::Vector<Element>* vector) {
        take(count(vector) * sizeof(Element));
        std::vector<Element> elements(count(vector));
        static_assert(std::endian::native == std::endian::little, "[dlas] flatbuffers are little-endian, and are copied as they are");
        if (!elements.empty()) std::memcpy(elements.data(), vector->Data(), elements.size() * sizeof(Element));
        return elements;
    }
    std::string copied(const flatbuffers::String* text) {
        take(count(text));
        return text == nullptr ? std::string() : std::string(text->c_str(), text->size());
    }

    int only(const flatbuffers::Vector<std::int32_t>* given, const char* what) const {
        if (count(given) != 1) fail("has " + std::to_string(count(given)) + " " + what + "s, not one");
        return checked_index(given->Get(0), what);
    }
    int checked_index(std::int32_t tensor, const std::string& what) const {
        if (tensor < 0 || static_cast<std::size_t>(tensor) >= file_.tensors.size())
            fail(what + " is tensor " + std::to_string(tensor) + " of " + std::to_string(file_.tensors.size()));
        return tensor;
    }

    void add_tensor(const tflite_schema::model& model, const tflite_schema::tensor& stored) {
        const auto number = static_cast<int>(file_.tensors.size());
        tflite_tensor& t = file_.tensors.emplace_back();
        t.name = copied(stored.name());
        t.shape = copied(stored.shape());
        for (const int extent : t.shape)
            if (extent < 1 || extent > largest_extent) fail(about(number) + " has a dimension of " + std::to_string(extent));
        std::int64_t elements = 1;
        for (const int extent : t.shape) {
            elements *= extent;
            if (elements >= largest_tensor) fail(about(number) + " has too many elements");
        }
        if (stored.is_sparse()) fail(about(number) + " is sparse, which is not read");
        if (stored.is_variable()) fail(about(number) + " is a variable, which a network without state has none of");
        // By the schema's numbers: 32-bit floats and integers, 8-bit integers; the sizes of others are not needed.
        constexpr int single = 0, i32 = 2, i8 = 9;
        t.type = stored.type() == i8 ? tflite_type::i8 : stored.type() == i32 ? tflite_type::i32 : tflite_type::other;
        const std::int64_t element_size = stored.type() == i8 ? 1 : stored.type() == i32 || stored.type() == single ? 4 : 0;

        if (stored.buffer() >= count(model.buffers()))
            fail(about(number) + " is in buffer " + std::to_string(stored.buffer()) + " of " + std::to_string(count(model.buffers())));
        const tflite_schema::buffer& buffer = *model.buffers()->Get(stored.buffer());
        if (buffer.offset() > 1) fail(about(number) + " lies behind the flatbuffer, where nothing is read");
        if (const std::size_t size = count(buffer.data()); size > 0) {
            if (element_size > 0 && static_cast<std::int64_t>(size) != elements * element_size)
                fail(about(number) + " has a buffer of " + std::to_string(size) + " bytes, its shape needs " +
                     std::to_string(elements * element_size));
            t.bytes = std::as_bytes(std::span(buffer.data()->Data(), size));
        }

        const tflite_schema::quantization_parameters* const q = stored.quantization();
        if (q == nullptr || count(q->scales()) == 0) return;
        if (q->has_details()) fail(about(number) + " has a quantization of a custom kind");
        t.scales = copied(q->scales());
        t.zeros = copied(q->zeros());
        t.quantized_dimension = q->dimension();
        const std::size_t scales = t.scales.size();
        if (t.zeros.size() != scales)
            fail(about(number) + " has " + std::to_string(scales) + " scales and " + std::to_string(t.zeros.size()) + " zero points");
        for (const float scale : t.scales)
            if (!(scale > 0 && scale < 1e30f)) fail(about(number) + " has a scale of " + std::to_string(scale) + "; a scale is above 0");
        if (t.quantized_dimension < 0 || (scales > 1 && static_cast<std::size_t>(t.quantized_dimension) >= t.shape.size()))
            fail(about(number) + " is quantized along dimension " + std::to_string(t.quantized_dimension) + " of " + std::to_string(t.shape.size()));
        if (scales > 1 && scales != static_cast<std::size_t>(t.shape[static_cast<std::size_t>(t.quantized_dimension)]))
            fail(about(number) + " has " + std::to_string(scales) + " scales along a dimension of " +
                 std::to_string(t.shape[static_cast<std::size_t>(t.quantized_dimension)]));
    }

    void add_operator(const tflite_schema::model& model, const tflite_schema::operation& stored, std::size_t number) {
        within_ = "operator " + std::to_string(number);
        if (stored.opcode() >= count(model.operator_codes()))
            fail_here("its code is number " + std::to_string(stored.opcode()) + " of " + std::to_string(count(model.operator_codes())));
        const tflite_schema::operator_code& code = *model.operator_codes()->Get(stored.opcode());
        const std::string name = tflite_operator_name(code.code());
        constexpr tflite_kind kinds[] = {
            tflite_kind::add,     tflite_kind::average_pool_2d, tflite_kind::conv_2d, tflite_kind::depthwise_conv_2d, tflite_kind::fully_connected,
            tflite_kind::reshape, tflite_kind::softmax};
        const auto* const kind = std::ranges::find(kinds, code.code(), [](tflite_kind k) { return static_cast<int>(k); });
        if (kind == std::end(kinds)) {
            const std::string custom =
                code.custom_code() == nullptr ? std::string() : " " + quoted({code.custom_code()->c_str(), code.custom_code()->size()});
            fail_here("is " + name + custom + ", which is not read");
        }
        within_ += " (" + name + ")";

        tflite_operator op;
        op.kind = *kind;
        op.inputs = copied(stored.inputs());
        const bool optional_bias = op.filtered() && op.inputs.size() == 3 && op.inputs[2] == -1;
        for (std::size_t i = 0; i < op.inputs.size() - (optional_bias ? 1 : 0); ++i) {
            checked_index(op.inputs[i], within_ + ": input " + std::to_string(i));
            if (!known_[static_cast<std::size_t>(op.inputs[i])]) fail_here(about(op.inputs[i]) + " is read before it is computed");
        }
        if (count(stored.outputs()) != 1) fail_here("it has " + std::to_string(count(stored.outputs())) + " outputs, not one");
        op.output = checked_index(stored.outputs()->Get(0), within_ + ": its output");
        define(op.output);
        read_options(op, stored);
        check_operands(op);
        file_.operators.push_back(std::move(op));
    }

    /// From here on the tensor may be read.
    void define(int tensor) {
        if (known_[static_cast<std::size_t>(tensor)]) fail_here(about(tensor) + " is a constant or already computed");
        known_[static_cast<std::size_t>(tensor)] = true;
    }

    void read_options(tflite_operator& op, const tflite_schema::operation& stored) {
        using namespace tflite_schema;
        auto found = [this](const auto* options) {
            if (options == nullptr) fail_here("its options are missing");
            return options;
        };
        auto sliding = [this, &op](const auto& options) {
            if (options.padding() != 0 && options.padding() != 1)
                fail_here("its padding is number " + std::to_string(options.padding()) + ", neither SAME nor VALID");
            op.same_padding = options.padding() == 0;
            op.stride = options.stride();
            set_activation(op, options.activation());
        };
        auto convolved = [&](const auto& options) {
            sliding(options);
            op.dilation = options.dilation();
            op.depth_multiplier = options.depth_multiplier();
        };
        switch (op.kind) {
            case tflite_kind::conv_2d:
                convolved(*found(stored.options<convolution_options<false>>(convolution)));
                break;
            case tflite_kind::depthwise_conv_2d:
                convolved(*found(stored.options<convolution_options<true>>(depthwise_convolution)));
                break;
            case tflite_kind::average_pool_2d: {
                const pool_options& options = *found(stored.options<pool_options>(pool));
                sliding(options);
                op.window = options.window();
                break;
            }
            case tflite_kind::fully_connected: {
                const activation_options& options = *found(stored.options<activation_options>(options_type::fully_connected));
                if (options.weights_format() != 0) fail_here("its weights are shuffled, which is not read");
                set_activation(op, options.activation());
                break;
            }
            case tflite_kind::add:
                set_activation(op, found(stored.options<activation_options>(addition))->activation());
                break;
            case tflite_kind::reshape:
            case tflite_kind::softmax:
                break;
        }
        auto check = [this](const char* what, extent e) {
            constexpr int largest = 1 << 15;
            for (const int n : {e.height, e.width})
                if (n < 1 || n > largest) fail_here(std::string("its ").append(what) + " is " + std::to_string(n));
        };
        check("window", op.window);
        check("stride", op.stride);
        check("dilation", op.dilation);
    }

    void set_activation(tflite_operator& op, int stored) const {
        constexpr int relu = 1, relu6 = 3;
        if (stored != 0 && stored != relu && stored != relu6)
            fail_here("its activation is number " + std::to_string(stored) + ", not NONE, RELU or RELU6");
        op.activation = stored == 0 ? activation::none : stored == relu ? activation::relu : activation::relu6;
    }

    void check_operands(tflite_operator& op) {
        const bool second = op.kind == tflite_kind::add || op.filtered();
        const bool optional = op.filtered() || op.kind == tflite_kind::reshape;  // a bias, or the new shape, which the output's is
        const std::size_t least = second ? 2 : 1, most = least + (optional ? 1 : 0);
        if (op.inputs.size() < least || op.inputs.size() > most) fail_here("it has " + std::to_string(op.inputs.size()) + " inputs");
        check_activation(op.inputs[0]);
        check_activation(op.output);
        const tflite_tensor &in = file_.tensor(op.inputs[0]), &out = file_.tensor(op.output);
        switch (op.kind) {
            case tflite_kind::add:
                check_activation(op.inputs[1]);
                if (file_.tensor(op.inputs[1]).shape != in.shape) fail_here("its inputs have different shapes");
                check_shape(op.output, in.shape);
                break;
            case tflite_kind::softmax:
                check_shape(op.output, in.shape);
                break;
            case tflite_kind::reshape:
                if (in.elements() != out.elements()) fail_here("from " + spell(in.shape) + " to " + spell(out.shape));
                break;
            case tflite_kind::average_pool_2d:
                check_sliding(op, in.shape.size() == 4 ? in.shape[3] : 0);
                break;
            case tflite_kind::fully_connected: {
                const tflite_tensor& filter = checked_filter(op, 2, 0);
                if (filter.shape[1] != in.elements())
                    fail_here("its filter has " + std::to_string(filter.shape[1]) + " inputs, its input " + std::to_string(in.elements()) +
                              " elements");
                if (out.elements() != filter.shape[0] || out.shape.back() != filter.shape[0])
                    fail_here("its output has the shape " + spell(out.shape) + ", its filter " + std::to_string(filter.shape[0]) + " outputs");
                check_bias(op, filter.shape[0]);
                break;
            }
            case tflite_kind::conv_2d:
            case tflite_kind::depthwise_conv_2d: {
                const bool depthwise = op.kind == tflite_kind::depthwise_conv_2d;
                const tflite_tensor& filter = checked_filter(op, 4, depthwise ? 3 : 0);
                op.window = {filter.shape[1], filter.shape[2]};
                if (in.shape.size() != 4) fail_here("its input has the shape " + spell(in.shape) + ", not that of a map");
                const int channels = depthwise ? filter.shape[3] : filter.shape[0];
                if (depthwise && (filter.shape[0] != 1 || op.depth_multiplier < 1 || channels != std::int64_t{in.shape[3]} * op.depth_multiplier))
                    fail_here("its filter has the shape " + spell(filter.shape) + " for " + std::to_string(in.shape[3]) +
                              " channels and the depth multiplier " + std::to_string(op.depth_multiplier));
                if (!depthwise && filter.shape[3] != in.shape[3])
                    fail_here("its filter has " + std::to_string(filter.shape[3]) + " input channels, its input " + std::to_string(in.shape[3]));
                check_bias(op, channels);
                check_sliding(op, channels);
                break;
            }
        }
    }

    static std::string spell(const std::vector<int>& shape) {
        std::string text = "[";
        for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
        return text + "]";
    }

    /// An 8-bit tensor of batch 1 with one scale.
    void check_activation(int tensor) const {
        const tflite_tensor& t = file_.tensor(tensor);
        if (t.type != tflite_type::i8) fail_here(about(tensor) + " is not of 8-bit integers");
        if (t.shape.empty() || t.shape[0] != 1) fail_here(about(tensor) + " has the shape " + spell(t.shape) + ", not a batch of 1");
        if (t.scales.size() != 1) fail_here(about(tensor) + " has " + std::to_string(t.scales.size()) + " scales, not one");
        if (t.zeros[0] < -128 || t.zeros[0] > 127)
            fail_here(about(tensor) + " has the zero point " + std::to_string(t.zeros[0]) + ", not from -128 to 127");
    }

    void check_shape(int tensor, const std::vector<int>& wanted) const {
        if (file_.tensor(tensor).shape != wanted)
            fail_here(about(tensor) + " has the shape " + spell(file_.tensor(tensor).shape) + ", not " + spell(wanted));
    }

    /// The second input: constant 8-bit weights around 0, with one scale or one for each output channel.
    const tflite_tensor& checked_filter(const tflite_operator& op, std::size_t rank, int channels_dimension) const {
        const tflite_tensor& t = file_.tensor(op.inputs[1]);
        const std::string name = about(op.inputs[1]);
        if (t.type != tflite_type::i8 || t.bytes.empty()) fail_here(name + " is not a constant of 8-bit integers, as a filter is");
        if (t.shape.size() != rank) fail_here(name + " has the shape " + spell(t.shape) + ", which is not a filter's");
        if (t.scales.empty()) fail_here(name + " has no scale");
        if (t.scales.size() > 1 && t.quantized_dimension != channels_dimension)
            fail_here(name + " is quantized along dimension " + std::to_string(t.quantized_dimension) + ", not along its output channels");
        for (const std::int64_t zero : t.zeros)
            if (zero != 0) fail_here(name + " has the zero point " + std::to_string(zero) + "; weights have 0");
        return t;
    }

    void check_bias(tflite_operator& op, int channels) const {
        if (op.inputs.size() == 2) op.inputs.push_back(-1);
        if (op.inputs[2] < 0) return;
        const tflite_tensor& t = file_.tensor(op.inputs[2]);
        const std::string name = about(op.inputs[2]);
        if (t.type != tflite_type::i32 || t.bytes.empty()) fail_here(name + " is not a constant of 32-bit integers, as a bias is");
        if (t.elements() != channels)
            fail_here(name + " has " + std::to_string(t.elements()) + " elements for " + std::to_string(channels) + " channels");
        if (t.scales.empty()) fail_here(name + " has no scale");
        for (const std::int64_t zero : t.zeros)
            if (zero != 0) fail_here(name + " has the zero point " + std::to_string(zero) + "; biases have 0");
    }

    /// The output's rows and columns follow from the input's, the window and the padding.
    void check_sliding(const tflite_operator& op, int channels) const {
        const std::vector<int>& in = file_.tensor(op.inputs[0]).shape;
        if (in.size() != 4) fail_here("its input has the shape " + spell(in) + ", not that of a map");
        auto slides = [&](int length, int window, int stride, int dilation) {
            const std::int64_t reach = std::int64_t{dilation} * (window - 1) + 1;
            if (op.same_padding) return (length + stride - 1) / stride;
            if (reach > length) fail_here("its window is larger than its input");
            return static_cast<int>((length - reach) / stride) + 1;
        };
        check_shape(op.output, {1, slides(in[1], op.window.height, op.stride.height, op.dilation.height),
                                slides(in[2], op.window.width, op.stride.width, op.dilation.width), channels});
    }

    tflite_file& file_;
    std::vector<bool> known_;  ///< the tensors that may be read
    std::string within_;       ///< what is being read, as the start of an error's reason
    std::size_t copies_left_ = 0;
};

inline tflite_file tflite_file::parse(std::vector<std::byte> bytes, std::string origin) {
    tflite_file file;
    file.origin = std::move(origin);
    file.storage_ = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    reader(file).read(*file.storage_);
    return file;
}

}  // namespace dlas
