// TensorFlow Lite's integer arithmetic by its definition: one operator after another, one number after another, none of the library's
// kernels. What the reference kernels of TensorFlow Lite and TensorFlow Lite Micro compute where nobody asks for single rounding; or, where
// it is asked for, convolutions rounded once in floats, as TensorFlow Lite's XNNPACK has them on hosts.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <dlas/systems/tflite_file.hpp>

namespace tflite_reference {

/// The upper half of 2ab, rounded to the nearest; halves go up. The one product that does not fit is the largest number.
inline std::int32_t doubling_high_product(std::int32_t a, std::int32_t b) {
    constexpr std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
    if (a == lowest && b == lowest) return std::numeric_limits<std::int32_t>::max();
    const std::int64_t product = std::int64_t{a} * b;
    const std::int64_t nudge = product >= 0 ? std::int64_t{1} << 30 : 1 - (std::int64_t{1} << 30);
    return static_cast<std::int32_t>((product + nudge) / (std::int64_t{1} << 31));
}

/// x / 2^exponent, rounded to the nearest; halves go away from zero.
inline std::int32_t divided_by_power_of_two(std::int32_t x, int exponent) {
    const std::int64_t divisor = std::int64_t{1} << exponent;
    const std::int64_t magnitude = (std::abs(std::int64_t{x}) + divisor / 2) / divisor;
    return static_cast<std::int32_t>(x < 0 ? -magnitude : magnitude);
}

/// A positive real number as mantissa * 2^(shift - 31), the mantissa of 31 bits.
struct multiplier {
    std::int32_t mantissa = 0;
    int shift = 0;

    explicit multiplier(double real) {
        const double fraction = std::frexp(real, &shift);
        auto rounded = static_cast<std::int64_t>(std::round(fraction * static_cast<double>(std::int64_t{1} << 31)));
        if (rounded == std::int64_t{1} << 31) {
            rounded /= 2;
            ++shift;
        }
        if (shift < -31) {
            rounded = 0;
            shift = 0;
        }
        mantissa = static_cast<std::int32_t>(rounded);
    }

    /// x times the number, rounded twice: to the high half of the product, then by the shift.
    std::int32_t operator()(std::int32_t x) const {
        const auto shifted = static_cast<std::int32_t>(std::int64_t{x} << std::max(shift, 0));
        return divided_by_power_of_two(doubling_high_product(shifted, mantissa), std::max(-shift, 0));
    }
};

/// How sums of products become the output's integers.
enum class rounding {
    twice,           ///< by fixed-point multipliers
    once_in_floats,  ///< by float multipliers, ties to even
};

/// Runs a file. Keeps every tensor of the last run.
class interpreter {
public:
    explicit interpreter(const dlas::tflite_file& file, rounding rule = rounding::twice) : file_(&file), rule_(rule), tensors_(file.tensors.size()) {
        for (std::size_t i = 0; i < tensors_.size(); ++i)
            if (file.tensors[i].type == dlas::tflite_type::i8) tensors_[i].assign(static_cast<std::size_t>(file.tensors[i].elements()), 0);
        for (std::size_t i = 0; i < tensors_.size(); ++i)
            if (file.tensors[i].type == dlas::tflite_type::i8) std::ranges::copy(file.tensors[i].int8s(), tensors_[i].begin());
    }

    /// The tensor before a SOFTMAX at the end, or the output where there is none.
    int logits() const {
        const dlas::tflite_operator& last = file_->operators.back();
        return last.kind == dlas::tflite_kind::softmax ? last.inputs[0] : file_->output;
    }

    std::span<const std::int8_t> run(std::span<const std::int8_t> image) {
        std::ranges::copy(image, at(file_->input).begin());
        for (const dlas::tflite_operator& op : file_->operators) {
            switch (op.kind) {
                case dlas::tflite_kind::conv_2d:
                    convolve(op);
                    break;
                case dlas::tflite_kind::depthwise_conv_2d:
                    convolve_depthwise(op);
                    break;
                case dlas::tflite_kind::fully_connected:
                    multiply(op);
                    break;
                case dlas::tflite_kind::average_pool_2d:
                    average(op);
                    break;
                case dlas::tflite_kind::add:
                    add(op);
                    break;
                case dlas::tflite_kind::reshape:
                    at(op.output) = at(op.inputs[0]);
                    break;
                case dlas::tflite_kind::softmax:
                    break;  // of the last one the input is asked for
            }
        }
        return at(logits());
    }

    std::span<const std::int8_t> tensor(int index) const { return tensors_[static_cast<std::size_t>(index)]; }

private:
    std::vector<std::int8_t>& at(int tensor) { return tensors_[static_cast<std::size_t>(tensor)]; }
    float scale(int tensor) const { return file_->tensor(tensor).scales[0]; }
    std::int32_t zero(int tensor) const { return static_cast<std::int32_t>(file_->tensor(tensor).zeros[0]); }

    /// The lowest and the highest integer that an operator's activation lets through.
    std::pair<std::int32_t, std::int32_t> bounds(const dlas::tflite_operator& op) const {
        const auto stored = [&](float real) { return zero(op.output) + static_cast<std::int32_t>(std::round(real / scale(op.output))); };
        std::pair<std::int32_t, std::int32_t> result(-128, 127);
        if (op.activation != dlas::activation::none) result.first = std::max(-128, stored(0));
        if (op.activation == dlas::activation::relu6) result.second = std::min(127, stored(6));
        return result;
    }

    float filter_scale(const dlas::tflite_operator& op, int channel) const {
        const std::vector<float>& scales = file_->tensor(op.inputs[1]).scales;
        return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
    }

    /// What brings a channel's sums of products to the output's scale. Products of scales are doubles, but for the one of a
    /// FULLY_CONNECTED layer with a single filter scale, which is a float.
    multiplier multiplier_of(const dlas::tflite_operator& op, int channel) const {
        const float input = scale(op.inputs[0]), filter = filter_scale(op, channel), rounded = input * filter;
        const bool in_float = op.kind == dlas::tflite_kind::fully_connected && file_->tensor(op.inputs[1]).scales.size() == 1;
        return multiplier((in_float ? double{rounded} : double{input} * double{filter}) / double{scale(op.output)});
    }
    /// The same in floats throughout.
    float float_multiplier_of(const dlas::tflite_operator& op, int channel) const {
        return scale(op.inputs[0]) * filter_scale(op, channel) / scale(op.output);
    }

    std::vector<std::int32_t> bias(const dlas::tflite_operator& op, int channels) const {
        if (op.inputs[2] >= 0) return file_->tensor(op.inputs[2]).int32s();
        return std::vector<std::int32_t>(static_cast<std::size_t>(channels), 0);
    }

    /// Where a window begins in its input, along one dimension.
    static int first(int out, int input, int output, int window, int stride, int dilation, bool same) {
        const int missing = same ? std::max(0, (output - 1) * stride + dilation * (window - 1) + 1 - input) : 0;
        return out * stride - missing / 2;
    }

    /// Calls visit(output element, input pixel, filter pixel) for every product of one channel, and done(output element) after each sum.
    template <class Visit, class Done>
    void slide(const dlas::tflite_operator& op, Visit visit, Done done) const {
        const dlas::shape in = file_->tensor(op.inputs[0]).map(), out = file_->tensor(op.output).map();
        for (int row = 0; row < out.height; ++row)
            for (int column = 0; column < out.width; ++column) {
                const int top = first(row, in.height, out.height, op.window.height, op.stride.height, op.dilation.height, op.same_padding);
                const int left = first(column, in.width, out.width, op.window.width, op.stride.width, op.dilation.width, op.same_padding);
                for (int channel = 0; channel < out.channels; ++channel) {
                    for (int i = 0; i < op.window.height; ++i)
                        for (int j = 0; j < op.window.width; ++j) {
                            const int y = top + op.dilation.height * i, x = left + op.dilation.width * j;
                            if (y < 0 || y >= in.height || x < 0 || x >= in.width) continue;  // the zero point: nothing is added
                            visit(channel, y * in.width + x, i * op.window.width + j);
                        }
                    done((row * out.width + column) * out.channels + channel, channel);
                }
            }
    }

    /// From a sum to the output's integer.
    struct finisher {
        std::vector<multiplier> fixed_point;
        std::vector<float> floats;  ///< none where sums are rounded twice
        std::vector<std::int32_t> bias;
        std::pair<std::int32_t, std::int32_t> bounds;
        std::int32_t zero;

        std::int8_t operator()(std::int32_t sum, int channel) const {
            const auto c = static_cast<std::size_t>(channel);
            const std::int32_t total = sum + bias[c];
            const std::int32_t y =
                floats.empty() ? fixed_point[c](total) : static_cast<std::int32_t>(std::nearbyint(static_cast<float>(total) * floats[c]));
            return static_cast<std::int8_t>(std::clamp(y + zero, bounds.first, bounds.second));
        }
    };
    finisher finisher_of(const dlas::tflite_operator& op) const {
        const int channels = file_->tensor(op.output).map().channels;
        finisher result{{}, {}, bias(op, channels), bounds(op), zero(op.output)};
        for (int channel = 0; channel < channels; ++channel) {
            if (rule_ == rounding::twice)
                result.fixed_point.push_back(multiplier_of(op, channel));
            else
                result.floats.push_back(float_multiplier_of(op, channel));
        }
        return result;
    }

    void convolve(const dlas::tflite_operator& op) {
        const finisher finish = finisher_of(op);
        const std::int8_t* const in = at(op.inputs[0]).data();
        const std::int8_t* const filter = file_->tensor(op.inputs[1]).int8s().data();
        const int inputs = file_->tensor(op.inputs[0]).map().channels, area = op.window.area();
        const std::int32_t offset = zero(op.inputs[0]);
        std::int32_t sum = 0;
        slide(
            op,
            [&](int channel, int pixel, int window) {
                const std::int8_t *a = in + pixel * inputs, *w = filter + (channel * area + window) * inputs;
                for (int c = 0; c < inputs; ++c) sum += (a[c] - offset) * w[c];
            },
            [&](int element, int channel) { at(op.output)[static_cast<std::size_t>(element)] = finish(std::exchange(sum, 0), channel); });
    }

    void convolve_depthwise(const dlas::tflite_operator& op) {
        const finisher finish = finisher_of(op);
        const std::int8_t* const in = at(op.inputs[0]).data();
        const std::int8_t* const filter = file_->tensor(op.inputs[1]).int8s().data();
        const int inputs = file_->tensor(op.inputs[0]).map().channels, outputs = file_->tensor(op.output).map().channels;
        const std::int32_t offset = zero(op.inputs[0]);
        std::int32_t sum = 0;
        slide(
            op,
            [&](int channel, int pixel, int window) {
                sum += (in[pixel * inputs + channel / op.depth_multiplier] - offset) * filter[window * outputs + channel];
            },
            [&](int element, int channel) { at(op.output)[static_cast<std::size_t>(element)] = finish(std::exchange(sum, 0), channel); });
    }

    void multiply(const dlas::tflite_operator& op) {
        const finisher finish = finisher_of(op);
        const std::vector<std::int8_t>& in = at(op.inputs[0]);
        const std::span<const std::int8_t> filter = file_->tensor(op.inputs[1]).int8s();
        const std::int32_t offset = zero(op.inputs[0]);
        for (std::size_t channel = 0; channel < at(op.output).size(); ++channel) {
            std::int32_t sum = 0;
            for (std::size_t i = 0; i < in.size(); ++i) sum += (in[i] - offset) * filter[channel * in.size() + i];
            at(op.output)[channel] = finish(sum, static_cast<int>(channel));
        }
    }

    /// The mean of what the window covers of the input; halves go away from zero.
    void average(const dlas::tflite_operator& op) {
        const auto [low, high] = bounds(op);
        const std::int8_t* const in = at(op.inputs[0]).data();
        const int channels = file_->tensor(op.output).map().channels;
        std::int32_t sum = 0, count = 0;
        slide(
            op,
            [&](int channel, int pixel, int) {
                sum += in[pixel * channels + channel];
                ++count;
            },
            [&](int element, int) {
                const std::int32_t mean = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
                at(op.output)[static_cast<std::size_t>(element)] = static_cast<std::int8_t>(std::clamp(mean, low, high));
                sum = count = 0;
            });
    }

    /// Both inputs go to twice the larger scale with 20 bits more, their sum to the output's.
    void add(const dlas::tflite_operator& op) {
        constexpr int bits = 20;
        const auto [low, high] = bounds(op);
        const int a = op.inputs[0], b = op.inputs[1];
        const double common = 2 * double{std::max(scale(a), scale(b))};
        const multiplier from_a(double{scale(a)} / common), from_b(double{scale(b)} / common);
        const multiplier to_output(common / (double{1 << bits} * double{scale(op.output)}));
        for (std::size_t i = 0; i < at(op.output).size(); ++i) {
            const std::int32_t first = from_a((at(a)[i] - zero(a)) * (1 << bits)), second = from_b((at(b)[i] - zero(b)) * (1 << bits));
            at(op.output)[i] = static_cast<std::int8_t>(std::clamp(to_output(first + second) + zero(op.output), low, high));
        }
    }

    const dlas::tflite_file* file_;
    rounding rule_;
    std::vector<std::vector<std::int8_t>> tensors_;
};

}  // namespace tflite_reference
