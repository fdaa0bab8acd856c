// The stacks of a plan share its target.
#include <dlas/systems/network.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 4};
    static constexpr dlas::tensor forward(dlas::tensor x) { return dlas::conv2d(x, {.channels = 4, .kernel = 3}, "conv"); }
};

struct plan {
    static constexpr std::string_view name = "plan";
    using target = dlas::scalar;
    template <dlas::conv2d_layer L>
    static consteval auto select() {
        return dlas::stack<dlas::direct, dlas::avx2>{};
    }
};

}  // namespace

const dlas::executable& code = dlas::network<model, plan>::code;
