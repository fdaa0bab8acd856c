// The memory plan: nothing that is alive at one time shares memory, and little is wasted.
#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlas/datasets/problems.hpp>
#include <dlas/models/densenet.hpp>
#include <dlas/models/efficientnet.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>
#include <dlas/models/vgg.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/reference_network.hpp>

#include "made_up_graphs.hpp"

/// Compile-time lists run here too, where there is no compiler to stop.
void dlas::compile_time_error(const char* message) { throw std::logic_error(message); }

namespace {

/// One use of memory, said without the planner's own words: bytes [begin, end) during steps [first, last].
struct use {
    std::int64_t begin = 0, end = 0;
    int first = 0, last = 0;
};

bool collide(const use& a, const use& b) { return a.first <= b.last && b.first <= a.last && a.begin < b.end && b.begin < a.end; }

/// Pairs of uses that collide.
int collisions(const std::vector<use>& uses) {
    int count = 0;
    for (std::size_t i = 0; i < uses.size(); ++i)
        for (std::size_t k = 0; k < i; ++k) count += collide(uses[i], uses[k]);
    return count;
}

std::int64_t most_alive(const std::vector<use>& uses) {
    std::int64_t most = 0;
    for (const use& at : uses) {  // the most bytes are alive where some block begins
        std::int64_t alive = 0;
        for (const use& u : uses)
            if (u.first <= at.first && at.first <= u.last) alive += u.end - u.begin;
        most = std::max(most, alive);
    }
    return most;
}

/// What the plan made of the blocks.
template <int N>
std::vector<use> uses_of(const dlas::list<dlas::memory_block, N>& blocks) {
    std::vector<use> uses;
    for (const dlas::memory_block& block : blocks)
        if (block.bytes > 0) uses.push_back({block.offset, block.offset + block.bytes, block.first_step, block.last_step});
    return uses;
}

template <int N>
void check_plan(dlas::list<dlas::memory_block, N>& blocks, int steps, double waste) {
    std::vector<std::int64_t> wanted;
    for (const dlas::memory_block& block : blocks) wanted.push_back(block.bytes);
    const std::int64_t arena = dlas::plan_memory(blocks);
    const std::vector<use> uses = uses_of(blocks);
    CHECK(collisions(uses) == 0);
    bool inside = true, aligned = true, large_enough = true;
    for (int i = 0; i < blocks.size(); ++i) {
        const dlas::memory_block& block = blocks[i];
        inside = inside && block.offset >= 0 && block.offset + block.bytes <= arena;
        aligned = aligned && block.offset % 64 == 0;
        large_enough = large_enough && block.bytes >= wanted[static_cast<std::size_t>(i)];
    }
    CHECK(inside);
    CHECK(aligned);
    CHECK(large_enough);
    const std::int64_t bound = dlas::memory_lower_bound(blocks, steps);
    CHECK(bound == most_alive(uses));
    CHECK(arena >= bound);
    CHECK(static_cast<double>(arena) <= waste * static_cast<double>(bound));
}

/// A program of any size, so that the checks are compiled once.
struct program_view {
    std::span<const dlas::program_step> steps;
    std::span<const dlas::program_tensor> tensors;
    std::span<const dlas::program_buffer> buffers;

    template <int Capacity>
    program_view(const dlas::program<Capacity>& p)
        : steps(p.steps.begin(), p.steps.end()), tensors(p.tensors.begin(), p.tensors.end()), buffers(p.buffers.begin(), p.buffers.end()) {}

    std::size_t buffer_of(int tensor) const { return static_cast<std::size_t>(tensors[static_cast<std::size_t>(tensor)].buffer); }
    /// Bytes from the start of a tensor's buffer to its first element.
    std::int64_t first_byte(int tensor) const {
        const dlas::program_buffer& buffer = buffers[buffer_of(tensor)];
        const int row = (buffer.map.width + buffer.halo.left + buffer.halo.right) * buffer.map.channels;
        return std::int64_t{4} * (buffer.halo.top * row + buffer.halo.left * buffer.map.channels + tensors[static_cast<std::size_t>(tensor)].first_channel);
    }
};

/// The buffers of a network, with the workspaces that an algorithm which copies the input of each convolution needs, or with none.
void check_buffers(std::string_view model, program_view p, bool workspaces) {
    const std::string name(model);
    CAPTURE(name);
    CAPTURE(workspaces);
    dlas::list<dlas::memory_block, 512> blocks;
    for (const dlas::program_buffer& buffer : p.buffers)
        blocks.push({buffer.first_step < 0 ? 0 : 4 * buffer.elements(), buffer.first_step, buffer.last_step});
    for (std::size_t i = 0; i < p.steps.size(); ++i) {
        const dlas::conv2d_layer& layer = p.steps[i].conv;
        if (p.steps[i].kind != dlas::step_kind::conv2d || layer.kernel == 1 || !workspaces) continue;
        const std::int64_t row_of_windows = std::int64_t{4} * layer.group_in() * layer.kernel.area() * layer.out().width;
        blocks.push({row_of_windows, static_cast<int>(i), static_cast<int>(i)});
    }
    check_plan(blocks, static_cast<int>(p.steps.size()), 1.1);
}

template <class... Models>
void check_models() {
    (check_buffers(Models::name, dlas::program_of<Models>, false), ...);
    (check_buffers(Models::name, dlas::program_of<Models>, true), ...);
}

/// A deployed network's steps touch the memory that its program says, and no two things that are alive share any.
/// Lifetimes are found anew from the steps; the buffers' places from the addresses that the steps are given.
void check_deployment(const dlas::executable& code, std::int64_t lower_bound, program_view p) {
    const std::string name(code.model);
    CAPTURE(name);
    REQUIRE(code.steps.size() == p.steps.size());
    const int steps = static_cast<int>(p.steps.size());

    std::vector<use> buffers(p.buffers.size(), use{-1, -1, -1, -1});
    std::vector<use> uses;
    use own_workspaces;  // of all threads, in no other use at any time
    bool consistent = true, aligned = true;
    int written_first = 0, used = 0;
    for (int i = 0; i < steps; ++i) {
        const dlas::program_step& s = p.steps[static_cast<std::size_t>(i)];
        const dlas::executable_step& step = code.steps[static_cast<std::size_t>(i)];
        auto touch = [&](int tensor, std::int64_t address, bool writes) {
            if (tensor < 0) return;
            use& buffer = buffers[p.buffer_of(tensor)];
            const std::int64_t begin = address - p.first_byte(tensor);
            if (buffer.first < 0) {
                buffer = {begin, begin + 4 * p.buffers[p.buffer_of(tensor)].elements(), i, i};
                written_first += writes;
            }
            consistent = consistent && buffer.begin == begin;
            buffer.last = i;
        };
        touch(s.input, step.input, false);
        touch(s.second, step.second, false);
        touch(s.output, step.output, true);
        if (step.workspace_stride > 0) {
            CHECK(step.workspace_bytes <= step.workspace_stride);
            CHECK((own_workspaces.end == 0 || own_workspaces.begin == step.workspace));
            own_workspaces = {step.workspace, step.workspace + code.threads * step.workspace_stride, 0, steps};
        } else if (step.workspace_bytes > 0) {
            uses.push_back({step.workspace, step.workspace + step.workspace_bytes, i, i});
        }
        aligned = aligned && step.workspace % 64 == 0 && step.weights % 64 == 0 && step.weights + step.weight_bytes <= code.weight_bytes;
    }
    CHECK(consistent);
    buffers[p.buffer_of(p.steps.back().output)].last = steps;
    for (const use& buffer : buffers)
        if (buffer.first >= 0) {
            uses.push_back(buffer);
            ++used;
            aligned = aligned && buffer.begin % 64 == 0;
        }
    if (own_workspaces.end > 0) uses.push_back(own_workspaces);
    CHECK(written_first == used);
    CHECK(aligned);
    CHECK(collisions(uses) == 0);
    std::int64_t begin = 0, end = 0;
    for (const use& u : uses) {
        begin = std::min(begin, u.begin);
        end = std::max(end, u.end);
    }
    CHECK(begin == 0);
    CHECK(end <= code.arena_bytes);
    CHECK(code.arena_bytes % 64 == 0);
    CHECK(static_cast<double>(code.arena_bytes) <= 1.1 * static_cast<double>(lower_bound));

    // A halo is filled by the step that writes its buffer first, and is all of the buffer but the map.
    for (int i = 0; i < steps; ++i) {
        const std::size_t b = p.buffer_of(p.steps[static_cast<std::size_t>(i)].output);
        const dlas::program_buffer& buffer = p.buffers[b];
        const dlas::halo_fill& halo = code.steps[static_cast<std::size_t>(i)].halo;
        const bool due = buffers[b].first == i && !buffer.halo.empty();
        CHECK((halo.rows > 0) == due);
        if (!due) continue;
        CHECK(halo.offset == buffers[b].begin);
        CHECK(halo.top_bytes + halo.bottom_bytes + halo.rows * (halo.left_bytes + halo.row_bytes + halo.right_bytes) == 4 * buffer.elements());
        CHECK(halo.rows * halo.row_bytes == std::int64_t{4} * buffer.map.elements());
    }
}

template <class Model, class Plan>
void check_deployment() {
    using network = dlas::network<Model, Plan>;
    check_deployment(network::code, network::arena_lower_bound, dlas::program_of<Model>);
}

/// A chain of layers, each of which reads the rows that the one before has written, and some a second map as well. Rows as a kernel reads them:
/// before it writes row r of its output it has all rows of its input that r needs, and from then on reads later ones; of the second map it reads
/// the bytes of row r while it writes this row, in no order.
struct row_layer {
    int input = -1, second = -1;  ///< layers whose output is read
    int rows = 1, row_bytes = 1;
    int stride = 1, reach = 1, top = 0;  ///< in rows
    bool any_order = false;              ///< the bytes of a row
};

/// Input rows that are read before row `row` of the output is written.
int rows_before(const row_layer& l, int row, int input_rows) { return std::clamp(row * l.stride + l.reach - l.top, 0, input_rows); }

/// The least number of bytes that such an output has to begin before its input.
std::int64_t least_distance(const row_layer& l, const row_layer& input) {
    std::int64_t least = 0;
    for (int row = 0; row < l.rows; ++row)
        if (const int read = rows_before(l, row, input.rows); read < input.rows)
            least = std::max(least, std::int64_t{row + 1} * l.row_bytes - std::int64_t{read} * input.row_bytes);
    return least;
}

/// Runs the layers in an arena whose bytes say which layer wrote them, and where. Reads that find another's byte are counted.
int wrong_reads(const std::vector<row_layer>& layers, const dlas::list<dlas::memory_block, 64>& blocks, std::int64_t arena) {
    std::vector<std::int64_t> bytes(static_cast<std::size_t>(arena), -1);
    auto tag = [](int layer, std::int64_t at) { return layer * (std::int64_t{1} << 32) + at; };
    int wrong = 0;
    auto read_row = [&](int layer, int row) {
        const int size = layers[static_cast<std::size_t>(layer)].row_bytes;
        for (std::int64_t at = std::int64_t{row} * size; at < std::int64_t{row + 1} * size; ++at)
            wrong += bytes[static_cast<std::size_t>(blocks[layer].offset + at)] != tag(layer, at);
    };
    for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
        const row_layer& l = layers[static_cast<std::size_t>(i)];
        const int input_rows = l.input < 0 ? 0 : layers[static_cast<std::size_t>(l.input)].rows;
        int read = 0;
        for (int row = 0; row < l.rows; ++row) {
            for (const int until = rows_before(l, row, input_rows); read < until; ++read) read_row(l.input, read);
            const std::int64_t first = std::int64_t{row} * l.row_bytes;
            // Bytes in their order, or every third one, then the next ones. Those of the second map are read just before their sum is written.
            const int step = l.any_order ? 3 : 1;
            for (int begin = 0; begin < step; ++begin)
                for (std::int64_t at = first + begin; at < first + l.row_bytes; at += step) {
                    if (l.second >= 0) wrong += bytes[static_cast<std::size_t>(blocks[l.second].offset + at)] != tag(l.second, at);
                    bytes[static_cast<std::size_t>(blocks[i].offset + at)] = tag(i, at);
                }
        }
    }
    return wrong;
}

}  // namespace

TEST_CASE("memory plan: generated blocks never collide") {
    dlas::seeded_numbers numbers(1);
    auto below = [&numbers](int bound) { return static_cast<int>(numbers.bits() % static_cast<unsigned>(bound)); };
    for (int round = 0; round < 2000; ++round) {
        dlas::list<dlas::memory_block, 64> blocks;
        const int count = 1 + below(64), steps = 1 + below(40), longest = 1 + below(steps);
        for (int i = 0; i < count; ++i) {
            const int first = below(steps);
            const int size = below(4) == 0 ? 0 : below(4) == 0 ? 1 + below(100000) : 1 + below(300);
            blocks.push({size, first, std::min(first + below(longest), steps)});
        }
        CAPTURE(round);
        check_plan(blocks, steps, 2.0);
    }
}

TEST_CASE("memory plan: what lies over another block never clobbers what is still to be read") {
    dlas::seeded_numbers numbers(2);
    auto below = [&numbers](int bound) { return static_cast<int>(numbers.bits() % static_cast<unsigned>(bound)); };
    int overlaps = 0, together = 0;
    for (int round = 0; round < 1500; ++round) {
        std::vector<row_layer> layers(static_cast<std::size_t>(2 + below(10)));
        dlas::list<dlas::memory_block, 64> blocks;
        for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
            row_layer& l = layers[static_cast<std::size_t>(i)];
            l = {.rows = 1 + below(12), .row_bytes = 1 + below(below(2) == 0 ? 40 : 300), .stride = 1 + below(2), .reach = 1 + below(4), .top = below(3), .any_order = below(2) == 0};
            if (i > 0) l.input = below(4) == 0 ? below(i) : i - 1;
            // A second map, or the input once more, of the output's shape.
            if (i > 0 && below(2) == 0) {
                l.second = below(i);
                l.rows = layers[static_cast<std::size_t>(l.second)].rows;
                l.row_bytes = layers[static_cast<std::size_t>(l.second)].row_bytes;
            }
            blocks.push({std::int64_t{l.rows} * l.row_bytes, i, i + 1});
            for (const int read : {l.input, l.second})
                if (read >= 0) blocks[read].last_step = i;
        }
        blocks.back().last_step = static_cast<int>(layers.size());
        for (int i = 1; i < static_cast<int>(layers.size()); ++i) {
            const row_layer& l = layers[static_cast<std::size_t>(i)];
            const std::int64_t distance = least_distance(l, layers[static_cast<std::size_t>(l.input)]), row = l.any_order ? l.row_bytes : 0;
            const bool input_dies = blocks[l.input].last_step == i;
            if (l.second == l.input) {
                if (input_dies) blocks[i].over_input = {l.input, std::max(distance, row), distance == 0};
                continue;
            }
            if (input_dies) blocks[i].over_input = {l.input, distance};
            if (l.second >= 0 && blocks[l.second].last_step == i) blocks[i].over_second = {l.second, row, true};
        }
        const std::int64_t arena = dlas::plan_memory(blocks);
        CAPTURE(round);
        CHECK(wrong_reads(layers, blocks, arena) == 0);
        for (int i = 0; i < blocks.size(); ++i)
            for (const int other : {blocks[i].over_input.block, blocks[i].over_second.block})
                if (other >= 0 && blocks[i].offset < blocks[other].offset + blocks[other].bytes && blocks[other].offset < blocks[i].offset + blocks[i].bytes) {
                    ++overlaps;
                    together += blocks[i].offset == blocks[other].offset;
                }
    }
    // The planner does use what it may.
    CHECK(overlaps > 1000);
    CHECK(together > 100);
    CHECK(together < overlaps);
}

TEST_CASE("memory plan: corners") {
    dlas::list<dlas::memory_block, 4> none;
    CHECK(dlas::plan_memory(none) == 0);

    dlas::list<dlas::memory_block, 4> meeting;  // the last step of one is the first of the other: both are alive
    meeting.push({64, 0, 1});
    meeting.push({64, 1, 2});
    CHECK(dlas::plan_memory(meeting) == 128);

    dlas::list<dlas::memory_block, 4> following;
    following.push({65, 0, 1});
    following.push({1, 2, 3});
    following.push({0, 0, 3});
    CHECK(dlas::plan_memory(following) == 128);
    CHECK(following[1].offset == 0);
    CHECK(following[0].bytes == 128);

    dlas::list<dlas::memory_block, 4> gap;  // a hole between two that stay is used again
    gap.push({128, 0, 9});
    gap.push({128, 0, 1});
    gap.push({128, 0, 9});
    gap.push({128, 2, 9});
    CHECK(dlas::plan_memory(gap) == 384);
}

TEST_CASE("memory plan: every model") {
    check_models<dlas::resnet8<dlas::cifar10>, dlas::resnet8_a<dlas::shapes10>, dlas::resnet20<dlas::cifar10>, dlas::resnet32<dlas::cifar10>,
                 dlas::resnet44<dlas::cifar10>, dlas::resnet56<dlas::cifar10>, dlas::resnet18<dlas::cifar10>, dlas::resnet34<dlas::cifar10>,
                 dlas::resnet50<dlas::cifar10>, dlas::vgg16<dlas::cifar10>, dlas::mobilenet_v1<dlas::cifar10>, dlas::mobilenet_v2<dlas::cifar10>,
                 dlas::resnet18<dlas::imagenet>, dlas::resnet34<dlas::imagenet>, dlas::resnet50<dlas::imagenet>, dlas::vgg16<dlas::imagenet>,
                 dlas::mobilenet_v1<dlas::imagenet>, dlas::mobilenet_v1_quarter<dlas::imagenet>, dlas::mobilenet_v2<dlas::imagenet>,
                 dlas::squeezenet1_1<dlas::imagenet>, dlas::efficientnet_b0<dlas::imagenet>, dlas::densenet161<dlas::imagenet>>();
}

TEST_CASE("deployed networks: what is alive has memory of its own") {
    using mostly_im2col = dlas::stack<dlas::first_of<dlas::im2col, dlas::direct, dlas::depthwise>>;
    check_deployment<dlas::resnet20<dlas::cifar10>, dlas::stack<>>();
    check_deployment<dlas::squeezenet1_1<dlas::imagenet>, mostly_im2col>();
    check_deployment<made_up::dense_blocks, dlas::stack<>>();
    check_deployment<made_up::part_of_two, mostly_im2col>();
    check_deployment<made_up::all_into_slices, mostly_im2col>();
    check_deployment<made_up::halos_in_reused_memory, mostly_im2col>();
    check_deployment<made_up::dead_head, dlas::stack<>>();
    check_deployment<dlas::resnet20<dlas::cifar10>, dlas::stack<dlas::first_of<dlas::winograd<2>, dlas::direct>, dlas::threads<3>>>();
}
