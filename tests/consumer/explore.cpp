// dlas::explore brings Boost.Hana's headers and Google Benchmark.
#include <benchmark/benchmark.h>
#include <boost/hana.hpp>

static_assert(boost::hana::size(boost::hana::tuple_t<int, float>) == boost::hana::size_c<2>);

static void nothing(benchmark::State& state) {
    for (auto _ : state) {}
}
BENCHMARK(nothing);
