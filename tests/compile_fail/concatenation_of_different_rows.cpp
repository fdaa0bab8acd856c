// Only feature maps of the same rows and columns can be joined.
#include <dlas/models/graph.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 4};
    static constexpr dlas::tensor forward(dlas::tensor x) { return concatenate(x, max_pool2d(x, {})); }
};

}  // namespace

static_assert(dlas::graph_of<model>.output().channels == 8);
