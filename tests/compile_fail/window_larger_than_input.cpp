// A window fits into the padded input.
#include <dlas/models/graph.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {4, 4, 3};
    static constexpr dlas::tensor forward(dlas::tensor x) { return dlas::conv2d(x, {.channels = 8, .kernel = 3, .padding = 1, .dilation = 3}, "conv"); }
};

}  // namespace

static_assert(dlas::graph_of<model>.output().channels == 8);
