// A model for what `narrowed` refuses.
#pragma once

#include <dlas/models/narrowed.hpp>

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
