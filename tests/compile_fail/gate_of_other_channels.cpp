// A gate has a number for each channel of the map.
#include <dlas/models/graph.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 4};
    static constexpr dlas::tensor forward(dlas::tensor x) {
        return multiply(x, dlas::conv2d(global_average_pool(x), {.channels = 5}, "conv"));
    }
};

}  // namespace

static_assert(dlas::graph_of<model>.output().channels == 4);
