// Convolutions that run together, row by row: each keeps the few rows that its window sees, and no map lies between them.
// Nothing is computed twice, as it is where maps are cut into patches. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/line_ring.hpp>

namespace dlas {

/// One row of a kernel in a chain; row_of(i) gives row i of its input.
template <class Kernel, class Target, class RowOf>
[[gnu::always_inline]] inline void compute_chained_row(typename Kernel::ring& lines, const std::byte* weights, const fixed_parameters& parameters,
                                                       int row, std::int8_t* to, RowOf row_of) {
    const typename Kernel::ring::value* window[Kernel::key.layer.kernel.height];
    lines.advance(row, window, row_of);
    Kernel::compute_row(window, weights, parameters, nullptr, to);
    clamp_row<Kernel::key, Target>(parameters, to);
}

/// The last of several kernels, and the ones before it, the latest first. Their maps have rows without gaps; none adds a residual.
/// `Alignment` is that of the packed weights of each.
template <class Target, std::int64_t Alignment, class Kernel, class... Before>
struct line_chain {
    using before = line_chain<Target, Alignment, Before...>;
    static constexpr conv2d_key key = Kernel::key;
    static constexpr int row_bytes = round_up(key.layer.in.width * key.layer.in.channels, 8);
    static constexpr std::int64_t workspace_bytes = Kernel::ring::bytes + row_bytes + before::workspace_bytes;
    static constexpr std::int64_t weight_bytes = before::weight_bytes + (Kernel::packed_elements * 4 + Alignment - 1) / Alignment * Alignment;

    before source;
    const std::byte* weights;
    fixed_parameters parameters;
    std::int8_t* input_row;
    typename Kernel::ring lines;

    line_chain(const void* image, const std::byte* packed, std::byte* workspace)
        : source(image, packed, workspace + Kernel::ring::bytes + row_bytes),
          weights(packed + before::weight_bytes),
          parameters(load_fixed_parameters<Target>(weights)),
          input_row(reinterpret_cast<std::int8_t*>(workspace + Kernel::ring::bytes)),
          lines(workspace, parameters.input_zero, 0) {}

    /// Computes a row of the last kernel's output; rows are asked for in order.
    void compute_row(int row, std::int8_t* to) {
        compute_chained_row<Kernel, Target>(lines, weights, parameters, row, to, [this](int before_row) {
            source.compute_row(before_row, input_row);
            return const_cast<const std::int8_t*>(input_row);
        });
    }

    static void run(const kernel_arguments& a) {
        if (a.part != 0) return;  // rows depend on each other
        line_chain chain(a.input, static_cast<const std::byte*>(a.weights), static_cast<std::byte*>(a.workspace));
        for (int row = 0; row < key.layer.out().height; ++row) chain.compute_row(row, static_cast<std::int8_t*>(a.output) + row * key.out.row_stride);
    }
};

/// The first of them reads a map.
template <class Target, std::int64_t Alignment, class Kernel>
struct line_chain<Target, Alignment, Kernel> {
    static constexpr conv2d_key key = Kernel::key;
    static constexpr std::int64_t workspace_bytes = Kernel::ring::bytes;
    static constexpr std::int64_t weight_bytes = (Kernel::packed_elements * 4 + Alignment - 1) / Alignment * Alignment;

    const std::int8_t* map;
    const std::byte* weights;
    fixed_parameters parameters;
    typename Kernel::ring lines;

    line_chain(const void* image, const std::byte* packed, std::byte* workspace)
        : map(static_cast<const std::int8_t*>(image)),
          weights(packed),
          parameters(load_fixed_parameters<Target>(packed)),
          lines(workspace, parameters.input_zero, 0) {}

    void compute_row(int row, std::int8_t* to) {
        compute_chained_row<Kernel, Target>(lines, weights, parameters, row, to,
                                            [this](int input_row) { return map + input_row * key.in.row_stride; });
    }
};

}  // namespace dlas
