// Only feature maps of one shape can be added.
#include "narrowable_model.hpp"

namespace {

struct kept {
    static constexpr int channels[] = {4, 4, 3, 5};
};

}  // namespace

static_assert(dlas::graph_of<dlas::narrowed<model, kept>>.output().channels == 5);
