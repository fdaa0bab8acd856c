// From a trained network and a few hundred images to a network of integers. Systems Software; hosted.
#pragma once

#include <concepts>
#include <numeric>
#include <string>
#include <vector>

#include <dlas/optimizations/quantization.hpp>
#include <dlas/systems/host_network.hpp>

namespace dlas {

struct quantize_options {
    range_rule ranges = range_rule::min_max;
    bool correct_biases = true;  ///< makes up for what rounding the weights does to the mean of each channel
};

namespace quantizing {

/// What calibration images leave in a step's output, and the mean of each channel of a convolution's input.
struct observation {
    value_range range;
    value_histogram histogram;
    std::vector<double> channel_sums;
};

/// Visits the elements of a feature map, channels innermost.
template <class Visit>
void for_each_element(const float* first, shape map, placement place, Visit visit) {
    for (int row = 0; row < map.height; ++row)
        for (int column = 0; column < map.width; ++column)
            for (int channel = 0; channel < map.channels; ++channel)
                visit(channel, first[std::int64_t{row} * place.row_stride + column * place.pixel_stride + channel]);
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

/// Quantizes a trained network for `code`: the filters of its integer layers by output channel, feature maps by what the float network
/// `floats` (the same model under observed<Target>) holds on calibration images: image(i) for i < images gives one, preprocessed, NHWC.
/// The result is a weight file for `code` and every other compilation of the plan; layers in floats keep their parameters, folded.
/// Throws dlas::error where the two are not one model, there are no images, or the file does not fit.
template <class Image>
    requires requires(Image& image) { std::span<const float>(image(0)); }
safetensors quantize(const executable& code, const executable& floats, const safetensors& file, int images, Image&& image,
                     const quantize_options& options = {}) {
    using namespace quantizing;
    if (code.model != floats.model || code.maps != floats.maps)
        throw error("quantize: '" + std::string(code.model) + "' is to be quantized, '" + std::string(floats.model) + "' observed; they must be one model");
    if (!floats.available())
        throw error("quantize: the target '" + std::string(floats.target) + "' of the observed network cannot run: " + std::string(floats.unavailable_because()));
    for (const executable_step& step : floats.steps)
        if (step.output_place.type != element::f32 || step.input_place.type != element::f32)
            throw error("quantize: the observed network '" + std::string(floats.plan) + "' is not of f32; observe one of observed<Target>");
    if (images < 1) throw error("quantize: '" + std::string(code.model) + "' needs at least one calibration image");

    aligned_bytes weights(floats.weight_bytes), arena(floats.arena_bytes);
    pack_weights(floats, file, weights.data());
    std::vector<observation> seen(floats.steps.size());
    auto observe = [&](auto visit) {
        for (int i = 0; i < images; ++i) {
            const std::span<const float> pixels = image(i);
            if (pixels.size() != static_cast<std::size_t>(floats.input.elements()))
                throw error("quantize: calibration image " + std::to_string(i) + " has " + std::to_string(pixels.size()) + " elements, the network needs " +
                            std::to_string(floats.input.elements()));
            for (std::size_t s = 0; s < floats.steps.size(); ++s) {
                const executable_step& step = floats.steps[s];
                if (step.run == nullptr) throw error("quantize: step '" + std::string(step.layer) + "' runs with others; observe a network of observed<Target>");
                fill_halo(step, weights.data(), arena.data());
                const kernel_arguments arguments = arguments_of(step, pixels.data(), weights.data(), arena.data());
                step.run(arguments);
                visit(step, arguments, seen[s]);
            }
        }
    };
    observe([](const executable_step& step, const kernel_arguments& a, observation& o) {
        for_each_element(static_cast<const float*>(a.output), step.output_shape, step.output_place, [&](int, float x) { o.range.include(x); });
        if (step.kind != step_kind::conv2d) return;
        o.channel_sums.resize(static_cast<std::size_t>(step.conv.in.channels));
        for_each_element(static_cast<const float*>(a.input), step.conv.in, step.input_place,
                         [&](int channel, float x) { o.channel_sums[static_cast<std::size_t>(channel)] += double{x}; });
    });
    if (options.ranges != range_rule::min_max) {
        for (observation& o : seen) o.histogram = value_histogram(o.range);
        observe([](const executable_step& step, const kernel_arguments& a, observation& o) {
            for_each_element(static_cast<const float*>(a.output), step.output_shape, step.output_place, [&](int, float x) { o.histogram.count(x); });
        });
    }

    const bool shifts = code.scaling == scaling::power_of_two;
    const auto maps = static_cast<std::size_t>(code.maps);
    const std::vector<int> group = groups_of_maps(code, floats);
    std::vector<value_range> ranges(maps);
    for (std::size_t s = 0; s < seen.size(); ++s) {
        const value_range chosen = options.ranges == range_rule::min_max ? seen[s].range : seen[s].histogram.range(options.ranges, shifts);
        ranges[static_cast<std::size_t>(group[static_cast<std::size_t>(floats.steps[s].output_map)])].include(chosen);
    }
    std::vector<float> scales(maps);
    std::vector<std::int32_t> zeros(maps);
    for (std::size_t m = 0; m < maps; ++m) {
        const quantization q = quantization_for(ranges[static_cast<std::size_t>(group[m])], shifts);
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
        auto observed_step = std::ranges::find_if(floats.steps, [&](const executable_step& s) { return s.kind == step_kind::conv2d && s.layer == step.layer; });
        if (observed_step == floats.steps.end()) throw error("quantize: layer '" + std::string(step.layer) + "' is not in the observed network");
        const observation& o = seen[static_cast<std::size_t>(observed_step - floats.steps.begin())];
        layer_tensors& t = layers.emplace_back();
        t.floats = packing::folded(step, reader);
        const std::string name(step.layer);
        const conv2d_layer& layer = step.conv;
        const auto channels = static_cast<std::size_t>(layer.channels), elements = t.floats.filter.size() / channels;
        const auto area = static_cast<std::size_t>(layer.kernel.area());
        t.filter.resize(t.floats.filter.size());
        t.bias.resize(channels);
        t.scales.resize(channels);
        for (std::size_t channel = 0; channel < channels; ++channel) {
            const auto filter = std::span(t.floats.filter).subspan(channel * elements, elements);
            const auto rounded = std::span(t.filter).subspan(channel * elements, elements);
            const double input_scale = double{scales[static_cast<std::size_t>(step.input_map)]};
            const int bias_bits = code.scaling == scaling::real ? 29 : shifts ? 22 : 24;  // fixed-point numbers leave less room
            scale_rule rule = {.least = least_scale_for(double{t.floats.bias[channel]}, input_scale, bias_bits)};
            if (shifts) {
                // Sums are shifted to the right, to the output's scale and to no finer one than the residual's; by so few bits that zero points fit.
                const float output = scales[static_cast<std::size_t>(step.output_map)];
                const float residual = step.second_map < 0 ? output : scales[static_cast<std::size_t>(step.second_map)];
                rule.power_of_two = true;
                rule.most = static_cast<float>(double{std::fmin(output, residual)} / input_scale);
                rule.least = std::fmax(rule.least, std::ldexp(rule.most, -most_shift));
            }
            t.scales[channel] = quantize_filter(filter, step.weight_bits, rounded, rule);
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
    const safetensors::metadata_entry made[] = {{"format", std::string(code.plan)}, {"ranges", std::string(range_rule_name(options.ranges))}};
    return safetensors::parse(safetensors::serialize(made, tensors), std::string(code.model) + ", quantized");
}

}  // namespace dlas
