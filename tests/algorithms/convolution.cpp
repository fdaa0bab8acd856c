// Every convolution algorithm on every target against the definition.
#include "convolution_layers.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <dlas/algorithms/reference.hpp>

#include "feature_maps.hpp"
#include "run_in_parts.hpp"

namespace {

using namespace convolution_layers;
using namespace feature_maps;

/// F(m, 3) as Lavin and Gray print it (arXiv 1509.09308, section 4), and F(6, 3) with the points 1/2 and -1/2 more: B^T, G and A^T.
template <int M>
struct transforms;
template <>
struct transforms<2> {
    static constexpr double input[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
    static constexpr double filter[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    static constexpr double output[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
};
template <>
struct transforms<4> {
    static constexpr double input[6][6] = {{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                           {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
    static constexpr double filter[6][3] = {{1.0 / 4, 0, 0},           {-1.0 / 6, -1.0 / 6, -1.0 / 6}, {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                            {1.0 / 24, 1.0 / 12, 1.0 / 6}, {1.0 / 24, -1.0 / 12, 1.0 / 6}, {0, 0, 1}};
    static constexpr double output[4][6] = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};
};

template <>
struct transforms<6> {
    static constexpr double input[8][8] = {{1, 0, -5.25, 0, 5.25, 0, -1, 0},     {0, 1, 1, -4.25, -4.25, 1, 1, 0},
                                           {0, -1, 1, 4.25, -4.25, -1, 1, 0},    {0, 0.5, 0.25, -2.5, -1.25, 2, 1, 0},
                                           {0, -0.5, 0.25, 2.5, -1.25, -2, 1, 0}, {0, 2, 4, -2.5, -5, 0.5, 1, 0},
                                           {0, -2, 4, 2.5, -5, -0.5, 1, 0},      {0, -1, 0, 5.25, 0, -5.25, 0, 1}};
    static constexpr double filter[8][3] = {{1, 0, 0},
                                            {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                                            {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                                            {1.0 / 90, 1.0 / 45, 2.0 / 45},
                                            {1.0 / 90, -1.0 / 45, 2.0 / 45},
                                            {32.0 / 45, 16.0 / 45, 8.0 / 45},
                                            {32.0 / 45, -16.0 / 45, 8.0 / 45},
                                            {0, 0, 1}};
    static constexpr double output[6][8] = {{1, 1, 1, 1, 1, 1, 1, 0},
                                            {0, 1, -1, 2, -2, 0.5, -0.5, 0},
                                            {0, 1, 1, 4, 4, 0.25, 0.25, 0},
                                            {0, 1, -1, 8, -8, 0.125, -0.125, 0},
                                            {0, 1, 1, 16, 16, 0.0625, 0.0625, 0},
                                            {0, 1, -1, 32, -32, 0.03125, -0.03125, 1}};
};

/// left * x * right^T with all numbers made positive.
template <int Rows, int Columns, int InRows, int InColumns>
void multiply_magnitudes(const double (&left)[Rows][InRows], const double (&x)[InRows][InColumns], const double (&right)[Columns][InColumns],
                         double (&result)[Rows][Columns]) {
    double half[Rows][InColumns] = {};
    for (int r = 0; r < Rows; ++r)
        for (int k = 0; k < InRows; ++k)
            for (int c = 0; c < InColumns; ++c) half[r][c] += std::abs(left[r][k] * x[k][c]);
    for (int r = 0; r < Rows; ++r)
        for (int c = 0; c < Columns; ++c) {
            result[r][c] = 0;
            for (int k = 0; k < InColumns; ++k) result[r][c] += std::abs(right[c][k]) * half[r][k];
        }
}

/// A layer's numbers and what the definition makes of them.
struct problem {
    conv2d_layer layer;
    std::vector<float> input, filter, bias, residual;
    std::vector<double> expected;

    problem(const conv2d_layer& of, unsigned seed, bool integers) : layer(of) {
        numbers random(seed);
        // Sums of a standard deviation of 4: they reach below 0 and above 6.
        const float weight = 12.0f / std::sqrt(static_cast<float>(layer.group_in() * layer.kernel.area()));
        const auto inputs = layer.in.elements(), outputs = layer.out().elements();
        input = integers ? random.integers(inputs, 4) : random.reals(inputs, -1, 1);
        // F(2, 3) halves twice.
        filter = integers ? random.integers(layer.filter_elements(), 4, 4) : random.reals(layer.filter_elements(), -weight, weight);
        bias = integers ? random.integers(layer.channels, 8) : random.reals(layer.channels, -2, 2);
        if (layer.residual) residual = integers ? random.integers(outputs, 64) : random.reals(outputs, -3, 3);
        expected.resize(static_cast<std::size_t>(outputs));
        dlas::reference::conv2d(layer, input.data(), filter.data(), bias.data(), layer.residual ? residual.data() : nullptr, expected.data());
    }

    /// Sum of the magnitudes of all terms of each output, bias and residual included.
    std::vector<double> magnitudes() const {
        auto absolute = [](std::vector<float> values) {
            for (float& value : values) value = std::abs(value);
            return values;
        };
        conv2d_layer sums = layer;
        sums.activation = activation::none;
        std::vector<double> result(expected.size());
        dlas::reference::conv2d(sums, absolute(input).data(), absolute(filter).data(), absolute(bias).data(),
                                layer.residual ? absolute(residual).data() : nullptr, result.data());
        return result;
    }

    /// The same of the numbers that Winograd's algorithm adds up: |A^T| [(|G| |g| |G^T|) * (|B^T| |d| |B|)] |A|, summed over channels.
    template <int M>
    std::vector<double> winograd_magnitudes() const {
        using matrices = transforms<M>;
        constexpr int points = M + 2;
        const dlas::shape out = layer.out();
        const int inputs = layer.in.channels;
        auto value = [&](int row, int column, int channel) {
            const bool inside = row >= 0 && row < layer.in.height && column >= 0 && column < layer.in.width;
            return inside ? double{input[static_cast<std::size_t>((row * layer.in.width + column) * inputs + channel)]} : 0.0;
        };
        struct tile {
            double at[points][points];
        };
        std::vector<tile> filters(static_cast<std::size_t>(out.channels * inputs)), maps(static_cast<std::size_t>(inputs));
        for (std::size_t i = 0; i < filters.size(); ++i) {
            double g[3][3];
            for (int k = 0; k < 9; ++k) g[k / 3][k % 3] = double{filter[9 * i + static_cast<std::size_t>(k)]};
            multiply_magnitudes(matrices::filter, g, matrices::filter, filters[i].at);
        }
        std::vector<double> result(expected.size());
        for (int top = 0; top < dlas::round_up(out.height, M); top += M)
            for (int left = 0; left < dlas::round_up(out.width, M); left += M) {
                const int row = dlas::tile_begin(top / M, M, out.height), column = dlas::tile_begin(left / M, M, out.width);
                for (int i = 0; i < inputs; ++i) {
                    double d[points][points];
                    for (int r = 0; r < points; ++r)
                        for (int c = 0; c < points; ++c) d[r][c] = value(row + r - layer.padding.top, column + c - layer.padding.left, i);
                    multiply_magnitudes(matrices::input, d, matrices::input, maps[static_cast<std::size_t>(i)].at);
                }
                for (int channel = 0; channel < out.channels; ++channel) {
                    double sums[points][points] = {}, y[M][M];
                    for (int i = 0; i < inputs; ++i)
                        for (int p = 0; p < points * points; ++p)
                            sums[p / points][p % points] += maps[static_cast<std::size_t>(i)].at[p / points][p % points] *
                                                            filters[static_cast<std::size_t>(channel * inputs + i)].at[p / points][p % points];
                    multiply_magnitudes(matrices::output, sums, matrices::output, y);
                    for (int p = 0; p < M * M; ++p) {
                        const auto at = static_cast<std::size_t>(((row + p / M) * out.width + column + p % M) * out.channels + channel);
                        result[at] = std::max(result[at], y[p / M][p % M] + std::abs(double{bias[static_cast<std::size_t>(channel)]}) +
                                                              (layer.residual ? std::abs(double{residual[at]}) : 0.0));
                    }
                }
            }
        return result;
    }
};

/// How far an algorithm may be from the definition: the magnitudes of what it adds up times the bound of as many roundings as a term
/// meets on its way. A piecewise linear activation moves no two numbers further apart.
std::vector<double> error_bounds(const problem& p, std::string_view algorithm) {
    // A product, then an addition for each term; the residual.
    int roundings = p.layer.group_in() * p.layer.kernel.area() + 2;
    std::vector<double> bounds;
    if (algorithm.starts_with("winograd")) {
        // The filter's transform, computed in double; two input and two output transforms of as many roundings in a row, where a product
        // and its addition are not fused; a product and an addition for each channel; bias and residual.
        const int transforms_in_a_row = algorithm == "winograd6" ? 2 * 7 + 2 * 5 : 2 * 3 + 2 * 4;
        roundings = 1 + transforms_in_a_row + 1 + p.layer.in.channels + 2;
        bounds = algorithm == "winograd2"   ? p.winograd_magnitudes<2>()
                 : algorithm == "winograd4" ? p.winograd_magnitudes<4>()
                                            : p.winograd_magnitudes<6>();
    } else {
        bounds = p.magnitudes();
    }
    for (double& bound : bounds) bound *= rounding_bound(roundings);
    return bounds;
}

/// Integers are summed up exactly, except where a transform divides by 3.
bool exact_on_integers(std::string_view algorithm) { return algorithm != "winograd4" && algorithm != "winograd6"; }

/// A layer's problems with the bounds of the algorithms asked for so far.
class posed {
public:
    explicit posed(const conv2d_layer& layer) : problems_{problem(layer, 1, false), problem(layer, 2, true)} {}

    const problem& of(bool integers) const { return problems_[integers ? 1 : 0]; }
    const std::vector<double>& bounds(std::string_view algorithm, bool integers) {
        auto& known = bounds_[{algorithm, integers}];
        if (known.empty()) {
            if (integers && exact_on_integers(algorithm)) known.resize(of(integers).expected.size());
            else known = error_bounds(of(integers), algorithm);
            // A sigmoid is within 1.2e-6 of its own where that is not next to 0; SiLU moves two numbers further apart, by a tenth.
            const activation function = of(integers).layer.activation;
            if (function == activation::silu || function == activation::sigmoid)
                for (std::size_t i = 0; i < known.size(); ++i) known[i] = 1.1 * known[i] + 1.2e-6 * std::abs(of(integers).expected[i]) + 1e-30;
        }
        return known;
    }

private:
    problem problems_[2];
    std::map<std::pair<std::string_view, bool>, std::vector<double>> bounds_;
};

std::string describe(std::string_view target, std::string_view algorithm, const conv2d_layer& l) {
    auto two = [](dlas::extent e) { return std::to_string(e.height) + "x" + std::to_string(e.width); };
    const dlas::border& p = l.padding;
    return std::string(target) + " " + std::string(algorithm) + ": input " + two({l.in.height, l.in.width}) + "x" +
           std::to_string(l.in.channels) + ", " + std::to_string(l.channels) + " channels, kernel " + two(l.kernel) + ", stride " +
           two(l.stride) + ", dilation " + two(l.dilation) + ", padding " + std::to_string(p.top) + "," + std::to_string(p.bottom) + "," +
           std::to_string(p.left) + "," + std::to_string(p.right) + ", groups " + std::to_string(l.groups) + ", activation " +
           std::to_string(static_cast<int>(l.activation)) + (l.residual ? ", residual" : "");
}

/// Packs and runs a kernel, first on reals and then, over the leftovers in the workspace, on integers. Returns the largest error over bound.
double check_kernel(const placed_kernel& code, posed& layer) {
    const conv2d_layer& l = code.key.layer;
    const std::string description = describe(code.target, code.algorithm, l);
    INFO(description);
    REQUIRE(code.weight_bytes % 4 == 0);
    REQUIRE(code.workspace_bytes % 4 == 0);
    constexpr int parts = 3;
    buffer packed(code.weight_bytes / 4), workspace(code.workspace_bytes / 4), common_workspace(parts * code.workspace_bytes / 4);
    placed_map input(l.in, l.padding, code.key.in), output(l.out(), 0, code.key.out);
    placed_map residual(l.residual ? l.out() : dlas::shape{}, 0, code.key.residual);
    double largest = 0;
    for (const bool integers : {false, true}) {
        CAPTURE(integers);
        const problem& p = layer.of(integers);
        const buffer filter(p.filter), bias(p.bias);
        input.write(p.input);
        if (l.residual) residual.write(p.residual);
        output.forget();
        code.pack(filter.data(), bias.data(), packed.data());
        dlas::kernel_arguments arguments = {input.first_pixel(), l.residual ? residual.first_pixel() : nullptr, packed.data(),
                                            output.first_pixel(), code.workspace_bytes > 0 ? workspace.data() : nullptr};
        code.run(arguments);

        const std::vector<float> alone = output.read();
        const comparison found = compare(alone, p.expected, layer.bounds(code.algorithm, integers), l.out());
        CHECK_MESSAGE(found.wrong == 0, found.first_wrong);
        if (integers) {
            // Threads compute the same bits.
            output.forget();
            arguments.workspace = common_workspace.data();
            arguments.workspace_stride = code.workspace_bytes;
            run_in_parts(code.run, arguments, parts);
            const std::vector<float> together = output.read();
            CHECK(std::memcmp(together.data(), alone.data(), 4 * alone.size()) == 0);
            CHECK(common_workspace.guards_intact());
        }
        CHECK(output.rest_intact());
        CHECK(packed.guards_intact());
        CHECK(workspace.guards_intact());
        largest = std::max(largest, found.largest);
    }
    return largest;
}

/// A kernel of the public form has maps without gaps.
placed_kernel as_placed(const dlas::conv2d_executable& code) {
    const conv2d_layer& l = code.layer;
    const dlas::placement out = {l.out().width * l.channels, l.channels};
    return {code.algorithm, code.target, {l, {code.input_row_bytes / 4, l.in.channels}, out, l.residual ? out : dlas::placement{}},
            code.weight_bytes, code.workspace_bytes, code.pack, code.run};
}

/// What one target's kernels do, counted by algorithm.
struct tally {
    int layers = 0;
    int placed = 0;
    double largest = 0;
};
using tallies = std::map<std::string_view, tally>;

class all_layers {
public:
    posed& operator[](const conv2d_layer& layer) {
        for (auto& [known, problems] : posed_)
            if (known == layer) return problems;
        return posed_.emplace_back(layer, posed(layer)).second;
    }

private:
    std::vector<std::pair<conv2d_layer, posed>> posed_;
};

all_layers& problems() {
    static all_layers all;
    return all;
}

template <class Target>
bool skip_unavailable() {
    if (Target::available()) return false;
    MESSAGE(Target::name << " is skipped: this CPU lacks it");
    return true;
}

template <class Target, int... Shard>
void check_target(std::integer_sequence<int, Shard...>) {
    if (skip_unavailable<Target>()) return;
    tallies results;
    int kernels = 0;
    auto check_layers = [&](std::span<const dlas::conv2d_executable> codes) {
        kernels += static_cast<int>(codes.size());
        for (const dlas::conv2d_executable& code : codes) {
            const conv2d_layer& l = code.layer;
            const std::int64_t row = 4 * (l.in.width + l.padding.left + l.padding.right) * l.in.channels;
            CHECK(code.target == Target::name);
            CHECK(code.available());
            CHECK(code.input_row_bytes == row);
            CHECK(code.input_bytes == row * (l.in.height + l.padding.top + l.padding.bottom));
            CHECK(code.first_pixel == row * l.padding.top + 4 * l.padding.left * l.in.channels);
            CHECK(code.output_bytes == 4 * l.out().elements());
            tally& t = results[code.algorithm];
            t.largest = std::max(t.largest, check_kernel(as_placed(code), problems()[l]));
            ++t.layers;
        }
    };
    auto check_placed = [&](std::span<const placed_kernel> codes) {
        kernels += static_cast<int>(codes.size());
        for (const placed_kernel& code : codes) {
            tally& t = results[code.algorithm];
            t.largest = std::max(t.largest, check_kernel(code, problems()[code.key.layer]));
            ++t.placed;
        }
    };
    (check_layers(compiled_layers<Target, Shard, sizeof...(Shard)>()), ...);
    (check_placed(compiled_placed_layers<Target, Shard, sizeof...(Shard)>()), ...);

    // Nothing was lost on the way, and no algorithm refuses all there is.
    CHECK(kernels == layer_pairs<Target>.size() + placed_pairs<Target>.size());
    CHECK(static_cast<int>(results.size()) == dlas::algorithms::size);
    std::printf("%-8.*s", static_cast<int>(Target::name.size()), Target::name.data());
    for (const auto& [algorithm, t] : results) {
        constexpr bool takes_all = takes<Target>(0) && takes<Target>(1);
        CHECK(t.layers >= (takes_all ? 8 : 4));
        CHECK(t.placed >= (takes_all ? 2 : 1));
        std::printf("  %.*s %d+%d (-%d, %.2f)", static_cast<int>(algorithm.size()), algorithm.data(), t.layers, t.placed,
                    layers.size() - t.layers, t.largest);
    }
    std::printf("\n");
}

template <class... Targets>
void check_targets() {
    std::printf("Layers + slices run (layers refused, largest error over its bound):\n");
    (check_target<Targets>(std::make_integer_sequence<int, DLAS_UNIT_SHARDS>{}), ...);
}

/// Threads' shares of panels: each tile of each panel once, and no thread has more than its part and a tile.
constexpr bool shares_are_equal(const dlas::panel_cut& cut, int tiles, int parts) {
    int computed[16][16] = {};
    for (int part = 0; part < parts; ++part) {
        const dlas::tile_share share = dlas::share_of_panels<dlas::scalar>(cut, tiles, part, parts);
        int work = 0;
        for (int panel = share.panels.begin; panel < share.panels.end; ++panel) {
            const dlas::range own = share.of_panel(panel, share.tiles);
            for (int tile = own.begin; tile < own.end; ++tile) {
                const dlas::range panels = share.panels_of(tile);
                if (panel < panels.begin || panel >= panels.end) return false;
                ++computed[panel][tile];
                work += cut.width_of(panel);
            }
        }
        if (work > dlas::ceil_divide(cut.vectors * tiles, parts) + cut.width) return false;
    }
    for (int panel = 0; panel < cut.count(); ++panel)
        for (int tile = 0; tile < tiles; ++tile)
            if (computed[panel][tile] != 1) return false;
    return true;
}
static_assert([] {
    for (int vectors = 1; vectors <= 16; ++vectors)
        for (int width = 1; width <= 4; ++width)
            for (const int tiles : {1, 2, 7, 16})
                for (int parts = 1; parts <= 4; ++parts)
                    if (!shares_are_equal({vectors, width}, tiles, parts)) return false;
    return true;
}());

/// Threads' tiles of Winograd: each tile once, and each output pixel written by one thread.
template <int Outputs>
constexpr bool one_writer(dlas::shape out, int parts) {
    const int columns = dlas::ceil_divide(out.width, Outputs), tiles = dlas::ceil_divide(out.height, Outputs) * columns;
    int writers[16][16] = {}, next = 0;
    for (int part = 0; part < parts; ++part) {
        const dlas::range own = dlas::winograd_transform::own_tiles<Outputs>(out, part, parts);
        if (own.begin != next || own.end < own.begin) return false;
        next = own.end;
        for (int t = own.begin; t < own.end; ++t)
            for (int pixel = 0; pixel < Outputs * Outputs; ++pixel) {
                int& writer = writers[dlas::tile_begin(t / columns, Outputs, out.height) + pixel / Outputs]
                                     [dlas::tile_begin(t % columns, Outputs, out.width) + pixel % Outputs];
                if (writer != 0 && writer != part + 1) return false;
                writer = part + 1;
            }
    }
    return next == tiles;
}
static_assert([] {
    for (const int height : {6, 7, 8, 9, 13})
        for (const int width : {6, 7, 8, 9, 13})
            for (int parts = 1; parts <= 4; ++parts)
                if (!one_writer<2>({height, width, 1}, parts) || !one_writer<4>({height, width, 1}, parts) || !one_writer<6>({height, width, 1}, parts)) return false;
    return true;
}());

}  // namespace

TEST_CASE("convolution: every algorithm computes the definition on every target, within its memory") { check_targets<DLAS_UNIT_TARGETS>(); }

TEST_CASE("convolution: the numbers reach what they are meant for") {
    // Else an activation or a residual that is left out would not show.
    for (const conv2d_layer& layer : layers) {
        CAPTURE(describe("", "", layer));
        const problem& p = problems()[layer].of(false);
        int below = 0, between = 0, above = 0;
        conv2d_layer sums = layer;
        sums.activation = activation::none;
        std::vector<double> y(p.expected.size());
        dlas::reference::conv2d(sums, p.input.data(), p.filter.data(), p.bias.data(), layer.residual ? p.residual.data() : nullptr, y.data());
        for (const double value : y) ++(value < 0 ? below : value > 6 ? above : between);
        if (y.size() < 100) continue;
        CHECK(below > 0);
        CHECK(between > 0);
        CHECK(above > 0);
    }
}
