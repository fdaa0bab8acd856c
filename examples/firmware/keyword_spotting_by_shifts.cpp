#include "boards/target.hpp"
#include "classify.hpp"
#include "keyword_spotting_by_shifts_weights.hpp"  // written by pack.cpp
#include "networks.hpp"

namespace {

using network = keyword_spotting_by_shifts<board::target>;
alignas(64) std::byte arena[network::arena_bytes];

}  // namespace

int main() { return classify<network>(keyword_spotting_by_shifts_weights::of<network>(), arena); }
