// Each convolution has a number.
#include "narrowable_model.hpp"

namespace {

struct kept {
    static constexpr int channels[] = {4, 4, 4};
};

}  // namespace

static_assert(dlas::graph_of<dlas::narrowed<model, kept>>.output().channels == 5);
