// A network lowered to steps over buffers: fused operations, halos, slices for concatenations. Systems Software.
// All of it is constexpr; it depends on the model alone, so that every stack shares one program.
#pragma once

#include <dlas/algorithms/kernel.hpp>
#include <dlas/models/graph.hpp>
#include <dlas/optimizations/batch_norm_folding.hpp>

namespace dlas {

enum class step_kind : std::uint8_t { load_input, conv2d, pool2d, global_average_pool, add, multiply, affine, activate, subsample, copy };

/// One kernel call. Tensors are numbered as the nodes of the graph; copies that the passes insert follow after them.
struct program_step {
    step_kind kind = step_kind::copy;
    int node = 0;            ///< the operation it stands for; names its parameters
    int batch_norm = -1;     ///< the batch normalization folded into it, or that it is
    int input = -1;
    int second = -1;         ///< residual, or the other operand of a sum or product
    int gate = -1;           ///< the map of one pixel that scales a convolution's input
    int output = -1;
    conv2d_layer conv;       ///< conv2d
    pool2d_layer pool;       ///< pool2d
    dlas::activation activation = dlas::activation::none;
    bool buffers_rows = false;  ///< its input needs no halo, and its output may be written over rows of the input that it has read
};

/// A feature map: a slice of channels of a buffer.
struct program_tensor {
    shape map;
    int buffer = -1;
    int first_channel = 0;
};

/// Memory of one or, for concatenations, several feature maps, with a halo for the windows of their readers.
struct program_buffer {
    shape map;
    border halo;
    int first_step = -1;  ///< written first
    int last_step = -1;   ///< read last
    int gap = 0;          ///< elements between pixels that belong to none
    element type = element::f32;
    int converted = -1;   ///< the buffer whose values these are in another type
    int slack = 0;        ///< bytes beyond the end that kernels may read
    bool image = false;   ///< the caller's

    constexpr int pixel_stride() const { return map.channels + gap; }
    constexpr int row_stride() const { return (map.width + halo.left + halo.right) * pixel_stride(); }
    constexpr int rows() const { return map.height + halo.top + halo.bottom; }
    constexpr std::int64_t elements() const { return std::int64_t{row_stride()} * rows(); }
};

template <int Capacity>
struct program {
    list<program_step, Capacity> steps;
    list<program_tensor, Capacity> tensors;
    list<program_buffer, Capacity> buffers;

    constexpr placement place(int tensor) const {
        if (tensor < 0) return {};
        const program_buffer& b = buffers[tensors[tensor].buffer];
        return {b.row_stride(), b.pixel_stride(), b.type};
    }
    /// Elements from the start of the tensor's buffer to its first pixel.
    constexpr int first_element(int tensor) const {
        const program_buffer& b = buffers[tensors[tensor].buffer];
        return b.halo.top * b.row_stride() + b.halo.left * b.pixel_stride() + tensors[tensor].first_channel;
    }
    constexpr const program_step& last() const { return steps[steps.size() - 1]; }
};

namespace lowering {

/// Turns operations into steps: normalizations fold into convolutions, residuals and activations become their epilogue.
template <int N, int C, int P>
constexpr void fuse(const graph<N, C>& g, program<P>& p) {
    const auto readers = count_readers(g);
    list<bool, N> done;  // absorbed by an earlier step
    for (int i = 0; i < g.nodes.size(); ++i) done.push(false);

    auto absorb_activation = [&](program_step& s) {
        const int reader = only_reader(g, readers, s.output);
        if (reader < 0 || g.nodes[reader].op != operation::activate) return;
        s.activation = g.nodes[reader].function;
        s.output = reader;
        done[reader] = true;
    };

    // Averages of a 1x1 convolution are the convolution of averages, of which there are fewer.
    auto average_before = [&](program_step& s) {
        const int reader = only_reader(g, readers, s.output);
        if (reader < 0 || g.nodes[reader].op != operation::pool2d) return;
        program_step average;
        average.kind = step_kind::pool2d;
        average.node = reader;
        average.pool = g.nodes[reader].pool;
        average.pool.in = s.conv.in;
        const shape map = average.pool.out();
        const bool commutes = s.conv.kernel == extent(1) && s.conv.stride == extent(1) && s.conv.padding.empty() && !average.pool.maximum &&
                              average.pool.padding.empty() && map.pixels() < s.conv.in.pixels();
        if (!commutes) return;
        average.input = s.input;
        average.output = p.tensors.size();
        p.tensors.push({map, p.buffers.size(), 0});
        p.buffers.push({map, {}, -1, -1});
        p.steps.push(average);
        s.input = average.output;
        s.conv.in = map;
        s.output = reader;
        done[reader] = true;
    };

    // A gate whose product only a 1x1 convolution reads scales its weights, where those are less than the product.
    auto gates_weights = [&](int product) {
        if (g.nodes[product].op != operation::multiply) return false;
        const int reader = only_reader(g, readers, product);
        if (reader < 0 || g.nodes[reader].op != operation::conv2d) return false;
        const conv2d_layer& layer = g.nodes[reader].conv;
        return layer.kernel == extent(1) && layer.groups == 1 && layer.padding.empty() && layer.out().pixels() > layer.channels;
    };

    for (int i = 0; i < g.nodes.size(); ++i) {
        if (done[i] || gates_weights(i)) continue;
        const node& n = g.nodes[i];
        program_step s;
        s.node = i;
        s.input = n.inputs[0];
        s.second = n.inputs[1];
        s.output = i;
        switch (n.op) {
        case operation::input:
            s.kind = step_kind::load_input;
            break;
        case operation::conv2d: {
            s.kind = step_kind::conv2d;
            s.conv = n.conv;
            if (gates_weights(s.input)) {
                s.gate = g.nodes[s.input].inputs[1];
                s.input = g.nodes[s.input].inputs[0];
                s.conv.gated = true;
            }
            s.batch_norm = foldable_batch_norm(g, readers, i);
            if (s.batch_norm >= 0) {
                s.output = s.batch_norm;
                done[s.batch_norm] = true;
            }
            average_before(s);
            // A residual that exists before the convolution runs joins its epilogue.
            const int sum = only_reader(g, readers, s.output);
            if (sum >= 0 && g.nodes[sum].op == operation::add) {
                const int other = g.nodes[sum].inputs[0] == s.output ? g.nodes[sum].inputs[1] : g.nodes[sum].inputs[0];
                if (other < i) {
                    s.second = other;
                    s.conv.residual = true;
                    s.output = sum;
                    done[sum] = true;
                }
            }
            absorb_activation(s);
            s.conv.activation = s.activation;
            break;
        }
        case operation::pool2d:
            s.kind = step_kind::pool2d;
            s.pool = n.pool;
            break;
        case operation::global_average_pool:
            s.kind = step_kind::global_average_pool;
            break;
        case operation::add:
        case operation::multiply:
            s.kind = n.op == operation::add ? step_kind::add : step_kind::multiply;
            absorb_activation(s);
            break;
        case operation::batch_norm:
            s.kind = step_kind::affine;
            s.batch_norm = i;
            absorb_activation(s);
            break;
        case operation::activate:
            s.kind = step_kind::activate;
            s.activation = n.function;
            break;
        case operation::subsample:
            s.kind = step_kind::subsample;
            break;
        case operation::concatenate:
            // The slices lie in place already, but for maps that have another place: those are copied.
            for (int k = 0; k < 2; ++k) {
                const int part = n.inputs[k];
                const int first = p.tensors[i].first_channel + (k == 0 ? 0 : g.nodes[n.inputs[0]].out.channels);
                if (p.tensors[part].buffer == p.tensors[i].buffer && p.tensors[part].first_channel == first) continue;
                program_step copy;
                copy.node = i;
                copy.input = part;
                copy.output = p.tensors.size();
                p.tensors.push({g.nodes[part].out, p.tensors[i].buffer, first});
                p.steps.push(copy);
            }
            continue;
        }
        p.steps.push(s);
    }
}

/// Gives every tensor a buffer; the parts of a concatenation become slices of one. Later ones first, so that chains nest.
template <int N, int C, int P>
constexpr void place(const graph<N, C>& g, program<P>& p) {
    for (const node& n : g.nodes) p.tensors.push({n.out, -1, 0});
    for (int i = g.nodes.size() - 1; i >= 0; --i) {
        const node& n = g.nodes[i];
        if (p.tensors[i].buffer < 0) {
            p.tensors[i].buffer = p.buffers.size();
            p.buffers.push({n.out, {}, -1, -1});
        }
        if (n.op != operation::concatenate) continue;
        int first = p.tensors[i].first_channel;
        for (int part : n.inputs) {
            if (p.tensors[part].buffer < 0) {
                p.tensors[part].buffer = p.tensors[i].buffer;
                p.tensors[part].first_channel = first;
            }
            first += g.nodes[part].out.channels;
        }
    }
}

/// The output is contiguous and owns its memory, so that a caller may read it as an array.
template <int N, int C, int P>
constexpr void detach_output(const graph<N, C>& g, program<P>& p) {
    const int output = g.nodes.size() - 1;
    bool shared = false;
    for (const program_step& s : p.steps) shared = shared || s.input == output || s.second == output || s.gate == output;
    if (p.tensors[output].map == p.buffers[p.tensors[output].buffer].map && !shared && !p.steps.empty() && p.last().output == output) return;
    program_step copy;
    copy.node = output;
    copy.input = output;
    copy.output = p.tensors.size();
    p.tensors.push({g.output(), p.buffers.size(), 0});
    p.buffers.push({g.output(), {}, -1, -1});
    p.steps.push(copy);
}

constexpr border widest(border a, border b) {
    auto larger = [](int x, int y) { return x > y ? x : y; };
    return {larger(a.top, b.top), larger(a.bottom, b.bottom), larger(a.left, b.left), larger(a.right, b.right)};
}

template <int P>
constexpr void find_halos(program<P>& p) {
    for (int i = 0; i < p.buffers.size(); ++i) p.buffers[i].halo = {};
    for (const program_step& s : p.steps)
        if (s.kind == step_kind::conv2d && !s.buffers_rows) {
            border& halo = p.buffers[p.tensors[s.input].buffer].halo;
            halo = widest(halo, s.conv.padding);
        }
}

/// Pixels a power of two apart would share few sets of the first-level cache: a gap of a line shifts each past the one before.
/// The output stays without gaps, so that a caller may read it as an array.
template <int P>
constexpr void separate_pixels(program<P>& p) {
    constexpr int line = 16;
    const int output = p.tensors[p.last().output].buffer;
    for (int i = 0; i < p.buffers.size(); ++i) {
        program_buffer& b = p.buffers[i];
        if (i != output && b.map.pixels() > 1 && b.map.channels % (16 * line) == 0) b.gap = line;
    }
}

template <int P>
constexpr void find_lifetimes(program<P>& p) {
    for (int i = 0; i < p.buffers.size(); ++i) p.buffers[i].first_step = p.buffers[i].last_step = -1;
    for (int i = 0; i < p.steps.size(); ++i) {
        const program_step& s = p.steps[i];
        for (int tensor : {s.input, s.second, s.gate, s.output}) {
            if (tensor < 0) continue;
            program_buffer& b = p.buffers[p.tensors[tensor].buffer];
            if (b.first_step < 0) b.first_step = i;
            b.last_step = i;
        }
    }
    // The output outlives the last step.
    p.buffers[p.tensors[p.last().output].buffer].last_step = p.steps.size();
}

template <int N, int C>
consteval auto lower(const graph<N, C>& g) {
    program<2 * N + 2> p;
    place(g, p);
    fuse(g, p);
    detach_output(g, p);
    find_halos(p);
    separate_pixels(p);
    find_lifetimes(p);
    return p;
}

}  // namespace lowering

template <int P>
constexpr int capacity_of(const program<P>& p) {
    const int most = p.steps.size() > p.tensors.size() ? p.steps.size() : p.tensors.size();
    return most > p.buffers.size() ? most : p.buffers.size();
}

/// The same program without room for more.
template <int Capacity, int P>
constexpr program<Capacity> with_capacity(const program<P>& p) {
    program<Capacity> exact;
    for (const auto& s : p.steps) exact.steps.push(s);
    for (const auto& t : p.tensors) exact.tensors.push(t);
    for (const auto& b : p.buffers) exact.buffers.push(b);
    return exact;
}

/// The program of a model, lowered once by the compiler.
template <model Model>
inline constexpr auto program_of = [] {
    constexpr auto lowered = lowering::lower(graph_of<Model>);
    return with_capacity<capacity_of(lowered)>(lowered);
}();

}  // namespace dlas
