// Only feature maps of one shape can be added.
#include <dlas/models/graph.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 4};
    static constexpr dlas::tensor forward(dlas::tensor x) { return x + dlas::conv2d(x, {.channels = 4, .kernel = 3}, "conv"); }
};

}  // namespace

static_assert(dlas::graph_of<model>.output().channels == 4);
