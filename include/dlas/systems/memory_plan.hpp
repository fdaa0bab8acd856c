// Where in the arena each buffer lies: buffers that are never alive together share memory. Systems Software.
#pragma once

#include <cstdint>

#include <dlas/core/list.hpp>

namespace dlas {

/// Another block that a block may lie over though both are alive in one step: if it begins at least `distance` bytes before it, or, where
/// `or_together`, exactly where the other does.
struct overlap {
    int block = -1;
    std::int64_t distance = 0;
    bool or_together = false;

    /// Whether a block at `offset` may lie over the other at `others`.
    constexpr bool allows(std::int64_t offset, std::int64_t others) const { return offset + distance <= others || (or_together && offset == others); }
};

/// Memory needed from one step to another, both included.
struct memory_block {
    std::int64_t bytes = 0;
    int first_step = 0;
    int last_step = 0;
    std::int64_t offset = 0;  ///< from the start of the arena; what plan_memory() finds
    overlap over_input = {};
    overlap over_second = {};

    /// How this one may lie over block `index`; no block where it may not.
    constexpr overlap over(int index) const { return over_input.block == index ? over_input : over_second.block == index ? over_second : overlap{}; }
};

/// Bytes to which every block is aligned.
inline constexpr std::int64_t arena_alignment = 64;
constexpr std::int64_t arena_aligned(std::int64_t bytes) { return (bytes + arena_alignment - 1) / arena_alignment * arena_alignment; }

/// No plan can be smaller: the most bytes that are alive in one step.
template <int N>
constexpr std::int64_t memory_lower_bound(const list<memory_block, N>& blocks, int steps) {
    growing_list<std::int64_t> change;  // of the bytes that are alive, from one step to the next
    for (int step = 0; step < steps + 2; ++step) change.push(0);
    for (const memory_block& b : blocks) {
        if (b.bytes == 0) continue;
        change[b.first_step] += b.bytes;
        change[b.last_step + 1] -= b.bytes;
    }
    std::int64_t most = 0, alive = 0;
    for (const std::int64_t difference : change) {
        alive += difference;
        if (alive > most) most = alive;
    }
    return most;
}

namespace memory_planning {

/// Places blocks one after the other, each at the lowest offset that is free during its life. Returns the arena's bytes.
template <int N>
constexpr std::int64_t place_in_order(list<memory_block, N>& blocks, const list<int, N>& order) {
    // For each step a chain of the blocks placed so far that are alive in it: clang counts the steps of a constant evaluation, and most
    // blocks never meet. The first links, one for each step, hold no block.
    struct link {
        int block = -1;
        int next = -1;
    };
    growing_list<link> links;
    for (int index : order)
        while (links.size() <= blocks[index].last_step) links.push({});
    std::int64_t arena = 0;
    for (int index : order) {
        memory_block& block = blocks[index];
        block.offset = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (int step = block.first_step; step <= block.last_step; ++step)
                for (int at = links[step].next; at >= 0; at = links[at].next) {
                    const memory_block& other = blocks[links[at].block];
                    if (block.offset + block.bytes <= other.offset || other.offset + other.bytes <= block.offset) continue;
                    const overlap before = block.over(links[at].block), after = other.over(index);
                    if (before.block >= 0 && before.allows(block.offset, other.offset)) continue;
                    if (after.block >= 0 && after.allows(other.offset, block.offset)) continue;
                    // The next offset that this other block allows.
                    const std::int64_t end = other.offset + other.bytes;
                    const std::int64_t aligned = arena_aligned(after.distance);
                    const bool together = (before.block >= 0 && before.or_together) || (after.block >= 0 && after.or_together);
                    if (together && block.offset < other.offset) block.offset = other.offset;
                    else block.offset = after.block >= 0 && other.offset + aligned < end ? other.offset + aligned : end;
                    moved = true;
                }
        }
        for (int step = block.first_step; step <= block.last_step; ++step) {
            links.push({index, links[step].next});
            links[step].next = links.size() - 1;
        }
        if (block.offset + block.bytes > arena) arena = block.offset + block.bytes;
    }
    return arena;
}

/// The blocks that need memory, in an order; equals as they are written.
template <int N, class Before>
constexpr list<int, N> sorted(const list<memory_block, N>& blocks, Before before) {
    list<int, N> order, merged;
    for (int i = 0; i < blocks.size(); ++i)
        if (blocks[i].bytes > 0) order.push(i);
    const int size = order.size();
    merged.count = size;
    for (int run = 1; run < size; run *= 2) {
        for (int begin = 0; begin < size; begin += 2 * run) {
            const int middle = begin + run < size ? begin + run : size, end = middle + run < size ? middle + run : size;
            int first = begin, second = middle;
            for (int to = begin; to < end; ++to) {
                const bool take_second = second < end && (first == middle || before(blocks[order[second]], blocks[order[first]]));
                merged[to] = order[take_second ? second++ : first++];
            }
        }
        order = merged;
    }
    return order;
}

}  // namespace memory_planning

/// Sets the offsets and returns the bytes of the arena: the best of three greedy orders
/// (largest first; longest-lived first; as they are written).
template <int N>
constexpr std::int64_t plan_memory(list<memory_block, N>& blocks) {
    for (memory_block& b : blocks) b.bytes = arena_aligned(b.bytes);
    const list<int, N> orders[] = {
        memory_planning::sorted(blocks, [](const memory_block& a, const memory_block& b) { return a.bytes > b.bytes; }),
        memory_planning::sorted(blocks,
                                [](const memory_block& a, const memory_block& b) {
                                    return a.last_step - a.first_step > b.last_step - b.first_step ||
                                           (a.last_step - a.first_step == b.last_step - b.first_step && a.bytes > b.bytes);
                                }),
        memory_planning::sorted(blocks, [](const memory_block& a, const memory_block& b) { return a.first_step < b.first_step; })};
    std::int64_t best = -1;
    list<memory_block, N> result;
    for (const auto& order : orders) {
        list<memory_block, N> attempt = blocks;
        const std::int64_t arena = memory_planning::place_in_order(attempt, order);
        if (best < 0 || arena < best) {
            best = arena;
            result = attempt;
        }
    }
    blocks = result;
    return best;
}

}  // namespace dlas
