// The table of a sweep: rows as they are measured, then all of them sorted, the Pareto-best marked. Explore; hosted.
#pragma once

#include <algorithm>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace dlas {

/// One measured point.
struct sweep_row {
    std::string name;
    std::vector<double> milliseconds;  ///< one for each repetition
    double top1_percent = -1;          ///< negative where there are no labels
    double weight_bytes = 0;
    double arena_bytes = 0;
    double macs = 0;
    double peak_gflops = 0;            ///< of one core, measured
    bool pareto = false;

    double median() const {
        std::vector<double> sorted = milliseconds;
        std::ranges::sort(sorted);
        return sorted.empty() ? 0 : sorted[sorted.size() / 2];
    }
    double gflops() const { return median() > 0 ? 2e-6 * macs / median() : 0; }
    double memory() const { return weight_bytes + arena_bytes; }
};

/// Whether two rows answer the same question: of one data set; of one model too where nothing tells how well they answer.
inline bool comparable(const sweep_row& a, const sweep_row& b) {
    auto part = [](const std::string& name, int index) {  // "network/model/dataset/..."
        std::size_t begin = 0;
        for (; index > 0; --index) begin = name.find('/', begin) + 1;
        return name.substr(begin, name.find('/', begin) - begin);
    };
    return part(a.name, 2) == part(b.name, 2) && ((a.top1_percent >= 0 && b.top1_percent >= 0) || part(a.name, 1) == part(b.name, 1));
}

/// Marks the rows that no comparable row beats: none is at least as fast, as small and as accurate, and better in one of them.
inline void mark_pareto(std::span<sweep_row> rows) {
    for (sweep_row& row : rows)
        row.pareto = std::ranges::none_of(rows, [&row](const sweep_row& other) {
            const bool no_worse = other.median() <= row.median() && other.memory() <= row.memory() && other.top1_percent >= row.top1_percent;
            const bool better = other.median() < row.median() || other.memory() < row.memory() || other.top1_percent > row.top1_percent;
            return no_worse && better && comparable(row, other);
        });
}

/// Shows each point when it is measured, and the whole table at the end.
class table_reporter : public benchmark::BenchmarkReporter {
public:
    /// `points` is their number, 0 where it is not known; `name_width` the length of the longest name.
    table_reporter(int points, int name_width) : points_(points), name_width_(name_width) {}

    bool ReportContext(const Context& context) override {
        if (points_ > 0) std::fprintf(stdout, "%d points, one thread; times are medians\n", points_);
        (void)context;
        return true;
    }

    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type != Run::RT_Iteration) continue;
            const std::string name = run.run_name.function_name;
            auto [at, is_new] = index_.try_emplace(name, rows_.size());
            if (is_new) rows_.emplace_back().name = name;
            sweep_row& row = rows_[at->second];
            row.milliseconds.push_back(run.GetAdjustedRealTime() * 1e3 / benchmark::GetTimeUnitMultiplier(run.time_unit));
            auto counter = [&run](const char* key, double fallback) {
                const auto found = run.counters.find(key);
                return found == run.counters.end() ? fallback : found->second.value;
            };
            row.top1_percent = counter("top1", -1);
            row.weight_bytes = counter("weight_bytes", 0);
            row.arena_bytes = counter("arena_bytes", 0);
            row.macs = counter("MACs", 0);
            row.peak_gflops = counter("GFLOP/s", 0) / counter("peak_share", 1);
            if (is_new)
                std::fprintf(stdout, "[%2zu%s] %-*s %9.3f ms\n", rows_.size(), points_ > 0 ? ("/" + std::to_string(points_)).c_str() : "",
                             name_width_, name.c_str(), row.median());
            std::fflush(stdout);
        }
    }

    void Finalize() override {
        mark_pareto(rows_);
        std::ranges::sort(rows_, {}, &sweep_row::median);
        std::fprintf(stdout, "\n  %-*s %9s %7s %9s %9s %8s %6s\n", name_width_, "network/model/dataset/format/sparsity/algorithm/target", "ms", "top-1",
                     "weights", "arena", "GFLOP/s", "peak");
        for (const sweep_row& row : rows_) {
            std::fprintf(stdout, "%c %-*s %9.3f ", row.pareto ? '*' : ' ', name_width_, row.name.c_str(), row.median());
            if (row.top1_percent < 0) std::fprintf(stdout, "%7s ", "-");
            else std::fprintf(stdout, "%6.1f%% ", row.top1_percent);
            std::fprintf(stdout, "%6.0f KB %6.0f KB %8.1f %5.0f%%\n", row.weight_bytes / 1024, row.arena_bytes / 1024, row.gflops(), 100 * row.gflops() / row.peak_gflops);
        }
        std::fprintf(stdout, "* no other point is at least as fast, as small (weights + arena) and as accurate, and better in one of these\n"
                             "GFLOP/s counts the definition's multiply-adds, of which Winograd needs fewer: it may pass the measured peak\n");
        std::fflush(stdout);
    }

    std::span<const sweep_row> rows() const { return rows_; }

private:
    int points_;
    int name_width_;
    std::map<std::string, std::size_t> index_;
    std::vector<sweep_row> rows_;
};

}  // namespace dlas
