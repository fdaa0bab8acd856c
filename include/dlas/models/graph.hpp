// A network as a constexpr value, and the functions that build it as PyTorch's forward() would.
// Models & Neural Architectures: knows nothing of how it will run. Shapes are inferred; a mismatch stops compilation.
#pragma once

#include <concepts>
#include <string_view>

#include <dlas/core/layer.hpp>
#include <dlas/core/list.hpp>
#include <dlas/core/require.hpp>
#include <dlas/core/text.hpp>

namespace dlas {

enum class operation : std::uint8_t {
    input,
    conv2d,       // also linear layers
    batch_norm,
    activate,
    add,
    multiply,     // by a map of one pixel
    pool2d,
    global_average_pool,
    concatenate,  // along channels
    subsample,    // every n-th pixel, zero channels before and after (option-A shortcuts)
};

/// One operation of a graph; the index of a node is also the index of the tensor that it makes.
struct node {
    operation op = operation::input;
    int inputs[2] = {-1, -1};
    shape out;
    conv2d_layer conv;     // conv2d
    pool2d_layer pool;     // pool2d
    activation function = activation::none;
    float epsilon = 0;     // batch_norm
    bool bias = false;     // conv2d
    bool linear = false;   // conv2d: the filter of the state_dict has two dimensions
    int stride = 1;        // subsample
    int channels_before = 0;
    int name_begin = 0;    // into graph::names
    int name_length = 0;

    constexpr int input_count() const { return inputs[0] < 0 ? 0 : inputs[1] < 0 ? 1 : 2; }
};

/// A network: nodes in the order in which they can run, the last one is its output.
template <int Nodes, int Characters>
struct graph {
    list<node, Nodes> nodes;
    list<char, Characters> names;

    constexpr std::string_view name(const node& n) const {
        return {names.elements + n.name_begin, static_cast<std::size_t>(n.name_length)};
    }
    constexpr shape input() const { return nodes[0].out; }
    constexpr shape output() const { return nodes[nodes.size() - 1].out; }
};

/// A graph that grows while the compiler builds it.
struct graph_builder {
    growing_list<node> nodes;
    growing_list<char> names;
};

/// A feature map while a graph is being built.
struct tensor {
    graph_builder* builder = nullptr;
    int node = 0;

    constexpr dlas::shape shape() const { return builder->nodes[node].out; }
    constexpr int channels() const { return shape().channels; }
};

namespace building {

constexpr tensor append(graph_builder& builder, node n, std::string_view name = {}) {
    n.name_begin = builder.names.size();
    n.name_length = static_cast<int>(name.size());
    for (char c : name) builder.names.push(c);
    builder.nodes.push(n);
    return {&builder, builder.nodes.size() - 1};
}

}  // namespace building

struct conv2d_options {
    int channels = 1;  ///< output channels
    extent kernel = 1;
    extent stride = 1;
    border padding = 0;
    extent dilation = 1;
    int groups = 1;
    bool bias = true;
};

/// Convolution with parameters `name`.weight (OIHW) and, unless switched off, `name`.bias.
constexpr tensor conv2d(tensor x, const conv2d_options& options, layer_name name) {
    require(options.channels > 0 && options.groups > 0, "[dlas] conv2d: channels and groups must be positive");
    require(x.channels() % options.groups == 0 && options.channels % options.groups == 0,
                      "[dlas] conv2d: groups must divide the input and the output channels");
    require(options.kernel.height > 0 && options.kernel.width > 0 && options.stride.height > 0 && options.stride.width > 0 &&
                          options.dilation.height > 0 && options.dilation.width > 0,
                      "[dlas] conv2d: kernel, stride and dilation must be positive");
    node n;
    n.op = operation::conv2d;
    n.inputs[0] = x.node;
    n.conv = {.in = x.shape(), .channels = options.channels, .kernel = options.kernel, .stride = options.stride,
              .dilation = options.dilation, .padding = options.padding, .groups = options.groups};
    require(x.shape().height + options.padding.top + options.padding.bottom >= n.conv.reach().height &&
                          x.shape().width + options.padding.left + options.padding.right >= n.conv.reach().width,
                      "[dlas] conv2d: the window is larger than the padded input");
    n.bias = options.bias;
    n.out = n.conv.out();
    return building::append(*x.builder, n, name);
}

/// Convolution whose groups are single channels.
constexpr tensor depthwise_conv2d(tensor x, conv2d_options options, layer_name name) {
    options.channels = x.channels();
    options.groups = x.channels();
    return conv2d(x, options, name);
}

/// Fully connected layer over the flattened input (PyTorch's order: channels, rows, columns); parameters `name`.weight and `name`.bias.
constexpr tensor linear(tensor x, int features, layer_name name, bool bias = true) {
    tensor y = conv2d(x, {.channels = features, .kernel = {x.shape().height, x.shape().width}, .bias = bias}, name);
    y.builder->nodes[y.node].linear = true;
    return y;
}

/// Normalization with stored statistics; parameters `name`.weight, .bias, .running_mean, .running_var.
constexpr tensor batch_norm(tensor x, layer_name name, float epsilon = 1e-5f) {
    node n;
    n.op = operation::batch_norm;
    n.inputs[0] = x.node;
    n.epsilon = epsilon;
    n.out = x.shape();
    return building::append(*x.builder, n, name);
}

constexpr tensor activate(tensor x, activation function) {
    node n;
    n.op = operation::activate;
    n.inputs[0] = x.node;
    n.function = function;
    n.out = x.shape();
    return building::append(*x.builder, n);
}
constexpr tensor relu(tensor x) { return activate(x, activation::relu); }
constexpr tensor relu6(tensor x) { return activate(x, activation::relu6); }
constexpr tensor silu(tensor x) { return activate(x, activation::silu); }
constexpr tensor sigmoid(tensor x) { return activate(x, activation::sigmoid); }

constexpr tensor add(tensor a, tensor b) {
    require(a.shape() == b.shape(), "[dlas] add: the two feature maps differ in shape");
    node n;
    n.op = operation::add;
    n.inputs[0] = a.node;
    n.inputs[1] = b.node;
    n.out = a.shape();
    return building::append(*a.builder, n);
}
constexpr tensor operator+(tensor a, tensor b) { return add(a, b); }

/// Scales each channel of a feature map by that channel of `gate`, a map of one pixel: the excitation of Hu et al. (2018).
constexpr tensor multiply(tensor x, tensor gate) {
    require(gate.shape() == dlas::shape{1, 1, x.channels()}, "[dlas] multiply: the gate must have one pixel and as many channels as the map");
    node n;
    n.op = operation::multiply;
    n.inputs[0] = x.node;
    n.inputs[1] = gate.node;
    n.out = x.shape();
    return building::append(*x.builder, n);
}

/// Joins two feature maps along their channels; costs no copy where each is made for this place alone.
constexpr tensor concatenate(tensor a, tensor b) {
    require(a.shape().height == b.shape().height && a.shape().width == b.shape().width,
                      "[dlas] concatenate: the feature maps differ in rows or columns");
    node n;
    n.op = operation::concatenate;
    n.inputs[0] = a.node;
    n.inputs[1] = b.node;
    n.out = {a.shape().height, a.shape().width, a.channels() + b.channels()};
    return building::append(*a.builder, n);
}

struct pool2d_options {
    extent kernel = 2;
    extent stride = 2;
    border padding = 0;
    bool count_padding = true;
};

namespace building {
constexpr tensor pool2d(tensor x, const pool2d_options& options, bool maximum) {
    require(options.kernel.height > 0 && options.kernel.width > 0 && options.stride.height > 0 && options.stride.width > 0,
            "[dlas] pool2d: kernel and stride must be positive");
    const border& p = options.padding;
    require(p.top < options.kernel.height && p.bottom < options.kernel.height && p.left < options.kernel.width &&
                p.right < options.kernel.width,
            "[dlas] pool2d: padding must be smaller than the window");
    require(x.shape().height + p.top + p.bottom >= options.kernel.height && x.shape().width + p.left + p.right >= options.kernel.width,
            "[dlas] pool2d: the window is larger than the padded input");
    node n;
    n.op = operation::pool2d;
    n.inputs[0] = x.node;
    n.pool = {x.shape(), options.kernel, options.stride, p, maximum, options.count_padding};
    n.out = n.pool.out();
    return append(*x.builder, n);
}
}  // namespace building

constexpr tensor max_pool2d(tensor x, const pool2d_options& options) { return building::pool2d(x, options, true); }
constexpr tensor average_pool2d(tensor x, const pool2d_options& options) { return building::pool2d(x, options, false); }

/// Mean over all pixels of each channel: 1 x 1 x channels.
constexpr tensor global_average_pool(tensor x) {
    node n;
    n.op = operation::global_average_pool;
    n.inputs[0] = x.node;
    n.out = {1, 1, x.channels()};
    return building::append(*x.builder, n);
}

/// Every `stride`-th pixel, with channels of zeros before and after: the option-A shortcut of He et al. (2016).
constexpr tensor subsample(tensor x, int stride, int channels_before, int channels_after) {
    require(stride > 0 && channels_before >= 0 && channels_after >= 0, "[dlas] subsample: stride must be positive, channels not negative");
    node n;
    n.op = operation::subsample;
    n.inputs[0] = x.node;
    n.stride = stride;
    n.channels_before = channels_before;
    n.out = {(x.shape().height + stride - 1) / stride, (x.shape().width + stride - 1) / stride,
             channels_before + x.channels() + channels_after};
    return building::append(*x.builder, n);
}

/// A type that states a network: a name, an input shape and forward().
template <class T>
concept model = requires(tensor x) {
    { T::name.size() };
    { T::input } -> std::convertible_to<shape>;
    { T::forward(x) } -> std::same_as<tensor>;
};

namespace building {

template <class Model>
constexpr void build(graph_builder& builder) {
    node input;
    input.op = operation::input;
    input.out = Model::input;
    const tensor output = Model::forward(append(builder, input));
    require(output.node == builder.nodes.size() - 1, "[dlas] forward() must return the tensor that it made last");
}

template <class Model>
consteval auto sizes() {
    graph_builder builder;
    build<Model>(builder);
    return extent{builder.nodes.size(), builder.names.size()};
}

template <class Model>
consteval auto finish() {
    constexpr extent size = sizes<Model>();
    graph_builder builder;
    build<Model>(builder);
    graph<size.height, size.width> result;
    for (const node& n : builder.nodes) result.nodes.push(n);
    for (char c : builder.names) result.names.push(c);
    return result;
}

}  // namespace building

/// The graph of a model, built once by the compiler.
template <model Model>
inline constexpr auto graph_of = building::finish<Model>();

/// Multiply-accumulates of one run: convolutions and linear layers.
template <int N, int C>
constexpr std::int64_t macs(const graph<N, C>& g) {
    std::int64_t total = 0;
    for (const node& n : g.nodes)
        if (n.op == operation::conv2d) total += n.conv.macs();
    return total;
}

/// Trainable parameters: filters, biases, and scale and shift of batch normalizations.
template <int N, int C>
constexpr std::int64_t parameters(const graph<N, C>& g) {
    std::int64_t total = 0;
    for (const node& n : g.nodes) {
        if (n.op == operation::conv2d) total += n.conv.filter_elements() + (n.bias ? n.conv.channels : 0);
        if (n.op == operation::batch_norm) total += 2 * n.out.channels;
    }
    return total;
}

}  // namespace dlas
