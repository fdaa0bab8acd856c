// What the passes make of a network: everything that can be fused is, and nothing is copied that need not be.
#include <doctest/doctest.h>

#include <dlas/datasets/problems.hpp>
#include <dlas/models/densenet.hpp>
#include <dlas/models/efficientnet.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>
#include <dlas/models/vgg.hpp>
#include <dlas/systems/program.hpp>

#include "made_up_graphs.hpp"

namespace {

using dlas::step_kind;

template <class Model>
consteval int steps(step_kind kind) {
    int count = 0;
    for (const dlas::program_step& step : dlas::program_of<Model>.steps) count += step.kind == kind;
    return count;
}

/// The convolutions of a network, and the steps that are neither a convolution nor one of the given number of others.
template <class Model>
consteval bool is_fused(int convolutions, int others) {
    return steps<Model>(step_kind::conv2d) == convolutions && dlas::program_of<Model>.steps.size() == convolutions + others;
}

// Normalizations, residuals and activations all disappear: what is left beside convolutions loads the image, pools and subsamples.
static_assert(is_fused<dlas::resnet8<dlas::cifar10>>(10, 2));
static_assert(is_fused<dlas::resnet20<dlas::cifar10>>(20, 4) && steps<dlas::resnet20<dlas::cifar10>>(step_kind::subsample) == 2);
static_assert(is_fused<dlas::resnet56<dlas::cifar10>>(56, 4));
static_assert(is_fused<dlas::resnet18<dlas::imagenet>>(21, 3) && is_fused<dlas::resnet50<dlas::imagenet>>(54, 3));
static_assert(is_fused<dlas::vgg16<dlas::cifar10>>(14, 6) && is_fused<dlas::vgg16<dlas::imagenet>>(16, 6));
static_assert(is_fused<dlas::mobilenet_v1<dlas::imagenet>>(28, 2) && is_fused<dlas::mobilenet_v2<dlas::imagenet>>(53, 2));
// The parts of SqueezeNet's concatenations are made in their places.
static_assert(is_fused<dlas::squeezenet1_1<dlas::imagenet>>(26, 5));
// So are those of DenseNet; the normalizations of what blocks have joined so far stay steps of their own.
using densenet161 = dlas::densenet161<dlas::imagenet>;
static_assert(is_fused<densenet161>(161, 6 + 82) && steps<densenet161>(step_kind::affine) == 82 && steps<densenet161>(step_kind::copy) == 0);
// Its transitions average before they convolve.
static_assert([] {
    const auto& p = dlas::program_of<densenet161>;
    int halved = 0;
    for (int i = 0; i + 1 < p.steps.size(); ++i)
        halved += p.steps[i].kind == step_kind::pool2d && p.steps[i + 1].kind == step_kind::conv2d && p.steps[i + 1].conv.in == p.steps[i].pool.out() &&
                  p.steps[i + 1].conv.channels * 2 == p.steps[i + 1].conv.in.channels;
    return halved == 3;
}());
// EfficientNet's blocks have a pool each; their gates scale weights but where the map is smaller than those, in the last five.
using efficientnet_b0 = dlas::efficientnet_b0<dlas::imagenet>;
static_assert(is_fused<efficientnet_b0>(82, 2 + 16 + 5) && steps<efficientnet_b0>(step_kind::multiply) == 5);

// Pixels a power of two apart get a gap of a line, but those of the output.
static_assert([] {
    int gaps = 0;
    for (const dlas::program_buffer& b : dlas::program_of<dlas::mobilenet_v1<dlas::imagenet>>.buffers) {
        if (b.gap == 0 || b.first_step < 0) continue;
        ++gaps;
        if (b.gap != 16 || b.map.channels % 256 != 0 || b.map.pixels() == 1 || b.pixel_stride() != b.map.channels + 16) return false;
    }
    return gaps == 3 + 1 + 11 + 1 + 3;  // 28x28x256, 14x14x256, 14x14x512, 7x7x512, 7x7x1024
}());

// A map is copied only where it has one place already.
static_assert(steps<made_up::dense_blocks>(step_kind::copy) == 0 && steps<made_up::inception>(step_kind::copy) == 0);
static_assert(steps<made_up::sums_of_slices>(step_kind::copy) == 0 && steps<made_up::dead_head>(step_kind::copy) == 1);
static_assert(steps<made_up::part_of_two>(step_kind::copy) == 1 && steps<made_up::same_part_twice>(step_kind::copy) == 2);
// b is a part of `right`, which comes later, and a copy in `left`.
static_assert(dlas::program_of<made_up::part_of_two>.buffers.size() > 0 && [] {
    const auto& p = dlas::program_of<made_up::part_of_two>;
    const auto& g = dlas::graph_of<made_up::part_of_two>;
    for (int i = 0; i < g.nodes.size(); ++i)
        if (g.nodes[i].op == dlas::operation::concatenate) {
            const bool in_place = p.tensors[g.nodes[i].inputs[0]].buffer == p.tensors[i].buffer && p.tensors[g.nodes[i].inputs[1]].buffer == p.tensors[i].buffer;
            const bool right = g.nodes[i].out.channels == 9;
            if (in_place != right) return false;
        }
    return true;
}());

}  // namespace

TEST_CASE("program: what is left beside convolutions") {
    for (const dlas::program_step& step : dlas::program_of<dlas::resnet50<dlas::imagenet>>.steps) {
        CHECK(step.kind != step_kind::add);
        CHECK(step.kind != step_kind::activate);
        CHECK(step.kind != step_kind::affine);
    }
}
