// TensorFlow Lite files that the tests make, and spoil.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <dlas/core/shape.hpp>

struct made_tensor {
    static constexpr std::int8_t f32 = 0, i32 = 2, i8 = 9;

    std::string name;
    std::vector<std::int32_t> shape;
    std::int8_t type = i8;
    std::uint32_t buffer = 0;
    std::vector<float> scales;
    std::vector<std::int64_t> zeros;
    std::int32_t dimension = 0;
};

struct made_code {
    std::int8_t old_builtin = 0;
    std::int32_t builtin = 0;
    std::string custom;
};

struct made_operator {
    std::uint32_t code = 0;
    std::vector<std::int32_t> inputs;
    std::vector<std::int32_t> outputs;
    std::uint8_t options = 0;  ///< their type
    std::int8_t padding = 0;
    dlas::extent stride;
    dlas::extent dilation;
    dlas::extent window;  ///< of a pool
    std::int8_t activation = 0;
    std::int32_t multiplier = 1;
};

/// A file as its tables have it, right or wrong.
struct made_file {
    std::uint32_t version = 3;
    int subgraphs = 1;
    std::vector<made_code> codes;
    std::vector<made_tensor> tensors;
    std::vector<std::vector<std::uint8_t>> buffers = {{}};
    std::vector<made_operator> operators;
    std::vector<std::int32_t> inputs;
    std::vector<std::int32_t> outputs;

    std::int32_t index(std::string_view name) const {
        return static_cast<std::int32_t>(std::ranges::find(tensors, name, &made_tensor::name) - tensors.begin());
    }
    made_tensor& tensor(std::string_view name) { return tensors.at(static_cast<std::size_t>(index(name))); }

    /// An operator once more, with an output of its own.
    made_operator copied_operator(int number, const std::string& name) {
        made_operator op = operators.at(static_cast<std::size_t>(number));
        tensors.push_back(tensors.at(static_cast<std::size_t>(op.outputs[0])));
        tensors.back().name = name;
        op.outputs = {index(name)};
        return op;
    }

    std::vector<std::byte> bytes() const {
        using namespace flatbuffers;
        FlatBufferBuilder b;
        auto slot = [](int field) { return static_cast<voffset_t>(4 + 2 * field); };
        auto table = [&b](auto fill) {
            const uoffset_t start = b.StartTable();
            fill();
            return Offset<void>(b.EndTable(start));
        };
        auto tables = [&b](const std::vector<Offset<void>>& made) { return b.CreateVector(made); };

        std::vector<Offset<void>> made_codes, made_buffers, made_tensors, made_operators, made_graphs;
        for (const made_code& code : codes) {
            const auto custom = b.CreateString(code.custom);
            made_codes.push_back(table([&] {
                b.AddElement<std::int8_t>(slot(0), code.old_builtin, 0);
                if (!code.custom.empty()) b.AddOffset(slot(1), custom);
                b.AddElement<std::int32_t>(slot(3), code.builtin, 0);
            }));
        }
        for (const auto& buffer : buffers) {
            b.ForceVectorAlignment(buffer.size(), 1, 16);
            const auto elements = b.CreateVector(buffer);
            made_buffers.push_back(table([&] { b.AddOffset(slot(0), elements); }));
        }
        for (const made_tensor& t : tensors) {
            const auto name = b.CreateString(t.name);
            const auto shape = b.CreateVector(t.shape);
            const auto scales = b.CreateVector(t.scales);
            const auto zeros = b.CreateVector(t.zeros);
            const auto quantization = table([&] {
                b.AddOffset(slot(2), scales);
                b.AddOffset(slot(3), zeros);
                b.AddElement<std::int32_t>(slot(6), t.dimension, 0);
            });
            made_tensors.push_back(table([&] {
                b.AddOffset(slot(0), shape);
                b.AddElement<std::int8_t>(slot(1), t.type, 0);
                b.AddElement<std::uint32_t>(slot(2), t.buffer, 0);
                b.AddOffset(slot(3), name);
                b.AddOffset(slot(4), quantization);
            }));
        }
        for (const made_operator& op : operators) {
            constexpr int convolution = 1, depthwise = 2, pool = 5;
            const auto read = b.CreateVector(op.inputs), written = b.CreateVector(op.outputs);
            const auto options = table([&] {
                const bool slides = op.options == convolution || op.options == depthwise || op.options == pool;
                if (!slides) return b.AddElement<std::int8_t>(slot(0), op.activation, 0);
                b.AddElement<std::int8_t>(slot(0), op.padding, 0);
                b.AddElement<std::int32_t>(slot(1), op.stride.width, 0);
                b.AddElement<std::int32_t>(slot(2), op.stride.height, 0);
                if (op.options == pool) {
                    b.AddElement<std::int32_t>(slot(3), op.window.width, 0);
                    b.AddElement<std::int32_t>(slot(4), op.window.height, 0);
                    return b.AddElement<std::int8_t>(slot(5), op.activation, 0);
                }
                const int after = op.options == depthwise ? 1 : 0;
                if (after == 1) b.AddElement<std::int32_t>(slot(3), op.multiplier, 0);
                b.AddElement<std::int8_t>(slot(3 + after), op.activation, 0);
                b.AddElement<std::int32_t>(slot(4 + after), op.dilation.width, 1);
                b.AddElement<std::int32_t>(slot(5 + after), op.dilation.height, 1);
            });
            made_operators.push_back(table([&] {
                b.AddElement<std::uint32_t>(slot(0), op.code, 0);
                b.AddOffset(slot(1), read);
                b.AddOffset(slot(2), written);
                b.AddElement<std::uint8_t>(slot(3), op.options, 0);
                if (op.options != 0) b.AddOffset(slot(4), options);
            }));
        }
        const auto all_tensors = tables(made_tensors), all_operators = tables(made_operators);
        const auto read = b.CreateVector(inputs), written = b.CreateVector(outputs);
        for (int i = 0; i < subgraphs; ++i)
            made_graphs.push_back(table([&] {
                b.AddOffset(slot(0), all_tensors);
                b.AddOffset(slot(1), read);
                b.AddOffset(slot(2), written);
                b.AddOffset(slot(3), all_operators);
            }));
        const auto all_codes = tables(made_codes), all_graphs = tables(made_graphs), all_buffers = tables(made_buffers);
        b.Finish(table([&] {
                     b.AddElement<std::uint32_t>(slot(0), version, 0);
                     b.AddOffset(slot(1), all_codes);
                     b.AddOffset(slot(2), all_graphs);
                     b.AddOffset(slot(4), all_buffers);
                 }),
                 "TFL3");
        const auto* const first = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
        return {first, first + b.GetSize()};
    }
};

/// A convolution, a depthwise one, one with a residual, an average, a flattening, a linear layer and SOFTMAX.
inline made_file small_file() {
    made_file f;
    const auto operation = [&f](std::int32_t builtin, std::uint8_t options) {
        made_operator op;
        op.code = static_cast<std::uint32_t>(f.codes.size());
        op.options = options;
        f.codes.push_back({static_cast<std::int8_t>(builtin), builtin, {}});
        return op;
    };
    const auto map = [&f](const std::string& name, std::vector<std::int32_t> shape, float scale, std::int64_t zero) {
        f.tensors.push_back({name, std::move(shape), made_tensor::i8, 0, {scale}, {zero}, 0});
        return static_cast<std::int32_t>(f.tensors.size() - 1);
    };
    const auto filter = [&f](const std::string& name, std::vector<std::int32_t> shape, std::size_t scales, std::int32_t dimension) {
        std::size_t elements = 1;
        for (const std::int32_t e : shape) elements *= static_cast<std::size_t>(e);
        std::vector<std::uint8_t> bytes(elements);
        for (std::size_t i = 0; i < elements; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 % 251 + name.size());
        std::vector<float> own(scales);
        for (std::size_t i = 0; i < scales; ++i) own[i] = 0.002f + 0.0005f * static_cast<float>(i);
        f.tensors.push_back({name, std::move(shape), made_tensor::i8, static_cast<std::uint32_t>(f.buffers.size()), own,
                             std::vector<std::int64_t>(scales, 0), dimension});
        f.buffers.push_back(bytes);
        return static_cast<std::int32_t>(f.tensors.size() - 1);
    };
    const auto bias = [&f](const std::string& name, std::int32_t channels, float input_scale, const std::string& of) {
        std::vector<float> scales = f.tensor(of).scales;
        for (float& scale : scales) scale *= input_scale;
        const std::size_t count = scales.size();
        std::vector<std::uint8_t> bytes(4 * static_cast<std::size_t>(channels), 0);
        for (std::size_t i = 0; i < bytes.size(); i += 4) bytes[i] = static_cast<std::uint8_t>(3 * i);
        f.tensors.push_back(
            {name, {channels}, made_tensor::i32, static_cast<std::uint32_t>(f.buffers.size()), scales, std::vector<std::int64_t>(count, 0), 0});
        f.buffers.push_back(bytes);
        return static_cast<std::int32_t>(f.tensors.size() - 1);
    };

    const std::int32_t input = map("input", {1, 5, 6, 2}, 0.02f, -3);
    made_operator op = operation(3, 1);
    op.stride = 2;
    op.activation = 1;
    const std::int32_t first = map("first", {1, 3, 3, 4}, 0.04f, -128);
    op.inputs = {input, filter("first/filter", {4, 3, 3, 2}, 4, 0), bias("first/bias", 4, 0.02f, "first/filter")};
    op.outputs = {first};
    f.operators.push_back(op);

    op = operation(4, 2);
    op.activation = 3;
    const std::int32_t depthwise = map("depthwise", {1, 3, 3, 4}, 0.02f, -128);
    op.inputs = {first, filter("depthwise/filter", {1, 3, 1, 4}, 4, 3), bias("depthwise/bias", 4, 0.04f, "depthwise/filter")};
    op.outputs = {depthwise};
    f.operators.push_back(op);

    op = operation(3, 1);
    const std::int32_t last = map("last", {1, 3, 3, 4}, 0.03f, 5);
    op.inputs = {depthwise, filter("last/filter", {4, 1, 1, 4}, 1, 0), -1};
    op.outputs = {last};
    f.operators.push_back(op);

    op = operation(0, 11);
    op.activation = 1;
    const std::int32_t sum = map("sum", {1, 3, 3, 4}, 0.05f, -128);
    op.inputs = {first, last};
    op.outputs = {sum};
    f.operators.push_back(op);

    op = operation(1, 5);
    op.window = 3;
    op.padding = 1;
    const std::int32_t average = map("average", {1, 1, 1, 4}, 0.05f, -128);
    op.inputs = {sum};
    op.outputs = {average};
    f.operators.push_back(op);

    op = operation(22, 0);
    const std::int32_t flat = map("flat", {1, 4}, 0.05f, -128);
    op.inputs = {average};
    op.outputs = {flat};
    f.operators.push_back(op);

    op = operation(9, 8);
    const std::int32_t fc = map("fc", {1, 3}, 0.02f, 10);
    op.inputs = {flat, filter("fc/filter", {3, 4}, 1, 0), bias("fc/bias", 3, 0.05f, "fc/filter")};
    op.outputs = {fc};
    f.operators.push_back(op);

    op = operation(25, 9);
    op.inputs = {fc};
    op.outputs = {map("probabilities", {1, 3}, 1 / 256.0f, -128)};
    f.operators.push_back(op);
    f.inputs = {input};
    f.outputs = f.operators.back().outputs;
    return f;
}
