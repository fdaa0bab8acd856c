// The weights of a TensorFlow Lite model for a compiled network of integers. Systems Software; hosted, needs flatbuffers' headers.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dlas/core/error.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/safetensors.hpp>
#include <dlas/systems/tflite_file.hpp>

namespace dlas {

namespace importing {

/// Finds for every step of a network the operators of a file that compute the same, by what they read and write.
class tflite_matcher {
public:
    tflite_matcher(const executable& code, const tflite_file& file)
        : code_(code), file_(file), bound_(static_cast<std::size_t>(code.maps), -1), used_(file.operators.size(), false) {}

    safetensors weights() {
        if (code_.steps.empty()) throw error("import_tflite: the network '" + std::string(code_.model) + "' has no steps");
        input_ = followed(file_.input);
        for (const executable_step& step : code_.steps) {
            layer_ = step.layer.empty() ? step_name(step.kind) : std::string(step.layer);
            visit(step);
        }
        finish();
        return file_of_tensors();
    }

private:
    struct owned_tensor {
        std::string name;
        std::string type;
        std::vector<std::int64_t> shape;
        std::vector<std::byte> bytes;
    };

    [[noreturn]] void fail(const std::string& reason) const { throw error(file_.origin + ": " + reason); }
    /// The same, of the layer that is being looked for.
    [[noreturn]] void fail_here(const std::string& reason) const { fail(layer_ + ": " + reason); }

    static std::string step_name(step_kind kind) {
        constexpr std::string_view names[] = {"the input", "a convolution",         "a pool",        "the global average pool", "a sum",
                                              "a product", "a batch normalization", "an activation", "a subsampling",           "a copy"};
        return std::string(names[static_cast<int>(kind)]);
    }

    static std::string spell(extent e) { return std::to_string(e.height) + "x" + std::to_string(e.width); }
    /// One number where both are the same.
    static std::string spell_step(extent e) { return e.height == e.width ? std::to_string(e.height) : spell(e); }
    static std::string spell(shape s) { return std::to_string(s.height) + "x" + std::to_string(s.width) + "x" + std::to_string(s.channels); }
    static std::string spell(border b) {
        return std::to_string(b.top) + ", " + std::to_string(b.bottom) + ", " + std::to_string(b.left) + ", " + std::to_string(b.right);
    }
    static std::string spell(double number) {
        char text[32];
        return {text, std::to_chars(text, std::end(text), number, std::chars_format::general, 6).ptr};
    }
    std::string about(int tensor) const { return "tensor " + std::to_string(tensor) + " '" + file_.tensor(tensor).name.substr(0, 120) + "'"; }
    std::string about_operator(std::size_t i) const {
        return "operator " + std::to_string(i) + " (" + tflite_operator_name(file_.operators[i].kind) + ")";
    }

    static quantization quantization_of(const tflite_tensor& t) { return {t.scales[0], static_cast<std::int32_t>(t.zeros[0])}; }
    bool same_quantization(int a, int b) const {
        return file_.tensor(a).scales == file_.tensor(b).scales && file_.tensor(a).zeros == file_.tensor(b).zeros;
    }

    bool reads(std::size_t i, int tensor) const { return std::ranges::find(file_.operators[i].inputs, tensor) != file_.operators[i].inputs.end(); }

    /// A map goes through RESHAPE as it is: to the tensor that is read instead.
    int followed(int tensor) {
        for (std::size_t i = 0; i < file_.operators.size(); ++i) {
            const tflite_operator& op = file_.operators[i];
            if (used_[i] || op.kind != tflite_kind::reshape || op.inputs[0] != tensor) continue;
            if (!same_quantization(tensor, op.output)) fail(about_operator(i) + " changes scale or zero point");
            used_[i] = true;
            tensor = op.output;  // operators come after what they read: those before need no second look
        }
        return tensor;
    }

    /// The tensor that a map of the network is; the graph's input where the network reads the caller's image.
    int tensor_of(int map) const {
        if (map < 0) return input_;
        const int tensor = bound_[static_cast<std::size_t>(map)];
        // Without a step that loads it, the image is the first map read.
        if (tensor < 0 && std::ranges::find_if(bound_, [](int t) { return t >= 0; }) == bound_.end()) return input_;
        if (tensor < 0) fail_here("reads a feature map that no operator of the file computes");
        return tensor;
    }

    void bind(int map, int tensor) {
        int& bound = bound_[static_cast<std::size_t>(map)];
        if (bound >= 0) fail_here("its feature map is part of a concatenation, which is not imported");
        bound = tensor;
    }

    void visit(const executable_step& step) {
        switch (step.kind) {
            case step_kind::load_input:
                check_map(input_, step.output_shape);
                bind(step.output_map, input_);
                break;
            case step_kind::conv2d:
                import_convolution(step);
                break;
            case step_kind::global_average_pool:
                import_global_average(step);
                break;
            case step_kind::copy:
                // Conversions leave a map what it is.
                if (step.input_map != step.output_map) bind(step.output_map, tensor_of(step.input_map));
                break;
            case step_kind::pool2d:
            case step_kind::add:
            case step_kind::multiply:
            case step_kind::affine:
            case step_kind::activate:
            case step_kind::subsample:
                fail_here("is not imported from TensorFlow Lite");
                break;
        }
        if (step.input_map >= 0 && bound_[static_cast<std::size_t>(step.input_map)] < 0) bound_[static_cast<std::size_t>(step.input_map)] = input_;
        last_ = step.output_map;
    }

    void check_map(int tensor, shape wanted) const {
        const shape found = file_.tensor(tensor).map();
        if (found != wanted) fail_here("the model has a feature map of " + spell(wanted) + ", the file's " + about(tensor) + " has " + spell(found));
    }

    /// What differs between a convolution and an operator; empty where nothing does.
    std::string difference(const executable_step& step, const tflite_operator& op) const {
        const conv2d_layer& layer = step.conv;
        const tflite_tensor &in = file_.tensor(op.inputs[0]), &filter = file_.tensor(op.inputs[1]);
        auto differ = [](const std::string& ours, const std::string& theirs) { return "the model has " + ours + ", the file " + theirs; };
        auto channels = [&](int found) { return differ(std::to_string(layer.channels) + " output channels", std::to_string(found)); };

        const bool flat = layer.kernel == extent(layer.in.height, layer.in.width) && layer.padding.empty() && layer.groups == 1;
        if (op.kind == tflite_kind::fully_connected) {
            if (!flat) return differ("a convolution of " + spell(layer.kernel) + " on " + spell(layer.in), "a FULLY_CONNECTED layer");
            if (filter.shape[1] != layer.in.elements())
                return differ(std::to_string(layer.in.elements()) + " inputs", std::to_string(filter.shape[1]));
            if (filter.shape[0] != layer.channels) return channels(filter.shape[0]);
        } else {
            if ((op.kind == tflite_kind::depthwise_conv_2d) != layer.depthwise())
                return differ(layer.depthwise() ? "a depthwise convolution" : "a convolution of all channels",
                              layer.depthwise() ? "one of all channels" : "a depthwise one");
            if (op.window != layer.kernel || op.stride != layer.stride)
                return differ("a " + spell(layer.kernel) + " window of stride " + spell_step(layer.stride),
                              "a " + spell(op.window) + " window of stride " + spell_step(op.stride));
            if (op.dilation != layer.dilation) return differ("a dilation of " + spell_step(layer.dilation), spell_step(op.dilation));
            if (in.map() != layer.in) return differ("an input of " + spell(layer.in), spell(in.map()));
            if (!layer.depthwise() && layer.groups != 1) return differ(std::to_string(layer.groups) + " groups", "none");
            const int found = layer.depthwise() ? filter.shape[3] : filter.shape[0];
            if (found != layer.channels) return channels(found);
            const border padding = op.same_padding ? same_padding(layer.in, layer.kernel, layer.stride, layer.dilation) : border(0);
            if (padding != layer.padding)
                return differ("the padding " + spell(layer.padding) + " (top, bottom, left, right)",
                              spell(padding) + (op.same_padding ? " (SAME)" : " (VALID)"));
        }
        return activation_difference(layer.residual ? activation::none : layer.activation, op);
    }

    /// The activations of a layer are of one function, or of two that are the same as far as eight bits reach.
    std::string activation_difference(activation wanted, const tflite_operator& op) const {
        if (op.activation == wanted) return {};
        const quantization q = quantization_of(file_.tensor(op.output));
        const double largest = (127 - q.zero) * double{q.scale};
        const bool bounded = op.activation != activation::none && (wanted == activation::relu || wanted == activation::relu6);
        if (bounded && largest <= 6 * (1 + 1e-6)) return {};  // 6 / 255 is not a float
        return "the model has the activation " + std::string(activation_name(wanted)) + ", the file " + std::string(activation_name(op.activation)) +
               (bounded ? " with values up to " + spell(largest) : std::string());
    }

    std::size_t find_convolution(const executable_step& step, int tensor) const {
        std::string why_not;
        std::size_t found = file_.operators.size();
        for (std::size_t i = 0; i < file_.operators.size(); ++i) {
            const tflite_operator& op = file_.operators[i];
            if (used_[i] || !op.filtered() || op.inputs[0] != tensor) continue;
            const std::string differs = difference(step, op);
            if (!differs.empty()) {
                if (why_not.empty()) why_not = differs;
            } else if (found == file_.operators.size()) {
                found = i;
            } else {
                fail_here(about_operator(found) + " and " + about_operator(i) + " both fit; which one is meant cannot be told");
            }
        }
        if (found == file_.operators.size()) fail_here(why_not.empty() ? "no convolution of the file reads " + about(tensor) : why_not);
        return found;
    }

    void import_convolution(const executable_step& step) {
        if (step.pack_quantized == nullptr || step.weight_bits != 8)
            fail_here("the plan '" + std::string(code_.plan) + "' does not keep its weights in 8-bit integers, as the file does");
        if (step.conv.gated) fail_here("is scaled by a gate, which is not imported");
        const int input = tensor_of(step.input_map);
        const std::size_t found = find_convolution(step, input);
        used_[found] = true;
        const tflite_operator& op = file_.operators[found];
        add_weights(step, op);
        int output = op.output;
        if (step.conv.residual) {
            const quantization sum = quantization_of(file_.tensor(output));
            add<float>(".sum.scale", "F32", {1}, std::span(&sum.scale, 1));
            add<std::int32_t>(".sum.zero", "I32", {1}, std::span(&sum.zero, 1));
            output = residual_output(step, output);
        }
        check_map(output, step.conv.out());
        bind(step.output_map, followed(output));
    }

    /// The sum of a convolution's result and the step's second map.
    int residual_output(const executable_step& step, int result) {
        const int second = tensor_of(step.second_map);
        for (std::size_t i = 0; i < file_.operators.size(); ++i) {
            const tflite_operator& op = file_.operators[i];
            if (used_[i] || op.kind != tflite_kind::add || !reads(i, result) || !reads(i, second) || result == second) continue;
            const std::string differs = activation_difference(step.conv.activation, op);
            if (!differs.empty()) fail_here(differs);
            used_[i] = true;
            return op.output;
        }
        fail_here("the model adds a residual, but no ADD of the file reads " + about(result) + " and " + about(second));
    }

    void import_global_average(const executable_step& step) {
        const int input = tensor_of(step.input_map);
        for (std::size_t i = 0; i < file_.operators.size(); ++i) {
            const tflite_operator& op = file_.operators[i];
            if (used_[i] || op.kind != tflite_kind::average_pool_2d || op.inputs[0] != input) continue;
            const shape map = file_.tensor(input).map();
            if (op.window != extent(map.height, map.width))
                fail_here("the model averages the whole map of " + spell(map) + ", the file windows of " + spell(op.window));
            const std::string differs = activation_difference(activation::none, op);
            if (!differs.empty()) fail_here(differs);
            if (!same_quantization(input, op.output))
                fail_here("the file's " + about(input) + " and " + about(op.output) + " differ in scale or zero point, which an average keeps");
            check_map(op.output, step.output_shape);
            used_[i] = true;
            return bind(step.output_map, followed(op.output));
        }
        fail_here("no AVERAGE_POOL_2D of the file reads " + about(input));
    }

    /// Appends a tensor of the layer.
    template <class Element>
    void add(const std::string& suffix, const char* type, std::vector<std::int64_t> shape, std::span<const Element> elements) {
        const auto bytes = std::as_bytes(elements);
        tensors_.push_back({layer_ + suffix, type, std::move(shape), {bytes.begin(), bytes.end()}});
    }

    void add_weights(const executable_step& step, const tflite_operator& op) {
        const conv2d_layer& layer = step.conv;
        const tflite_tensor& filter = file_.tensor(op.inputs[1]);
        const std::span<const std::int8_t> stored = filter.int8s();
        const auto channels = static_cast<std::size_t>(layer.channels), inputs = static_cast<std::size_t>(layer.group_in());
        const auto area = static_cast<std::size_t>(layer.kernel.area());
        // Stored are OHWI and, of depthwise ones, 1HWO; a matrix is OHWI with the input's rows and columns.
        const bool depthwise = op.kind == tflite_kind::depthwise_conv_2d;
        std::vector<std::int8_t> weights(stored.size());
        for (std::size_t channel = 0; channel < channels; ++channel)
            for (std::size_t input = 0; input < inputs; ++input)
                for (std::size_t pixel = 0; pixel < area; ++pixel)
                    weights[(channel * inputs + input) * area + pixel] =
                        stored[depthwise ? pixel * channels + channel : (channel * area + pixel) * inputs + input];

        std::vector<float> scales = filter.scales;
        if (scales.size() == 1) scales.assign(channels, filter.scales[0]);
        std::vector<std::int32_t> bias(channels, 0);
        if (op.inputs[2] >= 0) {
            const tflite_tensor& given = file_.tensor(op.inputs[2]);
            check_bias_scales(scales, file_.tensor(op.inputs[0]).scales[0], given);
            bias = given.int32s();
        }
        add<std::int8_t>(".weight", "I8", packing::filter_shape(step), weights);
        add<std::int32_t>(".bias", "I32", {layer.channels}, bias);
        add<float>(".scale", "F32", {layer.channels}, scales);
        // TensorFlow Lite Micro multiplies these two as floats where there is one scale for all channels.
        const float product = quantization_of(file_.tensor(op.inputs[0])).scale * scales[0];
        if (op.kind == tflite_kind::fully_connected && file_.tensor(op.inputs[1]).scales.size() == 1)
            add<float>(".product", "F32", {1}, std::span(&product, 1));
    }

    /// A bias is added to sums of products, so that its scale is theirs.
    void check_bias_scales(const std::vector<float>& filter, float input, const tflite_tensor& bias) const {
        if (bias.scales.size() != 1 && bias.scales.size() != filter.size())
            fail_here("its bias has " + std::to_string(bias.scales.size()) + " scales for " + std::to_string(filter.size()) + " channels");
        for (std::size_t channel = 0; channel < filter.size(); ++channel) {
            const double wanted = double{input} * double{filter[channel]};
            const double found = double{bias.scales[bias.scales.size() == 1 ? 0 : channel]};
            if (std::abs(found - wanted) > 1e-5 * wanted)
                fail_here("the bias of channel " + std::to_string(channel) + " has the scale " + spell(found) + ", input and filter have " +
                          spell(wanted));
        }
    }

    /// All operators have found their place, but for a SOFTMAX after the network's output.
    void finish() {
        int output = bound_[static_cast<std::size_t>(last_)];
        for (std::size_t i = 0; i < file_.operators.size(); ++i) {
            const tflite_operator& op = file_.operators[i];
            if (used_[i] || op.kind != tflite_kind::softmax || op.inputs[0] != output || i + 1 != file_.operators.size()) continue;
            used_[i] = true;
            output = op.output;
        }
        for (std::size_t i = 0; i < file_.operators.size(); ++i)
            if (!used_[i])
                fail(about_operator(i) + ", which reads " + about(file_.operators[i].inputs[0]) + ", is not in the network '" +
                     std::string(code_.model) + "'");
        if (output != file_.output) fail("its output is " + about(file_.output) + ", the network's is " + about(output));
    }

    safetensors file_of_tensors() const {
        // Maps that no step touches have a scale that does no harm.
        std::vector<float> scales(bound_.size(), 1.0f);
        std::vector<std::int32_t> zeros(bound_.size(), 0);
        for (std::size_t map = 0; map < bound_.size(); ++map)
            if (bound_[map] >= 0) {
                const quantization q = quantization_of(file_.tensor(bound_[map]));
                scales[map] = q.scale;
                zeros[map] = q.zero;
            }
        std::vector<safetensors::tensor> tensors = {{"maps.scale", "F32", {code_.maps}, std::as_bytes(std::span(scales))},
                                                    {"maps.zero", "I32", {code_.maps}, std::as_bytes(std::span(zeros))}};
        for (const owned_tensor& t : tensors_) tensors.push_back({t.name, t.type, t.shape, t.bytes});
        const safetensors::metadata_entry made[] = {{"format", std::string(code_.plan)}, {"imported", "TensorFlow Lite"}};
        return safetensors::parse(safetensors::serialize(made, tensors), file_.origin);
    }

    const executable& code_;
    const tflite_file& file_;
    std::vector<int> bound_;  ///< the tensor that each map of the network is; -1 where it is not known yet
    std::vector<bool> used_;  ///< the operators that are found again in the network
    std::vector<owned_tensor> tensors_;
    std::string layer_;
    int input_ = -1;
    int last_ = -1;
};

}  // namespace importing

/// The weights and scales of a TensorFlow Lite model, as quantize() would give them (systems/quantize.hpp): a weight file for `code` and
/// every other compilation of its model with 8-bit weights. Layers are found by what they read, not by name; normalizations are folded in
/// such files already, and a SOFTMAX at the end is left out. A convolution with a residual has two tensors more, the quantization of its
/// own result before the sum: NAME.sum.scale and NAME.sum.zero.
/// Throws dlas::error naming the file, the layer and what differs, where the model's graph is not the file's.
inline safetensors import_tflite(const executable& code, const tflite_file& file) { return importing::tflite_matcher(code, file).weights(); }

}  // namespace dlas
