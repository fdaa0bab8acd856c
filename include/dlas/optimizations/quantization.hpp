// Real numbers to integers: scales and zero points from what was observed, weights and biases by rounding. Model Optimizations.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include <dlas/core/element.hpp>

namespace dlas {

/// The values that integers have to stand for.
struct value_range {
    float low = 0;
    float high = 0;

    constexpr bool operator==(const value_range&) const = default;
    constexpr void include(float x) {
        if (x < low) low = x;
        if (x > high) high = x;
    }
    constexpr void include(value_range r) {
        include(r.low);
        include(r.high);
    }
};

/// How the range of a feature map is chosen from its values on calibration images.
enum class range_rule : std::uint8_t {
    min_max,             ///< all of them
    percentile,          ///< all but the outermost 0.01 % on each side
    mean_squared_error,  ///< the range whose rounding and clipping together cost least
};

constexpr std::string_view range_rule_name(range_rule rule) {
    constexpr std::string_view names[] = {"min_max", "percentile", "mean_squared_error"};
    return names[static_cast<int>(rule)];
}

/// How many weights of a layer share a scale.
enum class weight_scales : std::uint8_t {
    per_channel,  ///< those of an output channel
    per_tensor,   ///< all; the file has one scale for each channel still
};

constexpr std::string_view weight_scales_name(weight_scales scales) { return scales == weight_scales::per_channel ? "per_channel" : "per_tensor"; }

/// The least power of two that is not below a positive number.
inline float power_of_two_from(double x) {
    int exponent;
    const double fraction = std::frexp(x, &exponent);
    return static_cast<float>(std::ldexp(1.0, fraction == 0.5 ? exponent - 1 : exponent));
}

/// What a feature map's integers are to be.
struct map_integers {
    element type = element::s8;
    bool power_of_two = false;  ///< as their scale has to be
};

/// Scale and zero point. Of eight bits: 0 is exact, so that padding and ReLU are. Both ends of the range are kept, though rounding the zero
/// point moves them: the usual -1 to 1 would have all values of an image halfway between two integers otherwise. So are they where the scale
/// has to be a power of two: then it is the next larger one. Of sixteen: symmetric.
inline quantization quantization_for(value_range range, map_integers integers = {}) {
    if (integers.type == element::s16) {
        const float largest = std::fmax(-range.low, range.high);
        return {largest > 0 ? largest / static_cast<float>(quantized_highest(element::s16)) : 1.0f, 0};
    }
    const double low = range.low < 0 ? double{range.low} : 0, high = range.high > 0 ? double{range.high} : 0;
    if (high - low < 1e-30) return {1.0f, 0};
    const double nearest = std::nearbyint(-128 - low * 255 / (high - low));
    const int zero = static_cast<int>(nearest < -128 ? -128 : nearest > 127 ? 127 : nearest);
    const double below = zero > -128 ? low / (-128 - zero) : 0, above = zero < 127 ? high / (127 - zero) : 0;
    const double scale = below > above ? below : above;
    return {integers.power_of_two ? power_of_two_from(scale) : static_cast<float>(scale), zero};
}

/// How often values fell where, between bounds that are known beforehand.
class value_histogram {
public:
    static constexpr int bins = 2048;

    explicit value_histogram(value_range range = {}) : range_(range) {}

    void count(float x) {
        const double width = (double{range_.high} - double{range_.low}) / bins;
        const int bin = width > 0 ? static_cast<int>((double{x} - double{range_.low}) / width) : 0;
        ++counts_[static_cast<std::size_t>(bin < 0 ? 0 : bin >= bins ? bins - 1 : bin)];
        ++total_;
    }

    value_range range(range_rule rule, map_integers integers = {}) const {
        if (rule == range_rule::percentile) return cut(1e-4);
        if (rule == range_rule::mean_squared_error) return least_error(integers);
        return range_;
    }

private:
    double middle(int bin) const { return double{range_.low} + (double{range_.high} - double{range_.low}) * (bin + 0.5) / bins; }

    value_range cut(double share) const {
        const auto most = static_cast<std::int64_t>(share * static_cast<double>(total_));
        int first = 0, last = bins - 1;
        for (std::int64_t cut = counts_[0]; cut <= most && first < last; cut += counts_[static_cast<std::size_t>(++first)]) {}
        for (std::int64_t cut = counts_[bins - 1]; cut <= most && first < last; cut += counts_[static_cast<std::size_t>(--last)]) {}
        const double half = (double{range_.high} - double{range_.low}) / bins / 2;
        return {static_cast<float>(middle(first) - half), static_cast<float>(middle(last) + half)};
    }

    /// Bounds at 1, 0.99, ... of the extremes.
    value_range least_error(map_integers integers) const {
        value_range best = range_;
        double least = -1;
        for (int percent = 100; percent >= 30; --percent) {
            const value_range candidate = {range_.low * static_cast<float>(percent) / 100, range_.high * static_cast<float>(percent) / 100};
            const quantization q = quantization_for(candidate, integers);
            const double scale = double{q.scale}, low = scale * (quantized_lowest(integers.type) - q.zero);
            const double high = scale * (quantized_highest(integers.type) - q.zero);
            double error = 0;
            for (int bin = 0; bin < bins; ++bin) {
                const double x = middle(bin), beyond = x < low ? low - x : x > high ? x - high : 0;
                error += static_cast<double>(counts_[static_cast<std::size_t>(bin)]) * (beyond > 0 ? beyond * beyond : scale * scale / 12);
            }
            if (least >= 0 && error >= least) continue;
            least = error;
            best = candidate;
        }
        return best;
    }

    value_range range_;
    std::array<std::int64_t, bins> counts_ = {};
    std::int64_t total_ = 0;
};

/// What a filter's scale may be.
struct scale_rule {
    float least = 0;
    float most = 1e30f;
    bool power_of_two = false;
};

/// Rounds weights that share a scale to integers of `bits` bits, symmetric about 0, and returns it: with eight bits the one that
/// keeps the largest weight, with fewer, or where it has to be a power of two, the one of least squared error; within the bounds of `rule`.
inline float quantize_filter(std::span<const float> filter, int bits, std::span<std::int8_t> to, const scale_rule& rule = {}) {
    float largest = 0;
    for (const float w : filter) largest = std::fmax(largest, std::fabs(w));
    const auto most = static_cast<float>((1 << (bits - 1)) - 1);
    auto rounded = [most](float w, float scale) { return std::fmin(std::fmax(std::nearbyint(w / scale), -most), most); };
    float best = largest > 0 ? largest / most : rule.least > 0 ? rule.least : 1.0f;
    double least = -1;
    auto consider = [&](float scale) {
        double error = 0;
        for (const float w : filter) error += std::pow(double{w} - double{scale} * double{rounded(w, scale)}, 2);
        if (least >= 0 && error >= least) return;
        least = error;
        best = scale;
    };
    if (rule.power_of_two) best = power_of_two_from(double{best});
    const float keeps_all = best;
    if (rule.power_of_two)
        for (int halvings = 0; largest > 0 && halvings < 4; ++halvings) consider(std::ldexp(keeps_all, -halvings));
    else
        for (int percent = 100; bits < 8 && largest > 0 && percent >= 20; --percent) consider(largest / most * static_cast<float>(percent) / 100);
    if (best > rule.most) best = rule.most;
    if (best < rule.least) best = rule.power_of_two ? power_of_two_from(double{rule.least}) : rule.least;
    for (std::size_t i = 0; i < filter.size(); ++i) to[i] = static_cast<std::int8_t>(rounded(filter[i], best));
    return best;
}

/// The sum of a channel's weights, each without its sign, that products with integers of 16 bits leave room for: with a bias of 29 bits their
/// sums fit 32.
inline constexpr std::int64_t most_weights_of_16_bits = ((std::int64_t{1} << 31) - (1 << 29) - 1) / quantized_highest(element::s16);

inline std::int64_t weight_sum(std::span<const std::int8_t> weights) {
    std::int64_t sum = 0;
    for (const std::int8_t w : weights) sum += w < 0 ? -w : w;
    return sum;
}

/// quantize_filter() for `filters` of equal size that share a scale: so large a one that the weights of none have a sum of more than `most`.
inline float quantize_filters(std::span<const float> weights, std::size_t filters, int bits, std::span<std::int8_t> to, scale_rule rule, std::int64_t most) {
    const std::size_t elements = weights.size() / filters;
    float scale = quantize_filter(weights, bits, to, rule);
    for (std::size_t filter = 0; filter < filters; ++filter)
        while (weight_sum(to.subspan(filter * elements, elements)) > most) {
            rule.least = scale * 1.0001f * static_cast<float>(weight_sum(to.subspan(filter * elements, elements))) / static_cast<float>(most);
            scale = quantize_filter(weights, bits, to, rule);
        }
    return scale;
}

/// The scale of a channel's weights under which its bias would leave no room for sums: channels of nearly no weights may still have one.
/// `bits` are those that a bias may take.
inline float least_scale_for(double bias, double input_scale, int bits) { return static_cast<float>(std::fabs(bias) / (input_scale * (1 << bits))); }

/// A bias as an integer at the scale of its channel's sums.
inline std::int32_t quantize_bias(double bias, double scale) {
    const double q = std::nearbyint(bias / scale), most = 1 << 30;
    return static_cast<std::int32_t>(q < -most ? -most : q > most ? most : q);
}

}  // namespace dlas
