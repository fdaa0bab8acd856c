// What a network costs the compiler: seconds, memory and code, for a network specialized for AVX-512 at -O3.
//   compile_time [--check] [options of Google Benchmark]
// Times are the compiler's own (user and system), which a busy machine disturbs less than the wall clock; the wall clock is a counter.
// --check compares with the budgets below and fails where one is exceeded in each of three attempts. Seconds are those of one known
// core: a source of the standard library is compiled where they are exceeded, to see
// how much slower this one is.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "compiler.hpp"

namespace {

struct subject {
    const char* name;
    const char* model;
    const char* algorithm;
    double seconds;    // budgets, on a core of the yardstick's pace
    double megabytes;
    double code_kilobytes;
};

constexpr subject subjects[] = {
    {"resnet20/cifar10", "dlas::resnet20<dlas::cifar10>", "automatic", 6, 600, 250},
    {"resnet56/cifar10", "dlas::resnet56<dlas::cifar10>", "automatic", 6, 600, 250},
    {"resnet50/imagenet", "dlas::resnet50<dlas::imagenet>", "automatic", 6, 600, 250},
    {"resnet50/imagenet", "dlas::resnet50<dlas::imagenet>", "tuned", 8, 600, 250},
    {"mobilenet_v2/imagenet", "dlas::mobilenet_v2<dlas::imagenet>", "automatic", 6, 600, 250},
    {"vgg16/imagenet", "dlas::vgg16<dlas::imagenet>", "automatic", 6, 600, 250},
    {"densenet161/imagenet", "dlas::densenet161<dlas::imagenet>", "automatic", 16, 600, 450},
};

struct cost {
    double cpu_seconds = 0;
    double wall_seconds = 0;
    double megabytes = 0;
    double code_kilobytes = 0;
};

/// Bytes of code, as `size` counts them (text, with constants).
double code_bytes(const std::filesystem::path& object) {
    FILE* output = popen(("size \"" + object.string() + "\" | tail -n 1").c_str(), "r");
    double text = 0;
    if (output == nullptr || std::fscanf(output, "%lf", &text) != 1) throw std::runtime_error("`size` cannot read " + object.string());
    pclose(output);
    return text;
}

/// Compiles a file and says what that took.
cost compile(const std::string& text, const std::string& what, const std::filesystem::path& folder) {
    const std::filesystem::path source = folder / "network.cpp", object = folder / "network.o";
    std::ofstream(source) << text;
    const auto start = std::chrono::steady_clock::now();
    const rusage usage = run_compiler(DLAS_COMPILE_COMMAND, {"-c", source.string(), "-o", object.string()}, what);
    auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
            static_cast<double>(usage.ru_maxrss) / 1024, code_bytes(object) / 1024};
}

cost compile(const subject& s, const std::filesystem::path& folder) {
    return compile(std::string("#include <dlas/dlas.hpp>\n#include <dlas/systems/plans/resnet50_imagenet_avx512.hpp>\n") +
                       "const dlas::executable& compiled() { return dlas::network<" + s.model + ", dlas::stack<dlas::" + s.algorithm + ", dlas::avx512>>::code; }\n",
                   s.model, folder);
}

/// Seconds that the yardstick takes a core of a Xeon (Sapphire Rapids) on which the budgets were set.
constexpr double yardstick_seconds = 4.25;
constexpr const char* yardstick = R"source(
#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <vector>
std::map<std::string, std::vector<std::string>> words(const std::string& text) {
    std::map<std::string, std::vector<std::string>> found;
    const std::regex pattern("([a-z]+)-([0-9]+)");
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) found[(*match)[1]].push_back((*match)[2]);
    for (auto& [word, numbers] : found) std::stable_sort(numbers.begin(), numbers.end());
    return found;
}
)source";

/// How many times as long as that core this one takes now, by a source that is none of ours; a faster one keeps to the same budgets.
double pace(const std::filesystem::path& folder) { return std::max(1.0, compile(yardstick, "the yardstick", folder).cpu_seconds / yardstick_seconds); }

bool within_budgets(const std::filesystem::path& folder) {
    bool all = true;
    for (const subject& s : subjects) {
        bool fits = false;
        for (int attempt = 0; attempt < 3 && !fits; ++attempt) {
            const cost c = compile(s, folder);
            const double slower = c.cpu_seconds <= s.seconds ? 1.0 : pace(folder);
            fits = c.cpu_seconds <= s.seconds * slower && c.megabytes <= s.megabytes && c.code_kilobytes <= s.code_kilobytes;
            std::printf("%-24s %-10s %5.2f s of %.0f * %.2f, %4.0f MB of %.0f, %4.0f KB of code of %.0f%s\n", s.name, s.algorithm, c.cpu_seconds, s.seconds, slower, c.megabytes,
                        s.megabytes, c.code_kilobytes, s.code_kilobytes, fits ? "" : "  EXCEEDED");
        }
        all = all && fits;
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const scratch_folder folder("dlas_compile_time");
        if (argc == 2 && std::string(argv[1]) == "--check") return within_budgets(folder.path) ? 0 : 1;
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
        for (const subject& s : subjects)
            benchmark::RegisterBenchmark((std::string("compile/") + s.name + "/" + s.algorithm + "/avx512").c_str(), [&](benchmark::State& state) {
                cost c;
                for (auto unused : state) {
                    (void)unused;
                    c = compile(s, folder.path);
                    state.SetIterationTime(c.cpu_seconds);
                }
                state.counters["wall_seconds"] = c.wall_seconds;
                state.counters["memory_MB"] = c.megabytes;
                state.counters["code_KB"] = c.code_kilobytes;
            })->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);
        benchmark::RunSpecifiedBenchmarks();
        benchmark::Shutdown();
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "compile_time: %s\n", failure.what());
        return 1;
    }
}
