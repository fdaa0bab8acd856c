#include "boards/target.hpp"
#include "classify.hpp"
#include "narrow_wake_words_weights.hpp"  // written by pack.cpp
#include "networks.hpp"

namespace {

using network = narrow_wake_words<board::target>;
alignas(64) std::byte arena[network::arena_bytes];

}  // namespace

int main() { return classify<network>(narrow_wake_words_weights::of<network>(), arena); }
