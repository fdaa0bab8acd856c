// Where in the arena each buffer lies: buffers that are never alive together share memory. Systems Software.
#pragma once

#include <cstdint>

#include <dlas/core/list.hpp>

namespace dlas {

/// Memory needed from one step to another, both included.
struct memory_block {
    std::int64_t bytes = 0;
    int first_step = 0;
    int last_step = 0;
    std::int64_t offset = 0;  ///< from the start of the arena; what plan_memory() finds

    constexpr bool meets(const memory_block& other) const {
        return bytes > 0 && other.bytes > 0 && first_step <= other.last_step && other.first_step <= last_step;
    }
};

/// Bytes to which every block is aligned.
inline constexpr std::int64_t arena_alignment = 64;

/// No plan can be smaller: the most bytes that are alive in one step.
template <int N>
constexpr std::int64_t memory_lower_bound(const list<memory_block, N>& blocks, int steps) {
    std::int64_t most = 0;
    for (int step = 0; step <= steps; ++step) {
        std::int64_t alive = 0;
        for (const memory_block& b : blocks)
            if (b.first_step <= step && step <= b.last_step) alive += b.bytes;
        if (alive > most) most = alive;
    }
    return most;
}

namespace memory_planning {

/// Places blocks one after the other, each at the lowest offset that is free during its life. Returns the arena's bytes.
template <int N>
constexpr std::int64_t place_in_order(list<memory_block, N>& blocks, const list<int, N>& order) {
    std::int64_t arena = 0;
    list<int, N> by_offset;  // placed blocks, ascending
    for (int index : order) {
        memory_block& block = blocks[index];
        std::int64_t offset = 0;
        for (int other : by_offset) {
            const memory_block& placed = blocks[other];
            if (!block.meets(placed)) continue;
            if (offset + block.bytes <= placed.offset) break;
            if (offset < placed.offset + placed.bytes) offset = placed.offset + placed.bytes;
        }
        block.offset = offset;
        if (offset + block.bytes > arena) arena = offset + block.bytes;
        int at = by_offset.size();
        by_offset.push(index);
        for (; at > 0 && blocks[by_offset[at - 1]].offset > offset; --at) by_offset[at] = by_offset[at - 1];
        by_offset[at] = index;
    }
    return arena;
}

/// The blocks that need memory, in an order.
template <int N, class Before>
constexpr list<int, N> sorted(const list<memory_block, N>& blocks, Before before) {
    list<int, N> order;
    for (int i = 0; i < blocks.size(); ++i) {
        if (blocks[i].bytes == 0) continue;  // most are: clang counts the steps of a constant evaluation
        order.push(i);
        int at = order.size() - 1;
        for (; at > 0 && before(blocks[i], blocks[order[at - 1]]); --at) order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

}  // namespace memory_planning

/// Sets the offsets and returns the bytes of the arena: the best of three greedy orders
/// (largest first; longest-lived first; as they are written).
template <int N>
constexpr std::int64_t plan_memory(list<memory_block, N>& blocks) {
    for (memory_block& b : blocks) b.bytes = (b.bytes + arena_alignment - 1) / arena_alignment * arena_alignment;
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
