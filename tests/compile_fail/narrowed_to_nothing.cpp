// Of no convolution can nothing be left.
#include <dlas/models/narrowed.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 4};
    static constexpr dlas::tensor forward(dlas::tensor x) {
        x = dlas::conv2d(x, {.channels = 6}, "first");
        dlas::tensor y = dlas::depthwise_conv2d(x, {.kernel = 3, .padding = 1}, "depthwise");
        y = dlas::conv2d(y, {.channels = 6}, "second");
        return dlas::linear(x + y, 5, "last");
    }
};
struct kept {
    static constexpr int channels[] = {4, 4, 0, 5};
};

}  // namespace

static_assert(dlas::graph_of<dlas::narrowed<model, kept>>.output().channels == 5);
