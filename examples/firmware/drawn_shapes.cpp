#include "boards/target.hpp"
#include "classify.hpp"
#include "drawn_shapes_weights.hpp"  // written by pack.cpp
#include "networks.hpp"

namespace {

using network = drawn_shapes<board::target>;
alignas(64) std::byte arena[network::arena_bytes];

}  // namespace

int main() { return classify<network>(drawn_shapes_weights::of<network>(), arena); }
