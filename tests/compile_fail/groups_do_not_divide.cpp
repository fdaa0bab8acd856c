// Groups divide the channels evenly.
#include <dlas/models/graph.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 6};
    static constexpr dlas::tensor forward(dlas::tensor x) { return dlas::conv2d(x, {.channels = 8, .kernel = 3, .groups = 4}, "conv"); }
};

}  // namespace

static_assert(dlas::graph_of<model>.output().channels == 8);
