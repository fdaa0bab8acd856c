// A network on a host: weights by name from a file, memory of its own. Systems Software; hosted.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <dlas/algorithms/fixed_point.hpp>
#include <dlas/core/aligned_bytes.hpp>
#include <dlas/core/error.hpp>
#include <dlas/optimizations/quantization.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/safetensors.hpp>
#include <dlas/systems/thread_pool.hpp>

namespace dlas {

/// Finds the tensors that a network names and checks their types and shapes; keeps count, so that none is left over.
class weight_reader {
public:
    explicit weight_reader(const safetensors& file) : file_(file), used_(file.tensors().size(), false) {}

    template <class Element = float>
    std::span<const Element> read(std::string_view layer, std::string_view parameter, std::vector<std::int64_t> wanted) {
        constexpr std::string_view type = std::same_as<Element, float> ? "F32" : std::same_as<Element, std::int32_t> ? "I32" : "I8";
        static_assert(std::same_as<Element, float> || std::same_as<Element, std::int32_t> || std::same_as<Element, std::int8_t>);
        const std::string name = std::string(layer) + "." + std::string(parameter);
        const safetensors::tensor* tensor = file_.find(name);
        if (tensor == nullptr) throw error(file_.origin() + ": tensor '" + name + "' is missing; the network needs it with shape " + spell(wanted));
        if (tensor->shape != wanted)
            throw error(file_.origin() + ": tensor '" + name + "' has shape " + spell(tensor->shape) + ", the network needs " + spell(wanted));
        if (tensor->dtype != type)
            throw error(file_.origin() + ": tensor '" + name + "' is " + tensor->dtype + ", the network needs " + std::string(type));
        used_[static_cast<std::size_t>(tensor - file_.tensors().data())] = true;
        return {reinterpret_cast<const Element*>(tensor->bytes.data()), tensor->bytes.size() / sizeof(Element)};
    }

    bool has(std::string_view layer, std::string_view parameter) const {
        return file_.find(std::string(layer) + "." + std::string(parameter)) != nullptr;
    }

    /// Every tensor of the file must have found its place.
    void finish() const {
        for (std::size_t i = 0; i < used_.size(); ++i)
            if (!used_[i] && !file_.tensors()[i].name.ends_with(".num_batches_tracked"))
                throw error(file_.origin() + ": tensor '" + file_.tensors()[i].name + "' is not a parameter of the network");
    }

private:
    static std::string spell(std::span<const std::int64_t> extents) {
        std::string text = "[";
        for (std::size_t i = 0; i < extents.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(extents[i]);
        return text + "]";
    }

    const safetensors& file_;
    std::vector<bool> used_;
};

/// The parameters of a convolution as its kernel sees them: normalizations folded.
struct folded_layer {
    std::vector<float> filter;  ///< OIHW
    std::vector<float> bias;
};

namespace packing {

inline double square_root(double x) { return std::sqrt(x); }

inline batch_norm_parameters batch_norm_of(const executable_step& step, weight_reader& reader) {
    auto read = [&](const char* parameter) { return reader.read(step.batch_norm, parameter, {step.channels}).data(); };
    return {read("weight"), read("bias"), read("running_mean"), read("running_var"), step.epsilon};
}

/// Integers stand for nothing without scales above 0 and zero points that eight bits hold, and kernels keep `bits` of a weight.
inline void check_scales(const safetensors& file, std::string_view tensor, std::span<const float> scales, scaling way) {
    for (std::size_t i = 0; i < scales.size(); ++i) {
        const bool in_range = scales[i] > 0 && scales[i] < 1e30f;
        if (in_range && (way != scaling::power_of_two || double{scales[i]} == std::ldexp(1.0, exponent_of(double{scales[i]})))) continue;
        throw error(file.origin() + ": element " + std::to_string(i) + " of tensor '" + std::string(tensor) + "' is " + std::to_string(scales[i]) +
                    (in_range ? "; this network scales by shifts, and each scale is a power of two" : "; a scale is above 0"));
    }
}
template <class Integer>
void check_integers(const safetensors& file, std::string_view tensor, std::span<const Integer> integers, int lowest, int highest) {
    for (std::size_t i = 0; i < integers.size(); ++i)
        if (integers[i] < lowest || integers[i] > highest)
            throw error(file.origin() + ": element " + std::to_string(i) + " of tensor '" + std::string(tensor) + "' is " +
                        std::to_string(static_cast<int>(integers[i])) + ", not from " + std::to_string(lowest) + " to " + std::to_string(highest));
}

inline std::vector<std::int64_t> filter_shape(const executable_step& step) {
    const conv2d_layer& layer = step.conv;
    if (step.linear) return {layer.channels, layer.in.elements()};
    return {layer.channels, layer.group_in(), layer.kernel.height, layer.kernel.width};
}

inline folded_layer folded(const executable_step& step, weight_reader& reader) {
    const conv2d_layer& layer = step.conv;
    const std::span<const float> stored = reader.read(step.layer, "weight", filter_shape(step));
    folded_layer result = {{stored.begin(), stored.end()}, std::vector<float>(static_cast<std::size_t>(layer.channels), 0.0f)};
    // Exporters fold batch normalizations too: such a file has a bias where the network has a normalization.
    const bool folded = !step.bias && !step.batch_norm.empty() && !reader.has(step.batch_norm, "weight") && reader.has(step.layer, "bias");
    if (step.bias || folded) std::ranges::copy(reader.read(step.layer, "bias", {layer.channels}), result.bias.begin());
    if (!step.batch_norm.empty() && !folded)
        fold_batch_norm(batch_norm_of(step, reader), layer.channels, layer.filter_elements() / layer.channels, result.filter.data(),
                        result.bias.data(), square_root);
    return result;
}

}  // namespace packing

namespace packing {

/// What the integers of a map stand for, as a file that was packed before says.
inline quantization map_quantization(const safetensors& file, int map) {
    float scale;
    std::int32_t zero;
    std::memcpy(&scale, file.find("maps.scale")->bytes.data() + sizeof scale * static_cast<std::size_t>(map), sizeof scale);
    std::memcpy(&zero, file.find("maps.zero")->bytes.data() + sizeof zero * static_cast<std::size_t>(map), sizeof zero);
    return {scale, zero};
}

/// Kernels that scale by powers of two shift sums to the right and residuals to the left, and the maps that they add have similar scales.
inline void check_shifts(const executable_step& step, const safetensors& file, const quantized_parameters& p) {
    const bool convolves = step.kind == step_kind::conv2d, adds = step.second_map >= 0;
    const double output = double{p.output.scale}, second = adds ? double{p.second.scale} : output, first = convolves ? output : double{p.input.scale};
    auto far = [](double a, double b) { return std::abs(exponent_of(a / b)) > most_shift; };
    if (adds && (far(first, output) || far(second, output) || far(first, second)))
        throw error(file.origin() + ": elements " + (convolves ? "" : std::to_string(step.input_map) + ", ") + std::to_string(step.second_map) +
                    " and " + std::to_string(step.output_map) +
                    " of tensor 'maps.scale', of maps that are added and of their sum, differ by more than 2^" + std::to_string(most_shift) +
                    ", the most that kernels shift by");
    for (int channel = 0; convolves && channel < step.conv.channels; ++channel) {
        const int shift = exponent_of((second < output ? second : output) / scale_of_products(p, channel)), most = adds ? 31 - most_shift : 31;
        if (shift < 0 || shift > most)
            throw error(file.origin() + ": element " + std::to_string(channel) + " of tensor '" + std::string(step.layer) +
                        ".scale' makes products of 2^" + std::to_string(-shift) + " times the scale of the " +
                        (second < output ? "residual" : "output") + "; kernels shift sums to the right, by " + std::to_string(most) +
                        " bits at most");
    }
}

/// Kernels that scale by fixed-point numbers hold sums of 30 bits, shifted by what a scale above 1 asks for; where these are powers of two, they
/// hold all that is added in 32 bits. Weights that take less than a byte take four of these.
inline void check_sums(const executable_step& step, const safetensors& file, const quantized_parameters& p, scaling way) {
    const std::int64_t elements = step.conv.filter_elements() / step.conv.channels;
    for (int channel = 0; channel < step.conv.channels; ++channel) {
        std::int64_t largest = 0, total = 0;
        for (std::int64_t i = 0; i < elements; ++i) {
            const std::int64_t weight = p.filter[channel * elements + i];
            largest += weight < 0 ? 128 * -weight : 128 * weight;
            total += weight;
        }
        if (largest == 0) continue;  // a bias alone is scaled when it is packed
        std::int64_t bias = p.bias[channel] - p.input.zero * total, most = std::int64_t{1} << 31;
        if (way == scaling::power_of_two) {
            const shifted_channel c = shifted_channel_of(p, channel, static_cast<std::int32_t>(total), true, step.conv.residual);
            bias = c.bias;
            if (step.conv.residual) largest += std::int64_t{128} << c.left;
        } else {
            const double result =
                step.scales_result ? scale_of_result<scaling::fixed_twice>(p, true) : scale_of_result<scaling::fixed_once>(p, step.conv.residual);
            const double scale = scale_of_products(p, channel) / result;
            most = (std::int64_t{1} << 29) >> (fixed_scale_of(scale).shift > 0 ? fixed_scale_of(scale).shift : 0);
        }
        largest += bias < 0 ? -bias : bias;
        if (largest >= (stored_weight_bits(step.weight_bits) < 8 ? most / 16 : most))
            throw error(file.origin() + ": the sums of channel " + std::to_string(channel) + " of '" + std::string(step.layer) + "' may reach " +
                        std::to_string(largest) + ", more than kernels of fixed-point numbers hold; its bias is too large for its scale" +
                        (way == scaling::power_of_two ? ", or its scale too small for the output's" : ""));
    }
}

/// Sums of products with integers of 16 bits fit 32 bits, whatever the image.
inline void check_sums_of_16_bits(const executable_step& step, const safetensors& file, const quantized_parameters& p) {
    const std::size_t elements = static_cast<std::size_t>(step.conv.filter_elements() / step.conv.channels);
    for (int channel = 0; channel < step.conv.channels; ++channel) {
        const std::int64_t weights = weight_sum({p.filter + static_cast<std::size_t>(channel) * elements, elements}), bias = p.bias[channel];
        const std::int64_t largest = weights * quantized_highest(element::s16) + (bias < 0 ? -bias : bias);
        if (largest >= std::int64_t{1} << 31)
            throw error(file.origin() + ": the sums of channel " + std::to_string(channel) + " of '" + std::string(step.layer) + "' may reach " +
                        std::to_string(largest) + ", more than 32 bits hold; its scale is too small for integers of 16 bits");
    }
}

}  // namespace packing

/// Packs a file's tensors for a compiled network, batch normalizations folded (or taken as they are from a file in which they
/// already are, where the convolution has no bias of its own). Steps whose feature maps are integers need a file that quantize()
/// made (systems/quantize.hpp). `packed` holds code.weight_bytes.
/// Throws dlas::error naming the tensor that is missing, left over, or of the wrong type or shape.
inline void pack_weights(const executable& code, const safetensors& file, std::byte* packed) {
    weight_reader reader(file);
    std::span<const float> scales;
    std::span<const std::int32_t> zeros;
    for (const executable_step& step : code.steps)
        if (step.pack_quantized != nullptr && scales.empty()) {
            scales = reader.read("maps", "scale", {code.maps});
            zeros = reader.read<std::int32_t>("maps", "zero", {code.maps});
            packing::check_scales(file, "maps.scale", scales, code.scaling);
            if (code.has_16_bits()) packing::check_integers(file, "maps.zero", zeros, 0, 0);
            else packing::check_integers(file, "maps.zero", zeros, -128, 127);
        }
    auto map = [&](int index) {
        if (index < 0) return quantization{};
        return quantization{scales[static_cast<std::size_t>(index)], zeros[static_cast<std::size_t>(index)]};
    };
    for (const executable_step& step : code.steps) {
        float* to = reinterpret_cast<float*>(packed + step.weights);
        if (step.pack_quantized != nullptr) {
            quantized_parameters parameters;
            parameters.input = map(step.input_map);
            parameters.second = map(step.second_map);
            parameters.output = map(step.output_map);
            // Of a file that has such scales for other plans.
            if (step.kind == step_kind::conv2d && !step.scales_result && reader.has(std::string(step.layer) + ".sum", "scale")) {
                reader.read(std::string(step.layer) + ".sum", "scale", {1});
                reader.read<std::int32_t>(std::string(step.layer) + ".sum", "zero", {1});
            }
            if (step.scales_result) {
                const std::string name = std::string(step.layer) + ".sum";
                const auto scale = reader.read(name, "scale", {1});
                const auto zero = reader.read<std::int32_t>(name, "zero", {1});
                packing::check_scales(file, name + ".scale", scale, code.scaling);
                packing::check_integers(file, name + ".zero", zero, -128, 127);
                parameters.sum = {scale[0], zero[0]};
            }
            if (step.kind == step_kind::conv2d) {
                const std::string name(step.layer);
                const auto filter = reader.read<std::int8_t>(step.layer, "weight", packing::filter_shape(step));
                const auto filter_scales = reader.read(step.layer, "scale", {step.channels});
                const int largest = (1 << (step.weight_bits - 1)) - 1;
                packing::check_integers(file, name + ".weight", filter, -largest - 1, largest);
                packing::check_scales(file, name + ".scale", filter_scales, code.scaling);
                parameters.filter = filter.data();
                parameters.bias = reader.read<std::int32_t>(step.layer, "bias", {step.channels}).data();
                parameters.filter_scales = filter_scales.data();
                if (reader.has(step.layer, "product")) {
                    const auto product = reader.read(step.layer, "product", {1});
                    packing::check_scales(file, name + ".product", product, code.scaling);
                    parameters.scale_product = product[0];
                }
            }
            if (code.scaling == scaling::power_of_two) packing::check_shifts(step, file, parameters);
            if (step.kind == step_kind::conv2d && code.scaling != scaling::real) packing::check_sums(step, file, parameters, code.scaling);
            if (step.kind == step_kind::conv2d && code.has_16_bits()) packing::check_sums_of_16_bits(step, file, parameters);
            step.pack_quantized(parameters, to);
        } else if (step.kind == step_kind::conv2d) {
            const folded_layer layer = packing::folded(step, reader);
            step.pack(layer.filter.data(), layer.bias.data(), to);
        } else if (step.kind == step_kind::affine) {
            const batch_norm_parameters parameters = packing::batch_norm_of(step, reader);
            for (int channel = 0; channel < step.channels; ++channel) {
                double scale, shift;
                batch_norm_scale(parameters, channel, scale, shift, packing::square_root);
                to[channel] = static_cast<float>(scale);
                to[step.channels + channel] = static_cast<float>(shift);
            }
        }
    }
    reader.finish();
}

/// A compiled network with its weights, its arena and, if its stack has threads<N>, its threads.
class host_network {
public:
    /// Throws dlas::error where the network's target cannot run here or the file does not fit the network.
    host_network(const executable& code, const safetensors& file) : host_network(code, [&](std::byte* packed) { pack_weights(code, file, packed); }) {
        if (code.image_type == element::s8) image_is_ = packing::map_quantization(file, code.steps.front().input_map);
        if (code.output_type == element::s8) output_is_ = packing::map_quantization(file, code.steps.back().output_map);
    }
    /// The same where pack(packed) writes the weights. Integers of the image and the output stand for themselves.
    template <std::invocable<std::byte*> Pack>
    host_network(const executable& code, Pack pack) : code_(&code), weights_(code.weight_bytes), arena_(code.arena_bytes) {
        if (!code.available())
            throw error("the target '" + std::string(code.target) + "' that the network was compiled for cannot run: " + std::string(code.unavailable_because()));
        pack(weights_.data());
        if (code.output_type == element::s8) real_output_.resize(static_cast<std::size_t>(code.output.elements()));
        threads_ = threads_for(code);
    }

    const executable& code() const { return *code_; }

    /// Runs one image (NHWC, preprocessed). The result is valid until the next run. Where the network's image or output are integers they
    /// are made from reals, or the reverse, by the file's scales.
    std::span<const float> operator()(std::span<const float> image) {
        check_image(image.size());
        const void* given = image.data();
        if (code_->image_type == element::s8) {
            integer_image_.resize(image.size());
            for (std::size_t i = 0; i < image.size(); ++i) integer_image_[i] = quantized_value(image[i], image_is_);
            given = integer_image_.data();
        }
        const std::byte* logits = run_steps(*code_, given, weights_.data(), arena_.data(), threads_.get());
        if (code_->output_type != element::s8) return {reinterpret_cast<const float*>(logits), static_cast<std::size_t>(code_->output.elements())};
        for (std::size_t i = 0; i < real_output_.size(); ++i)
            real_output_[i] = output_is_.scale * static_cast<float>(reinterpret_cast<const std::int8_t*>(logits)[i] - output_is_.zero);
        return real_output_;
    }
    /// Runs one image of integers, of a network that computes in nothing else.
    std::span<const std::int8_t> operator()(std::span<const std::int8_t> image) {
        check_image(image.size());
        if (code_->image_type != element::s8 || code_->output_type != element::s8)
            throw error("the network '" + std::string(code_->model) + "' has an image or an output of floats, not of integers");
        const std::byte* logits = run_steps(*code_, image.data(), weights_.data(), arena_.data(), threads_.get());
        return {reinterpret_cast<const std::int8_t*>(logits), static_cast<std::size_t>(code_->output.elements())};
    }

    const std::byte* weights() const { return weights_.data(); }
    std::byte* arena() { return arena_.data(); }

private:
    void check_image(std::size_t elements) const {
        if (elements != static_cast<std::size_t>(code_->input.elements()))
            throw error("the network '" + std::string(code_->model) + "' needs " + std::to_string(code_->input.elements()) + " input elements, got " +
                        std::to_string(elements));
    }

    quantization image_is_, output_is_;
    std::vector<std::int8_t> integer_image_;
    std::vector<float> real_output_;
    const executable* code_;
    aligned_bytes weights_;
    aligned_bytes arena_;
    std::unique_ptr<thread_pool> threads_;
};

}  // namespace dlas
