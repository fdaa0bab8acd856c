// A trained network whose layers have channels with weights of like size, to be rounded better. Systems Software; hosted.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <dlas/optimizations/equalization.hpp>
#include <dlas/systems/observer.hpp>

namespace dlas {

namespace equalizing {

/// The step that alone reads what a step makes, which nothing else joins (a concatenation is made by several); null where there is none.
inline const executable_step* only_reader(const executable& code, const executable_step& step) {
    const int map = step.output_map;
    int writers = 0, readers = code.steps.back().output_map == map;  // the caller reads the output
    const executable_step* found = nullptr;
    for (const executable_step& other : code.steps) {
        writers += other.output_map == map;
        for (const int read : {other.input_map, other.second_map, other.gate_map}) readers += read == map;
        if (other.input_map == map) found = &other;
    }
    return writers == 1 && readers == 1 ? found : nullptr;
}

/// The convolution that alone reads what a convolution makes, pooled perhaps, where both may be scaled; null where there is none.
inline const executable_step* second_of_pair(const executable& code, const executable_step& first) {
    const bool scales = first.activation == activation::none || first.activation == activation::relu || first.activation == activation::relu6;
    if (!scales || first.second_map >= 0) return nullptr;  // of a sum, the residual would have to be scaled too
    const executable_step* reader = only_reader(code, first);
    while (reader != nullptr && (reader->kind == step_kind::pool2d || reader->kind == step_kind::global_average_pool))
        reader = only_reader(code, *reader);
    return reader != nullptr && reader->kind == step_kind::conv2d ? reader : nullptr;
}

/// The tensors of a file, of which those that are changed are copied first.
class changed_tensors {
public:
    explicit changed_tensors(const safetensors& file) : tensors_(file.tensors().begin(), file.tensors().end()), copies_(tensors_.size()) {}

    /// Empty where there is no such tensor.
    std::span<float> find(std::string_view layer, std::string_view parameter) {
        const auto tensor = std::ranges::find(tensors_, std::string(layer) + "." + std::string(parameter), &safetensors::tensor::name);
        if (tensor == tensors_.end()) return {};
        std::vector<float>& copy = copies_[static_cast<std::size_t>(tensor - tensors_.begin())];
        if (copy.empty()) {
            copy.assign(tensor->f32().begin(), tensor->f32().end());
            tensor->bytes = std::as_bytes(std::span(copy));
        }
        return copy;
    }
    std::span<const safetensors::tensor> tensors() const { return tensors_; }

private:
    std::vector<safetensors::tensor> tensors_;
    std::vector<std::vector<float>> copies_;
};

}  // namespace equalizing

/// Equalizes the weights of a trained network: where one convolution alone reads what another makes, each channel between them is divided by a
/// power of two that gives the weights before and behind it like magnitudes (optimizations/equalization.hpp). What quantize() rounds with one
/// scale for all weights of a layer needs that. `floats` is the model under observed<Target>; image(i) for i < images gives calibration images
/// as for quantize(), which say how far a channel may be enlarged.
/// The result has the tensors of `file`, and the same logits, bit for bit: under ReLU6 for all images in which no channel that stayed below 6
/// on the calibration images reaches further than on those.
/// Throws dlas::error where the network is not one to be observed, there are no images, or the file does not fit.
template <gives_images Image>
safetensors equalize(const executable& floats, const safetensors& file, int images, Image&& image) {
    using namespace equalizing;
    observer observe("equalize", floats, file);
    std::vector<std::vector<float>> largest(floats.steps.size());  // magnitude of each channel
    observe(images, image, [&](const executable_step& step, const kernel_arguments& a, std::size_t s) {
        if (step.kind != step_kind::conv2d) return;
        largest[s].resize(static_cast<std::size_t>(step.channels));
        for_each_element(a.output, step.output_shape, step.output_place, [&](int channel, float x) {
            float& most = largest[s][static_cast<std::size_t>(channel)];
            most = std::max(most, std::fabs(x));
        });
    });

    std::vector<const executable_step*> steps;  // of the filters
    std::vector<equalized_filter> filters;
    std::vector<equalized_pair> pairs;
    weight_reader reader(file);
    for (const executable_step& step : floats.steps) {
        if (step.kind != step_kind::conv2d) continue;
        steps.push_back(&step);
        filters.push_back({step.conv, packing::folded(step, reader).filter});
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const executable_step* second = second_of_pair(floats, *steps[i]);
        if (second == nullptr) continue;
        equalized_pair& pair = pairs.emplace_back();
        pair.first = static_cast<int>(i);
        pair.second = static_cast<int>(std::ranges::find(steps, second) - steps.begin());
        const std::vector<float>& channels = largest[static_cast<std::size_t>(steps[i] - floats.steps.data())];
        const float map = *std::ranges::max_element(channels);
        for (const float channel : channels) pair.bounds.push_back(bounds_of_channel(steps[i]->activation, channel, map));
    }
    equalize_filters(filters, pairs);

    changed_tensors changed(file);
    for (const equalized_pair& pair : pairs) {
        const executable_step &first = *steps[static_cast<std::size_t>(pair.first)], &second = *steps[static_cast<std::size_t>(pair.second)];
        // A normalization that follows is scaled in place of what it follows.
        const bool normalized = reader.has(first.batch_norm, "weight");
        const std::span<float> to = changed.find(normalized ? first.batch_norm : first.layer, "weight");
        const std::span<float> bias = changed.find(normalized ? first.batch_norm : first.layer, "bias");
        const std::span<float> from = changed.find(second.layer, "weight");
        for (std::size_t c = 0; c < pair.exponents.size(); ++c) {
            const int channel = static_cast<int>(c), exponent = pair.exponents[c];
            auto divide = [exponent](float& x) { x = std::ldexp(x, -exponent); };
            if (normalized)
                divide(to[c]);
            else
                for_each_weight_to(channel, first.conv, to, divide);
            if (!bias.empty()) divide(bias[c]);
            for_each_weight_from(channel, second.conv, from, [exponent](float& x) { x = std::ldexp(x, exponent); });
        }
    }
    return safetensors::parse(safetensors::serialize(file.metadata(), changed.tensors()), file.origin() + ", equalized");
}

}  // namespace dlas
