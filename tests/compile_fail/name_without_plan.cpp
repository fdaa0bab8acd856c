// A network is compiled for a plan or a stack, not for a bare policy.
#include <dlas/systems/network.hpp>

namespace {

struct model {
    static constexpr std::string_view name = "model";
    static constexpr dlas::shape input = {8, 8, 4};
    static constexpr dlas::tensor forward(dlas::tensor x) { return relu(x); }
};

}  // namespace

const dlas::executable& code = dlas::network<model, dlas::avx2>::code;
