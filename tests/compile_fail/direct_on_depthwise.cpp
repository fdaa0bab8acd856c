// A network of which one layer cannot run: a depthwise layer has nothing for a direct convolution to sum over.
#include <dlas/systems/network.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 4};
    static constexpr dlas::tensor forward(dlas::tensor x) { return dlas::depthwise_conv2d(x, {.kernel = 3, .padding = 1}, "depthwise"); }
};

}  // namespace

const dlas::executable& code = dlas::network<model, dlas::stack<dlas::direct>>::code;
