// The constexpr arithmetic behind the kernels: register tiles, blocks, reductions, panels of weights.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <dlas/algorithms/convolution.hpp>
#include <dlas/hardware/targets.hpp>

namespace {

using dlas::reduction;
using dlas::shape;
using dlas::tiling;

constexpr shape outputs[] = {{1, 1, 1},   {1, 1, 1000}, {7, 7, 512},   {4, 4, 33},  {5, 9, 17},   {1, 49, 160},
                             {1, 2, 3136}, {32, 32, 16}, {28, 28, 48}, {112, 112, 3}, {3, 31, 64}, {12, 1, 24}};

/// One evaluation for each: together they would exceed clang's limit of constexpr steps.
template <class Target, int Index>
constexpr tiling chosen = dlas::choose_tiling<Target>(outputs[Index].height, outputs[Index].width, outputs[Index].channels);

template <class Target>
void check_tiling(shape out, tiling tile) {
    CAPTURE(Target::name);
    CAPTURE(out.height);
    CAPTURE(out.width);
    CAPTURE(out.channels);
    const int vectors = dlas::ceil_divide(out.channels, dlas::float_lanes<Target>);
    auto cost = [out](tiling t) { return dlas::tiling_cost<Target>(t, out.height, out.width, out.channels); };
    CHECK(dlas::fits_registers<Target>(tile));
    CHECK(tile.rows >= 1);
    CHECK(tile.columns >= 1);
    CHECK(tile.vectors >= 1);
    CHECK(tile.rows <= out.height);
    CHECK(tile.columns <= out.width);
    CHECK(tile.vectors <= vectors);
    CHECK(cost(tile) <= cost({1, 1, 1}));
    // A tile may be passed over for a gain below a thousandth.
    for (int rows = 1; rows <= 2 && rows <= out.height; ++rows)
        for (int columns = 1; columns <= 16 && columns <= out.width; ++columns)
            for (int v = 1; v <= 8 && v <= vectors; ++v)
                if (dlas::fits_registers<Target>({rows, columns, v})) CHECK(cost(tile) * 0.999 <= cost({rows, columns, v}));
}

/// Offsets of a reduction's terms in the order of the sum.
std::vector<int> offsets(const reduction& r) {
    std::vector<int> all;
    for (int o = 0; o < r.outer.count; ++o)
        for (int m = 0; m < r.middle.count; ++m)
            for (int i = 0; i < r.inner.count; ++i) all.push_back(o * r.outer.stride + m * r.middle.stride + i * r.inner.stride);
    return all;
}

/// Of so many vectors that are left: a tile's, or half of them where that is less than two tiles' and even, or all.
int width_of_next(int left, int most) { return left > most && left < 2 * most && left % 2 == 0 ? left / 2 : std::min(left, most); }

/// Reads a panel back as its description says: groups, blocks of channels, biases, then terms.
void check_panels(const dlas::conv2d_layer& layer, const dlas::panel_layout& panels) {
    CAPTURE(layer.channels);
    CAPTURE(panels.lanes);
    CAPTURE(panels.vectors);
    const int inputs = layer.group_in(), area = layer.kernel.area(), per_group = layer.group_out();
    std::vector<float> filter(static_cast<std::size_t>(layer.filter_elements())), bias(static_cast<std::size_t>(layer.channels));
    for (std::size_t i = 0; i < filter.size(); ++i) filter[i] = static_cast<float>(i + 1);
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = -static_cast<float>(i + 1);
    std::vector<float> packed(static_cast<std::size_t>(panels.elements(layer)), std::numeric_limits<float>::quiet_NaN());
    dlas::pack_panels<dlas::scalar>(layer, panels, filter.data(), bias.data(), packed.data());

    // Elements of a channel's filter: blocks of input channels, pixels, the block's channels.
    std::vector<int> terms;
    for (int begin = 0; begin < inputs; begin += std::min(panels.channel_block, inputs))
        for (int pixel = 0; pixel < area; ++pixel)
            for (int input = begin; input < inputs && input - begin < panels.channel_block; ++input) terms.push_back(input * area + pixel);

    std::size_t at = 0;
    int wrong = 0;
    auto expect = [&](float value) { wrong += at >= packed.size() || packed[at++] != value; };
    for (int group = 0; group < layer.groups; ++group) {
        const int all_vectors = dlas::ceil_divide(per_group, panels.lanes);
        for (int first = 0, last = 0; first < all_vectors; first = last) {
            last = first + width_of_next(all_vectors - first, panels.vectors);
            for (int term = -1; term < inputs * area; ++term)
                for (int lane = first * panels.lanes; lane < last * panels.lanes; ++lane) {
                    const int channel = group * per_group + lane;
                    if (lane >= per_group) expect(0.0f);
                    else if (term < 0) expect(bias[static_cast<std::size_t>(channel)]);
                    else expect(filter[static_cast<std::size_t>(channel * inputs * area + terms[static_cast<std::size_t>(term)])]);
                }
        }
    }
    CHECK(wrong == 0);
    CHECK(at == packed.size());
}

}  // namespace

TEST_CASE("tiling: pixels that share a set of the first-level cache stay within its ways") {
    CHECK(dlas::crowds_cache(14, 4096));
    CHECK(dlas::crowds_cache(9, 8192));
    CHECK_FALSE(dlas::crowds_cache(8, 4096));
    CHECK_FALSE(dlas::crowds_cache(14, 2048));
    CHECK_FALSE(dlas::crowds_cache(28, 4096 + 64));
    CHECK_FALSE(dlas::crowds_cache(28, 0));
    constexpr tiling apart = dlas::choose_tiling<dlas::avx512>(1, 196, 256), crowded = dlas::choose_tiling<dlas::avx512>(1, 196, 256, 4096);
    CHECK(apart.rows * apart.columns > 8);
    CHECK(crowded.rows * crowded.columns <= 8);
}

TEST_CASE("tiling: the chosen register tile fits and costs the least") {
    [&]<class... Targets>(dlas::policy_list<Targets...>) {
        auto check_all = [&]<class Target, int... I>(std::integer_sequence<int, I...>) {
            (check_tiling<Target>(outputs[I], chosen<Target, I>), ...);
        };
        (check_all.template operator()<Targets>(std::make_integer_sequence<int, static_cast<int>(std::size(outputs))>{}), ...);
    }(dlas::targets{});
}

/// AMX's tile for a layer of bytes by rule.
template <int Size, int Inputs, int Outputs, int Kernel, int Block>
constexpr tiling matrix_tile_of() {
    constexpr int row = (Size + Kernel - 1) * Inputs;
    return dlas::choose_matrix_tiling<dlas::amx>({Size, Size}, Outputs, {row, Inputs, dlas::element::u8}, {{Kernel, row}, {Kernel, Inputs}, {Inputs, 1}}, Block);
}

TEST_CASE("tiling: registers of matrices hold pixels where weights are most of what is read, and channels where results are") {
    constexpr tiling weights = matrix_tile_of<7, 512, 512, 3, 49>(), results = matrix_tile_of<56, 64, 256, 1, 384>();
    CHECK(dlas::matrix_lines(weights) == 4);
    CHECK(weights.vectors == 1);
    CHECK(dlas::matrix_lines(results) == 1);
    CHECK(results.vectors == 4);
    CHECK(matrix_tile_of<1, 2048, 1000, 1, 1>() == tiling{1, 1, 2});
}

TEST_CASE("tiling: panels cover all vectors of channels, and the last two are alike where they can be") {
    for (int vectors = 1; vectors <= 60; ++vectors)
        for (int width = 1; width <= 12; ++width) {
            CAPTURE(vectors);
            CAPTURE(width);
            const dlas::panel_cut cut = {vectors, width};
            int first = 0;
            for (int panel = 0; panel < cut.count(); ++panel) {
                CHECK(cut.first(panel) == first);
                CHECK(cut.width_of(panel) == width_of_next(vectors - first, width));
                CHECK((panel < cut.full()) == (cut.width_of(panel) == width));
                first += cut.width_of(panel);
            }
            CHECK(first == vectors);
            CHECK(cut.first(cut.count()) == vectors);
            CHECK(cut.count() - cut.full() <= 2);
        }
    CHECK(dlas::panel_cut{16, 3}.rest() == 2);
}

TEST_CASE("tiling: tiles cover an extent and only the last moves back") {
    for (int extent = 1; extent <= 40; ++extent)
        for (int tile = 1; tile <= extent; ++tile) {
            CAPTURE(extent);
            CAPTURE(tile);
            int end = 0;
            const int count = dlas::ceil_divide(extent, tile);
            for (int i = 0; i < count; ++i) {
                const int begin = dlas::tile_begin(i, tile, extent);
                CHECK(begin >= 0);
                CHECK(begin <= end);
                if (i < count - 1) CHECK(begin == end);
                end = begin + tile;
            }
            CHECK(end == extent);
        }
}

TEST_CASE("tiling: blocks are of whole tiles and as few as fit") {
    for (int extent = 1; extent <= 40; ++extent)
        for (int tile = 1; tile <= extent; ++tile)
            for (const int most : {0, 1, 5, 8, 13, 40, 100}) {
                CAPTURE(extent);
                CAPTURE(tile);
                CAPTURE(most);
                const int block = dlas::whole_tiles(extent, tile, most);
                const int tiles = (most < tile ? tile : most) / tile;
                CHECK(block >= 1);
                CHECK(block <= extent);
                CHECK((block % tile == 0 || block == extent));
                CHECK(block <= tiles * tile);
                CHECK(dlas::ceil_divide(extent, block) <= dlas::ceil_divide(extent, tiles * tile));
            }
}

TEST_CASE("tiling: a merged reduction has the same terms in the same order") {
    constexpr int counts[] = {1, 2, 3};
    constexpr int strides[] = {0, 1, 2, 3, 4, 6, 9};
    int merged_somewhere = 0;
    for (const int inner : counts)
        for (const int middle : counts)
            for (const int outer : counts)
                for (const int step : {1, 2, 6})
                    for (const int middle_step : strides)
                        for (const int outer_step : strides) {
                            const reduction sum = {{outer, outer_step}, {middle, middle_step}, {inner, step}};
                            const reduction merged = sum.merged();
                            CHECK(merged.terms() == inner * middle * outer);
                            CHECK(offsets(merged) == offsets(sum));
                            merged_somewhere += merged.inner.count > inner;
                        }
    CHECK(merged_somewhere > 100);
    // A 3x3 window over 16 channels without a gap between pixels: rows of 48 terms; without a gap between rows: one sum.
    CHECK(reduction{{3, 160}, {3, 16}, {16, 1}}.merged() == reduction{{}, {3, 160}, {48, 1}});
    CHECK(reduction{{3, 48}, {3, 16}, {16, 1}}.merged() == reduction{{}, {}, {144, 1}});
    CHECK(reduction{{3, 160}, {3, 20}, {16, 1}}.merged() == reduction{{3, 160}, {3, 20}, {16, 1}});
}

TEST_CASE("tiling: panels hold the biases and then a row of weights for each term") {
    for (const int lanes : {1, 4, 8, 16})
        for (const int vectors : {1, 2, 3, 5})
            for (const int channel_block : {1, 2, dlas::all_channels})
                for (const int channels : {1, 3, 4, 15, 16, 17, 48, 65})
                    for (const int groups : {1, 3}) {
                        const dlas::panel_layout panels = {lanes, vectors, channel_block};
                        check_panels({.in = {9, 9, 5 * groups}, .channels = channels * groups, .kernel = {2, 3}, .groups = groups}, panels);
                        check_panels({.in = {9, 9, groups}, .channels = channels * groups, .groups = groups}, panels);
                    }
}
