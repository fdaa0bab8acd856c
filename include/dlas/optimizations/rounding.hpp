// Weights rounded together, so that the sums they are for change least. Model Optimizations; hosted.
//
// The nearest integer is best for a weight, not for its filter: where two inputs go together, the error of one weight makes up for that of the
// other. With the means of products of inputs, the squared error of a sum is a quadratic form of the errors of its weights (Nagel et al., 2020).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace dlas {

/// How weights become integers.
enum class weight_rounding : std::uint8_t {
    nearest,   ///< each by itself
    together,  ///< those of a filter make up for one another's errors
};

constexpr std::string_view weight_rounding_name(weight_rounding rounding) { return rounding == weight_rounding::nearest ? "nearest" : "together"; }

/// How the inputs of a filter go together: sums of them, and of their products two by two.
class input_moments {
public:
    explicit input_moments(std::size_t inputs = 0) : sums_(inputs), products_(inputs * (inputs + 1) / 2) {}

    std::size_t inputs() const { return sums_.size(); }
    std::int64_t samples() const { return samples_; }

    /// What the filter sees in one place, in the order of its weights.
    void add(std::span<const float> window) {
        ++samples_;
        double* row = products_.data();
        for (std::size_t i = 0; i < window.size(); row += ++i) {
            const double x = double{window[i]};
            if (x == 0) continue;
            sums_[i] += x;
            for (std::size_t j = 0; j <= i; ++j) row[j] += x * double{window[j]};
        }
    }

    /// The means of products as a matrix, about the means of the inputs where biases make up for those. A tenth of the mean of its diagonal is
    /// added to that: inputs to come differ from the samples, and are rounded themselves.
    std::vector<double> matrix(bool about_means) const {
        const std::size_t n = inputs();
        const double count = samples_ > 0 ? static_cast<double>(samples_) : 1;
        std::vector<double> result(n * n);
        double trace = 0;
        const double* product = products_.data();
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j <= i; ++j, ++product) {
                const double mean = *product / count;
                result[i * n + j] = result[j * n + i] = mean - (about_means ? sums_[i] / count * (sums_[j] / count) : 0);
                if (i == j) trace += result[i * n + i] + 1e-6 * mean;  // more than is left of inputs that are always the same
            }
        for (std::size_t i = 0; i < n; ++i) result[i * n + i] += trace / (10 * static_cast<double>(n));
        return result;
    }

private:
    std::vector<double> sums_;
    std::vector<double> products_;  ///< of each input with those before it and itself
    std::int64_t samples_ = 0;
};

/// Changes a filter's integers, one after the other, while its sums come nearer to those of the weights. `matrix` is that of its inputs.
inline void round_together(std::span<const float> filter, float scale, int bits, std::span<const double> matrix, std::span<std::int8_t> integers) {
    constexpr int most_sweeps = 50;  // ten are enough
    const std::size_t n = filter.size();
    const double most = (1 << (bits - 1)) - 1;
    std::vector<double> slopes(n);  // of half the squared error, by each weight
    auto add_error = [&](std::size_t weight, double error) {
        for (std::size_t i = 0; i < n; ++i) slopes[i] += matrix[weight * n + i] * error;
    };
    for (std::size_t i = 0; i < n; ++i) add_error(i, double{scale} * integers[i] - double{filter[i]});
    bool changed = true;
    for (int sweep = 0; changed && sweep < most_sweeps; ++sweep) {
        changed = false;
        for (std::size_t i = 0; i < n; ++i) {
            const double curvature = matrix[i * n + i];
            if (!(curvature > 0)) continue;  // inputs that are always 0
            const double best = std::nearbyint(integers[i] - slopes[i] / (curvature * double{scale}));
            const auto integer = static_cast<std::int8_t>(best < -most ? -most : best > most ? most : best);
            if (integer == integers[i]) continue;
            changed = true;
            add_error(i, double{scale} * (integer - integers[i]));
            integers[i] = integer;
        }
    }
}

}  // namespace dlas
