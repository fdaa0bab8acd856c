// Measures the points of a design space: one Google Benchmark for each, accuracy and cost beside the time. Explore; hosted.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/labeled_images.hpp>
#include <dlas/explore/peak.hpp>
#include <dlas/explore/points.hpp>
#include <dlas/explore/report.hpp>
#include <dlas/explore/seeded_weights.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/quantize.hpp>
#include <dlas/systems/thread_pool.hpp>

namespace dlas {

/// What a sweep runs a model on. Without weights they are made up and there is no accuracy.
struct sweep_subject {
    std::shared_ptr<const safetensors> weights;
    std::shared_ptr<const labeled_images> images;
    std::shared_ptr<const labeled_images> calibration;  ///< other images, which the scales of integers are found with
    std::string dataset;  ///< replaces the problem's name in labels where it is not empty
};

/// "network/resnet20/cifar10/f32/dense/direct/avx2": a point's name everywhere. `dataset` replaces the problem's where it is not empty.
inline std::string point_name(const design_point& point, std::string_view dataset = {}) {
    std::string name = "network/";
    name.append(point.model).append("/").append(dataset.empty() ? point.dataset : dataset).append("/").append(point.stack);
    return name;
}

/// A design space on its way through Google Benchmark.
class sweep_runner {
public:
    /// Adds the points that one unit compiled, and the peak of its target. A subject stands for all points of its model.
    void add(std::span<const design_point> points, const peak_loop& peak) {
        points_.insert(points_.end(), points.begin(), points.end());
        peaks_.push_back({peak, 0});
    }
    void set_subject(std::string_view model, sweep_subject subject) { subjects_.emplace_back(model, std::move(subject)); }

    std::span<const design_point> points() const { return points_; }

    /// Floating-point operations a second of a target, measured once.
    double peak(std::string_view target) {
        for (auto& [loop, value] : peaks_)
            if (loop.target == target) {
                if (value == 0) value = measure_peak(loop);
                return value;
            }
        return 1;
    }

    /// Registers and runs; `argc` and `argv` as Google Benchmark takes them. Returns the exit status.
    int run(int& argc, char** argv) {
        bool own_table = true, filtered = false;
        for (int i = 1; i < argc; ++i) {
            if (std::string_view(argv[i]).starts_with("--benchmark_format=")) own_table = false;
            if (std::string_view(argv[i]).starts_with("--benchmark_filter=")) filtered = true;
        }
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;

        std::vector<std::string> skipped;
        int registered = 0;
        std::size_t longest_name = 56;
        for (const design_point& point : points_) {
            const sweep_subject* subject = find_subject(point.model);
            if (subject == nullptr && !subjects_.empty()) continue;
            if (subject != nullptr && point.code != nullptr)
                for (const auto& images : {subject->images, subject->calibration})
                    if (images) check_images(*images, point);
            const std::string name = point_name(point, subject != nullptr ? std::string_view(subject->dataset) : std::string_view());
            if (point.code == nullptr) skipped.push_back(name + ": " + std::string(point.refusal));
            else if (!point.code->available()) skipped.push_back(name + ": " + std::string(point.target) + " cannot run: " + std::string(point.code->unavailable_because()));
            else if (point.code->quantized && subject != nullptr && subject->weights && !subject->calibration)
                skipped.push_back(name + ": its scales need calibration images, and there are none");
            else {
                auto measured = std::make_shared<measurement>(point, subject, peak(point.target));
                benchmark::RegisterBenchmark(name.c_str(), [measured](benchmark::State& state) { measured->run(state); })->Unit(benchmark::kMillisecond);
                ++registered;
                longest_name = std::max(longest_name, name.size());
            }
        }
        if (own_table) {
            table_reporter table(filtered ? 0 : registered, static_cast<int>(longest_name));
            benchmark::RunSpecifiedBenchmarks(&table);
            for (const std::string& line : skipped) std::fprintf(stdout, "skipped %s\n", line.c_str());
        } else {
            benchmark::RunSpecifiedBenchmarks();
        }
        benchmark::ClearRegisteredBenchmarks();
        benchmark::Shutdown();
        return 0;
    }

private:
    /// One point with its network, made when its benchmark first runs.
    class measurement {
    public:
        measurement(const design_point& point, const sweep_subject* subject, double peak) : point_(point), peak_(peak) {
            if (subject != nullptr) subject_ = *subject;
        }

        void run(benchmark::State& state) {
            if (!ready_) prepare();
            std::size_t next = 0;
            for (auto unused : state) {
                (void)unused;
                benchmark::DoNotOptimize((*network_)(inputs_[next]).data());
                next = (next + 1) % inputs_.size();
            }
            const double operations = 2.0 * static_cast<double>(point_.code->macs);
            state.counters["GFLOP/s"] =
                benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
            state.counters["peak_share"] =
                benchmark::Counter(operations / peak_, benchmark::Counter::kIsIterationInvariantRate);
            state.counters["MACs"] = static_cast<double>(point_.code->macs);
            state.counters["weight_bytes"] = static_cast<double>(point_.code->weight_bytes);
            state.counters["arena_bytes"] = static_cast<double>(point_.code->arena_bytes);
            if (accuracy_) state.counters["top1"] = accuracy_->percent();
        }

    private:
        void prepare() {
            const executable& code = *point_.code;
            if (subject_.weights && code.quantized) network_.emplace(code, quantized());
            else if (subject_.weights) network_.emplace(code, *subject_.weights);
            else network_.emplace(code, [&code](std::byte* packed) { pack_seeded_weights(code, packed); });

            const auto elements = static_cast<std::size_t>(code.input.elements());
            if (subject_.images) {
                const labeled_images& images = *subject_.images;
                std::vector<float> input(elements);
                const auto logits = [&](int index) {
                    apply(*point_.preprocessing, images[index], input);
                    return (*network_)(input);
                };
                if (subject_.weights) accuracy_ = count_top1(images.labels, logits);
                for (int i = 0; i < std::min(images.count(), 16); ++i) {
                    apply(*point_.preprocessing, images[i], input);
                    inputs_.push_back(input);
                }
            } else {
                inputs_.emplace_back(elements, 0.5f);
            }
            ready_ = true;
        }

        safetensors quantized() const {
            std::vector<float> input(static_cast<std::size_t>(point_.code->input.elements()));
            return quantize(*point_.code, *point_.observed, *subject_.weights, subject_.calibration->count(), [&](int i) {
                apply(*point_.preprocessing, (*subject_.calibration)[i], input);
                return std::span<const float>(input);
            });
        }

        design_point point_;
        sweep_subject subject_;
        double peak_;
        bool ready_ = false;
        std::optional<host_network> network_;
        std::vector<std::vector<float>> inputs_;
        std::optional<top1> accuracy_;
    };

    static void check_images(const labeled_images& images, const design_point& point) {
        if (images.count() == 0) throw error("the images of " + std::string(point.model) + " are none");
        if (images.image != point.code->input || images.image.channels != 3 ||
            images.pixels.size() != static_cast<std::size_t>(images.count()) * static_cast<std::size_t>(images.image.elements()))
            throw error("the images do not fit " + std::string(point.model) + ", which needs " + std::to_string(point.code->input.height) + "x" +
                        std::to_string(point.code->input.width) + " RGB pixels for each label");
    }

    const sweep_subject* find_subject(std::string_view model) const {
        for (const auto& [name, subject] : subjects_)
            if (name == model) return &subject;
        return nullptr;
    }

    std::vector<design_point> points_;
    std::vector<std::pair<peak_loop, double>> peaks_;
    std::vector<std::pair<std::string, sweep_subject>> subjects_;
};

}  // namespace dlas
