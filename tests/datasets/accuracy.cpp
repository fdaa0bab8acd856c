// The winning class and the count of right ones.
#include <dlas/datasets/accuracy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <span>
#include <vector>

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

int argmax_of(const std::vector<float>& values) { return dlas::argmax(values); }

}  // namespace

TEST_CASE("argmax: the first of the largest") {
    CHECK(argmax_of({3}) == 0);
    CHECK(argmax_of({1, 2, 3}) == 2);
    CHECK(argmax_of({1, 3, 3, 2}) == 1);
    CHECK(argmax_of({-3, -1, -2}) == 1);
    CHECK(argmax_of({-0.0f, 0.0f}) == 0);
    CHECK(argmax_of({1, infinity, infinity}) == 1);
    CHECK(argmax_of({-infinity, -infinity}) == 0);
}

TEST_CASE("argmax: a NaN never wins") {
    CHECK(argmax_of({nan, 1, 2}) == 2);
    CHECK(argmax_of({2, nan, 1}) == 0);
    CHECK(argmax_of({1, nan, 2}) == 2);
    CHECK(argmax_of({nan, -infinity, nan}) == 1);
    CHECK(argmax_of({nan, nan}) == -1);
    CHECK(argmax_of({}) == -1);
}

TEST_CASE("top1: counts what is right") {
    const std::vector<int> labels = {0, 1, 1, 2};
    const std::array<std::array<float, 3>, 4> logits = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {nan, nan, nan}}};
    CHECK(dlas::count_top1(labels, [&](int image) { return std::span(logits[static_cast<std::size_t>(image)]); }) == dlas::top1{2, 4});
    CHECK(dlas::count_top1(labels, [](int image) { return std::vector<float>{image == 0 ? 1.0f : 0.0f, 0.5f}; }) == dlas::top1{3, 4});
    CHECK(dlas::count_top1({}, [&](int) { return std::span(logits[0]); }) == dlas::top1{0, 0});
    CHECK(dlas::top1{914, 1000}.percent() == doctest::Approx(91.4));
    CHECK(dlas::top1{}.percent() == 0.0);
}

TEST_CASE("top1: at compile time too") {
    static constexpr float logits[2][2] = {{0, 1}, {1, 0}};
    static constexpr int labels[] = {1, 1};
    static_assert(dlas::count_top1(labels, [](int image) { return std::span(logits[image]); }) == dlas::top1{1, 2});
}
