// A network is not widened.
#include "narrowable_model.hpp"

namespace {

struct kept {
    static constexpr int channels[] = {4, 4, 8, 5};
};

}  // namespace

static_assert(dlas::graph_of<dlas::narrowed<model, kept>>.output().channels == 5);
