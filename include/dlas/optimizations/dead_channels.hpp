// Channels that make no difference to a network of integers, whatever its image, removed without a bit of its output changed.
// Model Optimizations; hosted.
//
// From the weights and the arithmetic of the kernels follows which integers each channel can hold. One that can hold a single integer joins
// the biases of its readers, where padding is that integer too or is not seen; one that only weights of zero meet is not missed either.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dlas/algorithms/fixed_point.hpp>
#include <dlas/core/aligned_bytes.hpp>
#include <dlas/core/error.hpp>
#include <dlas/hardware/scalar.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/safetensors.hpp>

namespace dlas {

/// What is left of a convolution.
struct kept_layer {
    std::string name;
    int channels = 0;       ///< that it had
    std::vector<int> kept;  ///< of these, ascending
};

/// A network without its dead channels.
struct narrow_network {
    std::string model;
    std::vector<kept_layer> layers;  ///< the convolutions, in the order of the graph
    safetensors weights;             ///< of narrowed<Model, Kept> (models/narrowed.hpp) under every plan that scales as the given one
};

namespace dead_channels {

/// The integers that a channel can hold.
struct interval {
    int low = -128;
    int high = 127;

    constexpr bool constant() const { return low == high; }
    constexpr interval with(int x) const { return {low < x ? low : x, high > x ? high : x}; }
};

/// The sums of a convolution's channel.
struct sum_interval {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

/// Which taps of a window see padding somewhere.
inline std::vector<bool> padded_taps(const conv2d_layer& layer) {
    auto leaves = [](int tap, int before, int stride, int outputs, int size) {
        return tap < before || tap - before + (outputs - 1) * stride >= size;
    };
    std::vector<bool> padded;
    for (int row = 0; row < layer.kernel.height; ++row)
        for (int column = 0; column < layer.kernel.width; ++column)
            padded.push_back(leaves(row * layer.dilation.height, layer.padding.top, layer.stride.height, layer.out().height, layer.in.height) ||
                             leaves(column * layer.dilation.width, layer.padding.left, layer.stride.width, layer.out().width, layer.in.width));
    return padded;
}

/// Whether kernels scale a sum as scaled_exactly() does: in 32 bits.
constexpr bool scales_exactly(std::int64_t sum, const fixed_scale& scale) {
    const std::int64_t most = scale.shift < 0 ? std::int64_t{1} << 30 : (std::int64_t{1} << 29) >> scale.shift;
    return sum > -most && sum < most;
}

constexpr std::int32_t saturated(std::int32_t x) { return x < -128 ? -128 : x > 127 ? 127 : x; }

/// What the bytes of a step's output are bounded by.
constexpr std::int32_t clamped(std::int32_t x, const fixed_parameters& f) {
    x = saturated(x);
    return x < f.low ? f.low : x > f.high ? f.high : x;
}

/// A feature map, as the steps that touch it see it.
struct feature_map {
    int tied = -1;  ///< to this one: of both, the same channels stay
    int channels = 0;
    int writers = 0;
    bool stays = false;  ///< all of its channels
    std::vector<interval> holds;
    std::vector<bool> needed;  ///< of the map that the others are tied to
};

/// A convolution as its kernel has it.
struct convolution {
    const executable_step* step;
    quantized_parameters parameters;
    std::vector<bool> padded;        ///< taps
    std::vector<sum_interval> sums;  ///< of each channel
    std::vector<bool> constant;      ///< channels that hold one integer before a residual is added, if there is one
    std::vector<bool>
        keeps_weights;  ///< channels whose sums leave 32 bits, or would be a bias alone: that is scaled when it is packed, within bounds

    const conv2d_layer& layer() const { return step->conv; }
    bool sums_all() const { return layer().groups == 1; }
    const std::int8_t* weights(int channel, int input) const {
        return parameters.filter + (std::int64_t{channel} * layer().group_in() + input) * layer().kernel.area();
    }
};

template <scaling Scaling>
class remover {
public:
    remover(const executable& code, const safetensors& file) : code_(code), file_(file), maps_(static_cast<std::size_t>(code.maps)) {
        for (int i = 0; i < code.maps; ++i) map(i).tied = i;
        for (const executable_step& step : code.steps) look_at(step);
        stay(code.steps.back().output_map);
        for (feature_map& m : maps_)
            if (m.writers != 1) m.stays = true;  // the image, and the parts of concatenations
        for (int i = 0; i < code.maps; ++i)
            if (map(i).stays) root(i).stays = true;
        for (const executable_step& step : code.steps) find_integers(step);
        find_needed();
    }

    narrow_network result() const {
        narrow_network narrow;
        narrow.model = std::string(code_.model);
        std::map<std::string, owned_tensor> changed;
        for (const convolution& c : convolutions_) {
            narrow.layers.push_back({std::string(c.step->layer), c.layer().channels, kept(c.step->output_map, c.layer().channels)});
            narrow_weights(c, changed);
        }
        std::vector<safetensors::tensor> tensors(file_.tensors().begin(), file_.tensors().end());
        for (safetensors::tensor& t : tensors)
            if (const auto found = changed.find(t.name); found != changed.end()) {
                t.shape = found->second.shape;
                t.bytes = found->second.bytes;
            }
        narrow.weights = safetensors::parse(safetensors::serialize(file_.metadata(), tensors), file_.origin() + ", narrowed");
        return narrow;
    }

private:
    struct owned_tensor {
        std::vector<std::int64_t> shape;
        std::vector<std::byte> bytes;
    };

    feature_map& map(int index) { return maps_[static_cast<std::size_t>(index)]; }
    const feature_map& map(int index) const { return maps_[static_cast<std::size_t>(index)]; }
    /// The map that stands for all that are tied to it.
    int root_of(int index) const {
        while (map(index).tied != index) index = map(index).tied;
        return index;
    }
    feature_map& root(int index) { return map(root_of(index)); }
    const feature_map& root(int index) const { return map(root_of(index)); }

    void stay(int index) {
        if (index >= 0) map(index).stays = true;
    }
    void tie(int a, int b) {
        if (a >= 0 && b >= 0) root(a).tied = root_of(b);
    }

    /// Maps of one number that differ in channels are parts of one concatenation.
    void touch(int index, int channels) {
        if (index < 0) return;
        feature_map& m = map(index);
        if (m.channels != 0 && m.channels != channels) m.stays = true;
        m.channels = std::max(m.channels, channels);
    }

    void look_at(const executable_step& step) {
        const int in = step.input_map, second = step.second_map, out = step.output_map;
        if (step.input_place.type != element::s8 || step.output_place.type != element::s8)
            throw error("remove_dead_channels: '" + std::string(code_.model) + "' has a step that computes in floats");
        ++map(out).writers;
        touch(out, step.output_shape.channels);
        touch(second, step.output_shape.channels);
        switch (step.kind) {
            case step_kind::conv2d: {
                touch(in, step.conv.in.channels);
                convolutions_.push_back(read(step));
                if (step.conv.depthwise()) {
                    tie(in, out);
                } else if (step.conv.groups > 1) {
                    stay(in);
                    stay(out);
                }
                tie(second, out);
                break;
            }
            case step_kind::add:
                tie(second, out);
                [[fallthrough]];
            case step_kind::pool2d:
            case step_kind::global_average_pool:
            case step_kind::copy:
                touch(in, step.output_shape.channels);
                tie(in, out);
                break;
            case step_kind::load_input:
            case step_kind::multiply:
            case step_kind::affine:
            case step_kind::activate:
            case step_kind::subsample:
                stay(in);
                stay(second);
                stay(out);
                break;
        }
    }

    template <class Element>
    const Element* elements(std::string_view layer, const char* parameter) const {
        const safetensors::tensor* t = file_.find(std::string(layer) + "." + parameter);
        return t == nullptr ? nullptr : reinterpret_cast<const Element*>(t->bytes.data());
    }

    quantization quantization_of(int index) const { return index < 0 ? quantization{} : packing::map_quantization(file_, index); }

    quantized_parameters parameters_of(const executable_step& step) const {
        quantized_parameters p;
        p.input = quantization_of(step.input_map);
        p.second = quantization_of(step.second_map);
        p.output = quantization_of(step.output_map);
        return p;
    }

    convolution read(const executable_step& step) const {
        convolution c = {&step, parameters_of(step), padded_taps(step.conv), {}, {}, {}};
        quantized_parameters& p = c.parameters;
        p.filter = elements<std::int8_t>(step.layer, "weight");
        p.bias = elements<std::int32_t>(step.layer, "bias");
        p.filter_scales = elements<float>(step.layer, "scale");
        if (const float* product = elements<float>(step.layer, "product")) p.scale_product = *product;
        if (step.scales_result) p.sum = {*elements<float>(step.layer, "sum.scale"), *elements<std::int32_t>(step.layer, "sum.zero")};
        return c;
    }

    interval holds(int index, int channel) const {
        const feature_map& m = map(index);
        return m.writers != 1 || m.holds.empty() ? interval{} : m.holds[static_cast<std::size_t>(channel)];
    }

    void find_integers(const executable_step& step) {
        std::vector<interval> found(static_cast<std::size_t>(step.output_shape.channels));
        switch (step.kind) {
            case step_kind::conv2d: {
                const auto c = std::ranges::find(convolutions_, &step, &convolution::step);
                for (int channel = 0; channel < c->layer().channels; ++channel) found[static_cast<std::size_t>(channel)] = find_integers(*c, channel);
                break;
            }
            case step_kind::add: {
                const quantized_parameters p = parameters_of(step);
                const fixed_parameters f = fixed_parameters_of(p, p.input, Scaling, true, step.activation);
                for (int channel = 0; channel < step.output_shape.channels; ++channel) {
                    const interval x = holds(step.input_map, channel), y = holds(step.second_map, channel);
                    found[static_cast<std::size_t>(channel)] = {sum_of(f, x.low, y.low), sum_of(f, x.high, y.high)};
                }
                break;
            }
            case step_kind::pool2d:
            case step_kind::global_average_pool:
            case step_kind::copy: {
                // Averages lie between what is averaged.
                const bool averages_padding =
                    step.kind == step_kind::pool2d && !step.pool.maximum && step.pool.count_padding && !step.pool.padding.empty();
                for (int channel = 0; channel < step.output_shape.channels; ++channel) {
                    const interval x = holds(step.input_map, channel);
                    found[static_cast<std::size_t>(channel)] = averages_padding ? x.with(quantization_of(step.input_map).zero) : x;
                }
                break;
            }
            case step_kind::load_input:
            case step_kind::multiply:
            case step_kind::affine:
            case step_kind::activate:
            case step_kind::subsample:
                break;
        }
        map(step.output_map).holds = std::move(found);
    }

    static std::int32_t sum_of(const fixed_parameters& f, int x, int y) { return clamped(fixed_addition<Scaling, false, scalar>(f)(x, y), f); }

    /// Rounding, scaling and clamping keep the order of integers, so that the bounds of the sums give those of the result.
    interval find_integers(convolution& c, int channel) const {
        const conv2d_layer& layer = c.layer();
        const int area = layer.kernel.area(), first = channel / layer.group_out() * layer.group_in();
        sum_of_products s;
        for (int input = 0; input < layer.group_in(); ++input) {
            const interval inner = holds(c.step->input_map, first + input), outer = inner.with(c.parameters.input.zero);
            for (int tap = 0; tap < area; ++tap) {
                const int w = c.weights(channel, input)[tap];
                const interval x = c.padded[static_cast<std::size_t>(tap)] ? outer : inner;
                s.total += w;
                s.low += w * (w > 0 ? x.low : x.high);
                s.high += w * (w > 0 ? x.high : x.low);
                s.any = s.any || w != 0;
            }
        }
        s.bias = packed_bias(c, channel, c.parameters.bias[channel], s.total);
        const fixed_parameters f = fixed_parameters_of(c.parameters, c.parameters.sum, Scaling, layer.residual, layer.activation);
        if constexpr (Scaling == scaling::power_of_two)
            return shifted(c, channel, s, f);
        else
            return scaled(c, channel, s, f);
    }

    /// The products that a channel sums up, and the bias that they are added to.
    struct sum_of_products {
        std::int64_t total = 0;  ///< of the weights
        std::int64_t low = 0;
        std::int64_t high = 0;
        bool any = false;  ///< whether a weight is not 0
        std::int32_t bias = 0;
    };

    /// Where scales are powers of two: all that may be added fits in 32 bits, and a bias alone is exact too.
    interval shifted(convolution& c, int channel, const sum_of_products& s, const fixed_parameters& f) const {
        const bool residual = c.layer().residual;
        const shifted_channel start = shifted_channel_of(c.parameters, channel, static_cast<std::int32_t>(s.total), s.any, residual);
        const interval second = residual ? holds(c.step->second_map, channel) : interval{0, 0};
        auto result = [&](std::int64_t products, int x) {
            const std::int64_t sum = start.bias + products + x * (std::int64_t{1} << start.left);
            return clamped(static_cast<std::int32_t>(sum >> start.right), f);
        };
        const interval results = {result(s.low, second.low), result(s.high, second.high)};
        c.sums.push_back({s.bias + s.low, s.bias + s.high});
        c.constant.push_back(!residual && results.constant());
        c.keeps_weights.push_back(false);
        return results;
    }

    /// By fixed-point numbers.
    interval scaled(convolution& c, int channel, const sum_of_products& s, const fixed_parameters& f) const {
        const conv2d_layer& layer = c.layer();
        const double real = scale_of_products(c.parameters, channel) / scale_of_result<Scaling>(c.parameters, layer.residual);
        const channel_scale start = channel_scale_of(s.bias, s.any, real, Scaling);
        const sum_interval sums = {start.bias + s.low, start.bias + s.high};
        c.sums.push_back(sums);
        c.constant.push_back(false);
        const bool exact = scales_exactly(sums.low, start.scale) && scales_exactly(sums.high, start.scale);
        c.keeps_weights.push_back(s.any && !exact);
        if (!exact) return {f.low, f.high};
        auto integer = [&](std::int64_t sum) {
            return scaled_exactly(static_cast<std::int32_t>(sum), start.scale, Scaling) + zero_of_result<Scaling>(f, layer.residual);
        };
        const std::int32_t lowest = integer(sums.low), highest = integer(sums.high);
        if (!layer.residual) {
            const interval result = {clamped(lowest, f), clamped(highest, f)};
            c.constant.back() = result.constant();
            return result;
        }
        const interval second = holds(c.step->second_map, channel);
        if constexpr (Scaling == scaling::fixed_twice) {
            c.constant.back() = saturated(lowest) == saturated(highest);
            return {sum_of(f, saturated(lowest), second.low), sum_of(f, saturated(highest), second.high)};
        } else {
            constexpr std::int32_t most = 1 << 30;  // a residual is less, and fits in what is left
            c.keeps_weights.back() = s.any && sums.low == sums.high && (lowest < -bias_bound || lowest > bias_bound);
            if (lowest < -most || highest > most) return {f.low, f.high};
            const fixed_addition<Scaling, false, scalar> add(f);
            return {clamped(add.finish(lowest, second.low), f), clamped(add.finish(highest, second.high), f)};
        }
    }

    /// The bias of sums of what is stored: without the input's zero point.
    std::int32_t packed_bias(const convolution& c, int channel, std::int64_t bias, std::int64_t total) const {
        using bounds = std::numeric_limits<std::int32_t>;
        const std::int64_t packed = bias - c.parameters.input.zero * total;
        if (std::max(bias, packed) > bounds::max() || std::min(bias, packed) < bounds::min())
            throw error(file_.origin() + ": " + std::string(c.step->layer) + ": the bias of channel " + std::to_string(channel) +
                        " does not fit in 32 bits");
        return static_cast<std::int32_t>(packed);
    }

    bool is_kept(int index, int channel) const {
        const feature_map& m = root(index);
        return m.stays || m.needed[static_cast<std::size_t>(channel)];
    }
    std::vector<int> kept(int index, int channels) const {
        std::vector<int> all;
        for (int channel = 0; channel < channels; ++channel)
            if (is_kept(index, channel)) all.push_back(channel);
        return all;
    }

    /// Whether a channel of a convolution would be another without an input channel, all that a bias can stand for left in.
    bool needs(const convolution& c, int channel, int input) const {
        if (c.constant[static_cast<std::size_t>(channel)]) return false;
        const interval x = holds(c.step->input_map, input);
        const bool joins = x.constant() && !c.keeps_weights[static_cast<std::size_t>(channel)], unseen = x.low == c.parameters.input.zero;
        for (std::size_t tap = 0; tap < c.padded.size(); ++tap)
            if (c.weights(channel, input)[tap] != 0 && !(joins && (unseen || !c.padded[tap]))) return true;
        return false;
    }

    void find_needed() {
        for (feature_map& m : maps_) m.needed.assign(static_cast<std::size_t>(m.channels), false);
        // Maps that are tied have as many channels, but for those that stay.
        find_needed_by_others();
        for (auto c = convolutions_.rbegin(); c != convolutions_.rend(); ++c) {
            feature_map& output = root(c->step->output_map);
            if (output.stays || std::ranges::find(output.needed, true) != output.needed.end()) continue;
            output.needed[0] = true;  // one has to be
            find_needed_by_others();
        }
    }
    void find_needed_by_others() {
        for (bool more = true; more;) {
            more = false;
            for (auto c = convolutions_.rbegin(); c != convolutions_.rend(); ++c) {
                feature_map& in = root(c->step->input_map);
                if (in.stays || !c->sums_all()) continue;
                for (int input = 0; input < c->layer().in.channels; ++input)
                    for (int channel = 0; channel < c->layer().channels && !in.needed[static_cast<std::size_t>(input)]; ++channel)
                        if (is_kept(c->step->output_map, channel) && needs(*c, channel, input))
                            in.needed[static_cast<std::size_t>(input)] = more = true;
            }
        }
    }

    void narrow_weights(const convolution& c, std::map<std::string, owned_tensor>& changed) const {
        const conv2d_layer& layer = c.layer();
        const int area = layer.kernel.area();
        const std::vector<int> outputs = kept(c.step->output_map, layer.channels);
        std::vector<int> inputs(static_cast<std::size_t>(layer.group_in()));
        std::iota(inputs.begin(), inputs.end(), 0);
        if (c.sums_all()) inputs = kept(c.step->input_map, layer.in.channels);
        std::vector<std::int8_t> weights;
        std::vector<std::int32_t> biases;
        std::vector<float> scales;
        for (const int channel : outputs) {
            const bool constant = c.constant[static_cast<std::size_t>(channel)];
            std::int64_t total = 0, bias = c.parameters.bias[channel];
            bool any = false;
            for (const int input : inputs)
                for (int tap = 0; tap < area; ++tap) {
                    // What is constant needs no weights: any sum that it can have stands for all.
                    const std::int8_t w = constant ? std::int8_t{0} : c.weights(channel, input)[tap];
                    weights.push_back(w);
                    total += w;
                }
            for (int input = 0; input < layer.group_in(); ++input)
                for (int tap = 0; tap < area; ++tap) {
                    const int w = c.weights(channel, input)[tap];
                    any = any || w != 0;
                    if (c.sums_all() && !is_kept(c.step->input_map, input) && w != 0)
                        bias += std::int64_t{w} * (holds(c.step->input_map, input).low - c.parameters.input.zero);
                }
            if (constant && any) bias = c.sums[static_cast<std::size_t>(channel)].low;
            packed_bias(c, channel, bias, total);
            biases.push_back(static_cast<std::int32_t>(bias));
            scales.push_back(c.parameters.filter_scales[channel]);
        }
        auto change = [&]<class Element>(const char* parameter, std::vector<std::int64_t> shape, const std::vector<Element>& elements) {
            const auto bytes = std::as_bytes(std::span(elements));
            changed[std::string(c.step->layer) + "." + parameter] = {std::move(shape), {bytes.begin(), bytes.end()}};
        };
        const auto channels = static_cast<std::int64_t>(outputs.size()), read = static_cast<std::int64_t>(inputs.size());
        if (c.step->linear)
            change("weight", {channels, read * area}, weights);
        else
            change("weight", {channels, read, layer.kernel.height, layer.kernel.width}, weights);
        change("bias", {channels}, biases);
        change("scale", {channels}, scales);
    }

    const executable& code_;
    const safetensors& file_;
    std::vector<feature_map> maps_;
    std::vector<convolution> convolutions_;
};

}  // namespace dead_channels

/// Removes the channels of convolutions whose absence no image can show: `file` is what quantize() or import_tflite() made for `code`, a
/// network of int8_tflite, int8_fixed, int8_power_of_two or one of their kind throughout. The maps of a sum and those around a depthwise convolution
/// keep the same channels; the image, the output and concatenations keep all of theirs, every other map one at least. The result is exact for the
/// scaling of `code` and no other. Throws dlas::error where the file does not fit or `code` computes in floats.
inline narrow_network remove_dead_channels(const executable& code, const safetensors& file) {
    if (code.steps.empty() || code.scaling == scaling::real || code.image_type != element::s8)
        throw error("remove_dead_channels: the plan '" + std::string(code.plan) + "' of '" + std::string(code.model) +
                    "' does not scale all of its integers by fixed-point numbers; int8_tflite and int8_fixed do");
    aligned_bytes packed(code.weight_bytes);
    pack_weights(code, file, packed.data());  // the file fits
    if (code.scaling == scaling::fixed_once) return dead_channels::remover<scaling::fixed_once>(code, file).result();
    if (code.scaling == scaling::power_of_two) return dead_channels::remover<scaling::power_of_two>(code, file).result();
    return dead_channels::remover<scaling::fixed_twice>(code, file).result();
}

/// A header that states what is left of each convolution, for narrowed<Model, NAME>.
inline std::string kept_header(const narrow_network& narrow, std::string_view name = "kept") {
    std::size_t longest = 0;
    for (const kept_layer& layer : narrow.layers) longest = std::max(longest, std::to_string(layer.kept.size()).size());
    std::string text =
        "// The convolutions of " + narrow.model + " without their dead channels. Written by dlas::kept_header().\n#pragma once\n\nstruct ";
    text.append(name).append(" {\n    static constexpr int channels[] = {\n");
    for (const kept_layer& layer : narrow.layers) {
        const std::string number = std::to_string(layer.kept.size());
        text.append("        ").append(number).append(",").append(longest - number.size() + 2, ' ');
        text.append("// ").append(layer.name).append(", of ").append(std::to_string(layer.channels)).append("\n");
    }
    return text + "    };\n};\n";
}

}  // namespace dlas
