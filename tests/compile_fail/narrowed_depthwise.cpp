// A depthwise convolution has as many channels as its input.
#include "narrowable_model.hpp"

namespace {

struct kept {
    static constexpr int channels[] = {4, 3, 4, 5};
};

}  // namespace

static_assert(dlas::graph_of<dlas::narrowed<model, kept>>.output().channels == 5);
