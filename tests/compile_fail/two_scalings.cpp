// A plan whose layers scale their integers in different ways has no one scale for the maps between them.
#include <dlas/models/graph.hpp>
#include <dlas/systems/network.hpp>

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {4, 4, 3};
    static constexpr dlas::tensor forward(dlas::tensor x) { return conv2d(conv2d(x, {.channels = 8}, "first"), {.channels = 5}, "second"); }
};
struct plan {
    static constexpr std::string_view name = "plan";
    using target = dlas::scalar;
    template <dlas::conv2d_layer Layer>
    static consteval auto select() {
        if constexpr (Layer.channels == 8) return dlas::stack<dlas::int8_fixed>{};
        else return dlas::stack<dlas::int8_tflite>{};
    }
};
const dlas::executable& code = dlas::network<model, plan>::code;
