// From a trained network and a few hundred images to a network of integers. Systems Software; hosted.
#pragma once

#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <dlas/optimizations/quantization.hpp>
#include <dlas/optimizations/rounding.hpp>
#include <dlas/systems/observer.hpp>

namespace dlas {

struct quantize_options {
    range_rule ranges = range_rule::min_max;
    bool correct_biases = true;  ///< makes up for what rounding the weights does to the mean of each channel
    weight_scales weights = weight_scales::per_channel;
    weight_rounding rounding = weight_rounding::together;
};

namespace quantizing {

/// What calibration images leave in a step's output, and what a convolution finds in its input: the sum of each channel, and more.
struct observation {
    value_range range;
    value_histogram histogram;
    std::vector<double> channel_sums;
    std::vector<input_moments> moments;  ///< of each group of filters whose weights are rounded together
};

/// Filters of more weights are rounded weight by weight, for the square of their number counts.
inline constexpr std::size_t most_inputs = 2048;

constexpr std::size_t filter_inputs(const conv2d_layer& layer) { return static_cast<std::size_t>(layer.filter_elements() / layer.channels); }

/// Samples what a convolution's filters see: of all images together several times as many windows as a filter has weights.
inline void sample_windows(const executable_step& step, const void* input, int images, std::vector<input_moments>& moments) {
    constexpr int times = 16;
    const conv2d_layer& layer = step.conv;
    const placement place = step.input_place;
    std::vector<float> window(filter_inputs(layer));
    const int pixels = layer.out().pixels(), wanted = times * static_cast<int>(window.size()) / images + 1;
    const int distance = pixels > wanted ? pixels / wanted : 1;
    for (int pixel = static_cast<int>(moments[0].samples() % distance); pixel < pixels; pixel += distance) {  // others in each image
        const int row = pixel / layer.out().width * layer.stride.height - layer.padding.top;
        const int column = pixel % layer.out().width * layer.stride.width - layer.padding.left;
        for (int group = 0; group < layer.groups; ++group) {
            const float* first = static_cast<const float*>(input) + std::int64_t{row} * place.row_stride + column * place.pixel_stride + group * layer.group_in();
            float* to = window.data();
            for (int channel = 0; channel < layer.group_in(); ++channel)
                for (int y = 0; y < layer.kernel.height; ++y)
                    for (int x = 0; x < layer.kernel.width; ++x)
                        *to++ = first[std::int64_t{y} * layer.dilation.height * place.row_stride + x * layer.dilation.width * place.pixel_stride + channel];
            moments[static_cast<std::size_t>(group)].add(window);
        }
    }
}

/// Maps through which integers go unchanged have one scale: the index of each map's representative.
inline std::vector<int> groups_of_maps(const executable& code, const executable& floats) {
    std::vector<int> group(static_cast<std::size_t>(code.maps));
    std::iota(group.begin(), group.end(), 0);
    for (const auto& steps : {floats.steps, code.steps})
        for (const executable_step& step : steps) {
            if (!step.keeps_scale || step.input_map < 0) continue;
            const int from = group[static_cast<std::size_t>(step.input_map)], to = group[static_cast<std::size_t>(step.output_map)];
            for (int& g : group)
                if (g == to) g = from;
        }
    return group;
}

}  // namespace quantizing

/// Quantizes a trained network for `code`, by what the float network `floats` (the same model under observed<Target>) holds on calibration
/// images: filters with a scale for each output channel or each layer, rounded so that their sums differ least, and feature maps.
/// image(i) for i < images gives an image, preprocessed, NHWC.
/// The result is a weight file for `code` and every other compilation of the plan; layers in floats keep their parameters, folded.
/// Throws dlas::error where the two are not one model, there are no images, or the file does not fit.
template <gives_images Image>
safetensors quantize(const executable& code, const executable& floats, const safetensors& file, int images, Image&& image,
                     const quantize_options& options = {}) {
    using namespace quantizing;
    if (code.model != floats.model || code.maps != floats.maps)
        throw error("quantize: '" + std::string(code.model) + "' is to be quantized, '" + std::string(floats.model) + "' observed; they must be one model");
    observer observe("quantize", floats, file);
    std::vector<observation> seen(floats.steps.size());
    auto observation_of = [&](const executable_step& step) -> observation& {
        auto observed_step = std::ranges::find_if(floats.steps, [&](const executable_step& s) { return s.kind == step_kind::conv2d && s.layer == step.layer; });
        if (observed_step == floats.steps.end()) throw error("quantize: layer '" + std::string(step.layer) + "' is not in the observed network");
        return seen[static_cast<std::size_t>(observed_step - floats.steps.begin())];
    };
    for (const executable_step& step : code.steps) {
        if (step.kind != step_kind::conv2d || step.pack_quantized == nullptr) continue;
        observation& o = observation_of(step);
        const std::size_t inputs = filter_inputs(step.conv);
        if (options.rounding == weight_rounding::together && inputs <= most_inputs)
            o.moments.assign(static_cast<std::size_t>(step.conv.groups), input_moments(inputs));
    }
    observe(images, image, [&](const executable_step& step, const kernel_arguments& a, std::size_t s) {
        observation& o = seen[s];
        for_each_element(a.output, step.output_shape, step.output_place, [&](int, float x) { o.range.include(x); });
        if (step.kind != step_kind::conv2d) return;
        o.channel_sums.resize(static_cast<std::size_t>(step.conv.in.channels));
        for_each_element(a.input, step.conv.in, step.input_place,
                         [&](int channel, float x) { o.channel_sums[static_cast<std::size_t>(channel)] += double{x}; });
        if (!o.moments.empty()) sample_windows(step, a.input, images, o.moments);
    });
    if (options.ranges != range_rule::min_max) {
        for (observation& o : seen) o.histogram = value_histogram(o.range);
        observe(images, image, [&](const executable_step& step, const kernel_arguments& a, std::size_t s) {
            for_each_element(a.output, step.output_shape, step.output_place, [&](int, float x) { seen[s].histogram.count(x); });
        });
    }

    const bool shifts = code.scaling == scaling::power_of_two;
    const map_integers integers = {code.has_16_bits() ? element::s16 : element::s8, shifts};
    const auto maps = static_cast<std::size_t>(code.maps);
    const std::vector<int> group = groups_of_maps(code, floats);
    std::vector<value_range> ranges(maps);
    for (std::size_t s = 0; s < seen.size(); ++s) {
        const value_range chosen = options.ranges == range_rule::min_max ? seen[s].range : seen[s].histogram.range(options.ranges, integers);
        ranges[static_cast<std::size_t>(group[static_cast<std::size_t>(floats.steps[s].output_map)])].include(chosen);
    }
    std::vector<float> scales(maps);
    std::vector<std::int32_t> zeros(maps);
    for (std::size_t m = 0; m < maps; ++m) {
        const value_range& range = ranges[static_cast<std::size_t>(group[m])];
        const quantization q = quantization_for(range, integers);
        scales[m] = q.scale;
        zeros[m] = q.zero;
    }

    struct layer_tensors {
        folded_layer floats;
        std::vector<std::int8_t> filter;
        std::vector<std::int32_t> bias;
        std::vector<float> scales;
        quantization sum;  ///< of its result before a residual is added
    };
    std::vector<layer_tensors> layers;
    layers.reserve(code.steps.size());
    std::vector<safetensors::tensor> tensors = {{"maps.scale", "F32", {code.maps}, std::as_bytes(std::span(scales))},
                                                {"maps.zero", "I32", {code.maps}, std::as_bytes(std::span(zeros))}};
    weight_reader reader(file);
    // Steps in floats keep their parameters as they are.
    auto keep = [&](std::string_view layer, std::string_view parameter) {
        const safetensors::tensor* t = file.find(std::string(layer) + "." + std::string(parameter));
        if (t == nullptr || std::ranges::find(tensors, t->name, &safetensors::tensor::name) != tensors.end()) return;
        tensors.push_back(*t);
    };
    for (const executable_step& step : code.steps) {
        if (step.pack_quantized == nullptr && (step.kind == step_kind::conv2d || step.kind == step_kind::affine)) {
            for (const char* parameter : {"weight", "bias"}) keep(step.layer, parameter);
            for (const char* parameter : {"weight", "bias", "running_mean", "running_var"}) keep(step.batch_norm, parameter);
        }
        if (step.kind != step_kind::conv2d || step.pack_quantized == nullptr) continue;
        const observation& o = observation_of(step);
        layer_tensors& t = layers.emplace_back();
        t.floats = packing::folded(step, reader);
        const std::string name(step.layer);
        const conv2d_layer& layer = step.conv;
        const auto channels = static_cast<std::size_t>(layer.channels), elements = filter_inputs(layer);
        const auto area = static_cast<std::size_t>(layer.kernel.area());
        t.filter.resize(t.floats.filter.size());
        t.bias.resize(channels);
        t.scales.resize(channels);
        const double input_scale = double{scales[static_cast<std::size_t>(step.input_map)]};
        const int bias_bits = code.scaling == scaling::real ? 29 : shifts ? 22 : 24;  // fixed-point numbers leave less room
        const std::int64_t most_weights = code.has_16_bits() ? most_weights_of_16_bits : std::numeric_limits<std::int64_t>::max();
        // A scale stands for the filters of so many channels.
        const std::size_t sharing = options.weights == weight_scales::per_tensor ? channels : 1;
        for (std::size_t first = 0; first < channels; first += sharing) {
            double largest_bias = 0;
            for (std::size_t channel = first; channel < first + sharing; ++channel)
                largest_bias = std::max(largest_bias, std::fabs(double{t.floats.bias[channel]}));
            scale_rule rule = {.least = least_scale_for(largest_bias, input_scale, bias_bits)};
            if (shifts) {
                // Sums are shifted to the right, to the output's scale and to no finer one than the residual's; by so few bits that zero points fit.
                const float output = scales[static_cast<std::size_t>(step.output_map)];
                const float residual = step.second_map < 0 ? output : scales[static_cast<std::size_t>(step.second_map)];
                rule.power_of_two = true;
                rule.most = static_cast<float>(double{std::fmin(output, residual)} / input_scale);
                rule.least = std::fmax(rule.least, std::ldexp(rule.most, -most_shift));
            }
            const float scale = quantize_filters(std::span(t.floats.filter).subspan(first * elements, sharing * elements), sharing, step.weight_bits,
                                                 std::span(t.filter).subspan(first * elements, sharing * elements), rule, most_weights);
            std::fill_n(t.scales.begin() + static_cast<std::ptrdiff_t>(first), sharing, scale);
        }
        std::vector<double> moments;  // of a group's inputs
        for (std::size_t channel = 0; channel < channels; ++channel) {
            const auto filter = std::span(t.floats.filter).subspan(channel * elements, elements);
            const auto rounded = std::span(t.filter).subspan(channel * elements, elements);
            if (!o.moments.empty()) {
                const auto group_out = static_cast<std::size_t>(layer.group_out());
                if (channel % group_out == 0) moments = o.moments[channel / group_out].matrix(options.correct_biases);
                const std::vector<std::int8_t> nearest(rounded.begin(), rounded.end());
                round_together(filter, t.scales[channel], step.weight_bits, moments, rounded);
                if (weight_sum(rounded) > most_weights) std::ranges::copy(nearest, rounded.begin());
            }
            double bias = double{t.floats.bias[channel]};
            if (options.correct_biases) {
                const std::size_t first = channel / static_cast<std::size_t>(layer.group_out()) * static_cast<std::size_t>(layer.group_in());
                const double pixels = double(images) * layer.in.pixels();
                for (std::size_t i = 0; i < elements; ++i)
                    bias += (double{filter[i]} - double{t.scales[channel]} * rounded[i]) * o.channel_sums[first + i / area] / pixels;
            }
            t.bias[channel] = quantize_bias(bias, input_scale * double{t.scales[channel]});
        }
        tensors.push_back({name + ".weight", "I8", packing::filter_shape(step), std::as_bytes(std::span(t.filter))});
        tensors.push_back({name + ".bias", "I32", {step.channels}, std::as_bytes(std::span(t.bias))});
        tensors.push_back({name + ".scale", "F32", {step.channels}, std::as_bytes(std::span(t.scales))});
        if (!step.scales_result) continue;
        // What lies further out than the output's range less the residual's is cut off by the sum.
        const value_range out = ranges[static_cast<std::size_t>(group[static_cast<std::size_t>(step.output_map)])];
        const value_range residual = ranges[static_cast<std::size_t>(group[static_cast<std::size_t>(step.second_map)])];
        t.sum = quantization_for({out.low - residual.high, out.high - residual.low});
        tensors.push_back({name + ".sum.scale", "F32", {1}, std::as_bytes(std::span(&t.sum.scale, 1))});
        tensors.push_back({name + ".sum.zero", "I32", {1}, std::as_bytes(std::span(&t.sum.zero, 1))});
    }
    const safetensors::metadata_entry made[] = {{"format", std::string(code.plan)}, {"ranges", std::string(range_rule_name(options.ranges))},
                                               {"weight_scales", std::string(weight_scales_name(options.weights))},
                                               {"rounding", std::string(weight_rounding_name(options.rounding))}};
    return safetensors::parse(safetensors::serialize(made, tensors), std::string(code.model) + ", quantized");
}

}  // namespace dlas
