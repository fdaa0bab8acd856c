#include "boards/target.hpp"
#include "classify.hpp"
#include "image_classification_weights.hpp"  // written by pack.cpp
#include "networks.hpp"

namespace {

using network = image_classification<board::target>;
static_assert(network::weight_bytes <= 90 * 1024 && network::arena_bytes <= 40 * 1024);
alignas(64) std::byte arena[network::arena_bytes];

}  // namespace

int main() { return classify<network>(image_classification_weights::of<network>(), arena); }
