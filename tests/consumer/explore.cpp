// dlas::explore brings Boost.Hana's headers and Google Benchmark.
#include <dlas/explore.hpp>

static_assert(decltype(dlas::axes(dlas::axis<dlas::direct, dlas::im2col>, dlas::axis<dlas::scalar>))::size == 2);

static void nothing(benchmark::State& state) {
    for (auto unused : state) (void)unused;
}
BENCHMARK(nothing);
