// A network with fewer channels. Models & Neural Architectures.
// Which channels go without loss is found by optimizations/dead_channels.hpp.
#pragma once

#include <dlas/models/graph.hpp>

namespace dlas {

namespace building {

/// Gives the convolutions from node `first` on so many channels, and all maps the shapes that follow.
constexpr void narrow(graph_builder& builder, int first, const int* channels, int count) {
    growing_list<int> before;  // channels of each node
    for (const node& n : builder.nodes) before.push(n.out.channels);
    int convolutions = 0;
    for (int i = first; i < builder.nodes.size(); ++i) {
        node& n = builder.nodes[i];
        const shape in = n.inputs[0] < 0 ? n.out : builder.nodes[n.inputs[0]].out;
        const shape second = n.inputs[1] < 0 ? shape{} : builder.nodes[n.inputs[1]].out;
        switch (n.op) {
            case operation::input:
                break;
            case operation::conv2d: {
                require(convolutions < count, "[dlas] narrowed: there are more convolutions than numbers of channels");
                const int kept = channels[convolutions++];
                require(kept > 0, "[dlas] narrowed: a convolution has to keep a channel");
                require(kept <= n.conv.channels, "[dlas] narrowed: a convolution has fewer channels than it is to keep");
                if (n.conv.depthwise()) {
                    require(kept == in.channels, "[dlas] narrowed: a depthwise convolution has to keep as many channels as its input");
                    n.conv.groups = kept;
                }
                require(in.channels % n.conv.groups == 0 && kept % n.conv.groups == 0,
                        "[dlas] narrowed: groups must divide the input and the output channels that are kept");
                n.conv.in = in;
                n.conv.channels = kept;
                n.out = n.conv.out();
                break;
            }
            case operation::batch_norm:
            case operation::activate:
                n.out = in;
                break;
            case operation::add:
                require(in == second, "[dlas] narrowed: the two feature maps of a sum keep different numbers of channels");
                n.out = in;
                break;
            case operation::multiply:
                require(in.channels == second.channels, "[dlas] narrowed: a gate and its feature map keep different numbers of channels");
                n.out = in;
                break;
            case operation::pool2d:
                n.pool.in = in;
                n.out = n.pool.out();
                break;
            case operation::global_average_pool:
                n.out.channels = in.channels;
                break;
            case operation::concatenate:
                n.out.channels = in.channels + second.channels;
                break;
            case operation::subsample:
                n.out.channels += in.channels - before[n.inputs[0]];
                break;
        }
    }
    require(convolutions == count, "[dlas] narrowed: there are fewer convolutions than numbers of channels");
    const int output = builder.nodes.size() - 1;
    require(builder.nodes[output].out.channels == before[output], "[dlas] narrowed: the output has to keep its channels");
}

}  // namespace building

/// A model of which each convolution keeps some of its channels, Kept::channels[i] of the i-th in the order of the graph: those of
/// depthwise convolutions and linear layers among them. All else, its name too, is the model's.
///   struct kept { static constexpr int channels[] = {8, 8, 14, ...}; };
template <model Model, class Kept>
struct narrowed : Model {
    static constexpr tensor forward(tensor x) {
        const tensor output = Model::forward(x);
        building::narrow(*x.builder, x.node + 1, Kept::channels, static_cast<int>(sizeof Kept::channels / sizeof Kept::channels[0]));
        return output;
    }
};

}  // namespace dlas
