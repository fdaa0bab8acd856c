// Measures schedules and algorithms for each layer of a network, within runs of the network, and writes the best as a plan.
//   tune MODEL [--target avx512] [--cache FILE] [--output FILE] [--type TYPE --include HEADER] [--compiler "g++ ..."]
//              [--validate SECONDS]
// MODEL is one of the list that `tune` alone prints, e.g. resnet50/imagenet; for a model of your own it is any name, and
// --type and --include say what it stands for. Layers are measured in batches: the compiler works on the next one meanwhile.
// The cache (dlas_tuning.tsv) keeps every measurement by CPU, target and layer: what is in it is not measured again, so that an
// interrupted run resumes, and networks share their layers; a new release of the library calls for a new one. The last SECONDS (12) compare whole networks. The plan is a header: stack<tuned, TARGET> finds it once it is included.
#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <dlas/core/aligned_bytes.hpp>
#include <dlas/core/error.hpp>
#include <dlas/core/layer_text.hpp>
#include <dlas/explore/seeded_weights.hpp>
#include <dlas/hardware/targets.hpp>
#include <dlas/systems/executable.hpp>
#include <dlas/systems/tuning_candidate.hpp>

#include "compiler.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) { return std::chrono::duration<double>(clock_type::now() - start).count(); }

struct known_model {
    const char* name;
    const char* type;
    const char* header;
};

constexpr known_model known_models[] = {
    {"resnet8/cifar10", "resnet8<cifar10>", "dlas/models/resnet.hpp"},
    {"resnet20/cifar10", "resnet20<cifar10>", "dlas/models/resnet.hpp"},
    {"resnet56/cifar10", "resnet56<cifar10>", "dlas/models/resnet.hpp"},
    {"resnet18/cifar10", "resnet18<cifar10>", "dlas/models/resnet.hpp"},
    {"vgg16/cifar10", "vgg16<cifar10>", "dlas/models/vgg.hpp"},
    {"mobilenet_v1/cifar10", "mobilenet_v1<cifar10>", "dlas/models/mobilenet.hpp"},
    {"mobilenet_v2/cifar10", "mobilenet_v2<cifar10>", "dlas/models/mobilenet.hpp"},
    {"resnet18/imagenet", "resnet18<imagenet>", "dlas/models/resnet.hpp"},
    {"resnet34/imagenet", "resnet34<imagenet>", "dlas/models/resnet.hpp"},
    {"resnet50/imagenet", "resnet50<imagenet>", "dlas/models/resnet.hpp"},
    {"vgg16/imagenet", "vgg16<imagenet>", "dlas/models/vgg.hpp"},
    {"mobilenet_v1/imagenet", "mobilenet_v1<imagenet>", "dlas/models/mobilenet.hpp"},
    {"mobilenet_v2/imagenet", "mobilenet_v2<imagenet>", "dlas/models/mobilenet.hpp"},
    {"squeezenet1_1/imagenet", "squeezenet1_1<imagenet>", "dlas/models/squeezenet.hpp"},
    {"efficientnet_b0/imagenet", "efficientnet_b0<imagenet>", "dlas/models/efficientnet.hpp"},
    {"densenet161/imagenet", "densenet161<imagenet>", "dlas/models/densenet.hpp"},
};

struct settings {
    std::string model, type, header;
    std::string target = "avx512";
    std::string compile_flags;
    std::string compiler = DLAS_COMPILE_COMMAND;
    std::filesystem::path cache = "dlas_tuning.tsv";
    std::filesystem::path output;
    double validate_seconds = 12;
};

template <class... Targets>
const char* flags_of(std::string_view name, dlas::policy_list<Targets...>) {
    const char* flags = nullptr;
    bool runs = false;
    ((Targets::name == name ? (flags = Targets::compile_flags.data(), runs = Targets::available()) : false), ...);
    if (flags == nullptr) throw dlas::error("there is no target '" + std::string(name) + "'");
    if (!runs) throw dlas::error("this CPU lacks the target '" + std::string(name) + "'");
    return flags;
}

[[noreturn]] void usage() {
    std::fprintf(stderr, "usage: tune MODEL [--target avx512] [--cache FILE] [--output FILE] [--type TYPE --include HEADER] [--compiler COMMAND]\n"
                         "            [--validate SECONDS]\n"
                         "models:");
    for (const known_model& m : known_models) std::fprintf(stderr, " %s", m.name);
    std::fprintf(stderr, "\n");
    std::exit(1);
}

settings read_arguments(int argc, char** argv) {
    settings s;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        auto value = [&] {
            if (i + 1 == argc) throw dlas::error(word + " needs a value");
            return std::string(argv[++i]);
        };
        if (word == "--target") s.target = value();
        else if (word == "--cache") s.cache = value();
        else if (word == "--output") s.output = value();
        else if (word == "--type") s.type = value();
        else if (word == "--include") s.header = value();
        else if (word == "--compiler") s.compiler = value();
        else if (word == "--validate") {
            const std::string seconds = value();
            if (!(std::istringstream(seconds) >> s.validate_seconds) || s.validate_seconds < 0) throw dlas::error("--validate needs seconds, got '" + seconds + "'");
        }
        else if (word.starts_with("-")) throw dlas::error("unknown option '" + word + "'");
        else if (s.model.empty()) s.model = word;
        else throw dlas::error("two models: '" + s.model + "' and '" + word + "'");
    }
    if (s.model.empty()) usage();
    for (const known_model& m : known_models)
        if (s.type.empty() && s.model == m.name) {
            s.type = m.type;
            s.header = m.header;
        }
    if (s.type.empty() || s.header.empty()) throw dlas::error("unknown model '" + s.model + "'; give --type and --include, or one of the list that `tune` prints");
    s.compile_flags = flags_of(s.target, dlas::targets{});
    if (s.output.empty()) {
        std::string file = s.model + "_" + s.target + ".hpp";
        std::ranges::replace(file, '/', '_');
        s.output = file;
    }
    return s;
}

/// The processor by its own words.
std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown CPU";
}

/// Measurements alone on one CPU, compilers on the others.
class cpu_shares {
public:
    cpu_shares() {
        CPU_ZERO(&all_);
        sched_getaffinity(0, sizeof all_, &all_);
        int last = -1;
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &all_)) last = cpu;
        if (CPU_COUNT(&all_) < 2) return;
        others_ = all_;
        CPU_CLR(last, &others_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(last, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    const cpu_set_t& others() const { return others_; }

private:
    cpu_set_t all_{}, others_{};
};

/// Code that was compiled and loaded while the program runs.
class loaded_unit {
public:
    loaded_unit(const settings& s, const cpu_shares& cpus, const std::filesystem::path& folder, const std::string& name, const std::string& code) {
        const std::filesystem::path source = folder / (name + ".cpp"), object = folder / (name + ".so");
        std::ofstream(source) << code;
        run_compiler(s.compiler + " " + s.compile_flags,
                     {"-I" + std::filesystem::current_path().string(), "-shared", "-fPIC", source.string(), "-o", object.string()}, name + " of " + s.model,
                     CPU_COUNT(&cpus.others()) > 0 ? &cpus.others() : nullptr);
        handle_.reset(dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL));
        if (!handle_) throw dlas::error(std::string("cannot load what was compiled: ") + dlerror());
    }

    template <class Function>
    Function* find(const char* name) const {
        return reinterpret_cast<Function*>(dlsym(handle_.get(), name));
    }

private:
    struct close {
        void operator()(void* handle) const { dlclose(handle); }
    };
    std::unique_ptr<void, close> handle_;
};

std::string includes(const settings& s) {
    return "#include <dlas/datasets/problems.hpp>\n#include <" + s.header + ">\n#include <dlas/systems/tuning.hpp>\nusing namespace dlas;\n";
}

/// A schedule and its algorithm as a plan writes them: `direct, schedule<{.tile = {1, 14, 2}}>`.
std::string spell(std::string_view algorithm, const dlas::schedule_options& s) {
    std::string text(algorithm);
    if (text.starts_with("winograd")) text = "winograd<" + text.substr(8) + ">";
    std::string fields;
    auto add = [&fields](const std::string& field) { fields += (fields.empty() ? "" : ", ") + field; };
    if (s.tile.rows > 0)
        add(".tile = {" + std::to_string(s.tile.rows) + ", " + std::to_string(s.tile.columns) + ", " + std::to_string(s.tile.vectors) + "}");
    if (s.pixels != dlas::by_rule) add(".pixels = " + std::to_string(s.pixels));
    if (s.channels != dlas::by_rule) add(".channels = " + std::to_string(s.channels));
    if (s.inputs != dlas::by_rule) add(".inputs = " + std::to_string(s.inputs));
    if (s.prefetch != dlas::by_rule) add(".prefetch = " + std::to_string(s.prefetch));
    return fields.empty() ? text : text + ", schedule<{" + fields + "}>";
}

/// One way to run a layer and its time in microseconds, all steps of the layer together.
struct result {
    std::string choice;
    double time = 0;
};

/// Every measurement there is, by CPU, target with its way of packing, and layer. Lines: cpu, target, layer, choice, microseconds.
class measurement_cache {
public:
    measurement_cache(std::filesystem::path path, std::string cpu, std::string target)
        : path_(std::move(path)), prefix_(cpu + "\t" + target + " packing " + std::to_string(dlas::packing_version) + "\t") {
        std::ifstream file(path_);
        int number = 0;
        for (std::string line; std::getline(file, line);) {
            ++number;
            if (!line.starts_with(prefix_)) continue;
            std::istringstream fields(line.substr(prefix_.size()));
            std::string layer, choice;
            double time = 0;
            if (!std::getline(fields, layer, '\t') || !std::getline(fields, choice, '\t') || !(fields >> time) || time <= 0)
                throw dlas::error(path_.string() + ": line " + std::to_string(number) + " is not a measurement; remove it, or all lines of its layer");
            results_[layer].push_back({choice, time});
        }
    }

    bool has(const std::string& layer) const { return results_.contains(layer); }
    /// The rule's choice comes first.
    const std::vector<result>& operator[](const std::string& layer) const { return results_.at(layer); }

    void add(const std::string& layer, std::vector<result> measured) {
        std::ostringstream lines;
        for (const result& r : measured) lines << prefix_ << layer << '\t' << r.choice << '\t' << r.time << '\n';
        // A layer at a time: an interrupted run leaves whole layers.
        if (!(std::ofstream(path_, std::ios::app) << lines.str() << std::flush)) throw dlas::error("cannot write " + path_.string());
        results_[layer] = std::move(measured);
    }

private:
    std::filesystem::path path_;
    std::string prefix_;
    std::map<std::string, std::vector<result>> results_;
};

/// The value that a share of all values does not exceed.
double quantile(std::vector<double> values, double share) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::ranges::nth_element(values, at);
    return *at;
}

/// A network that runs with some steps replaced.
class subject {
public:
    explicit subject(const dlas::executable& code)
        : code_(&code), weights_(code.weight_bytes), arena_(code.arena_bytes), image_(static_cast<std::size_t>(code.input.elements()), 0.5f) {
        dlas::pack_seeded_weights(code, weights_.data());
        once();
        const auto start = clock_type::now();
        once();
        pass_seconds_ = seconds_since(start);
    }

    const dlas::executable& code() const { return *code_; }
    double pass_seconds() const { return pass_seconds_; }

    double once() {
        const auto start = clock_type::now();
        dlas::run(*code_, image_.data(), weights_.data(), arena_.data());
        return seconds_since(start);
    }

    /// Times of candidates, all steps of a layer together, in runs of the whole network: caches are as cold as they are in use. Lower
    /// quartiles, for what disturbs a machine only adds.
    /// In each run every layer has one of its candidates; each set of them runs a few times in a row, so that its weights are as near as
    /// those of the others, and the sets take turns, so that all of them see the same machine.
    std::map<std::string, std::vector<result>> measure(std::span<const dlas::tuning_candidate> candidates) {
        struct choice {
            std::string name;
            std::map<int, const dlas::tuning_candidate*> steps;
            std::vector<double> times;
        };
        std::map<std::string, std::vector<choice>> layers;
        std::vector<std::optional<dlas::aligned_bytes>> packed(candidates.size());
        std::int64_t workspace_bytes = 0;
        std::size_t sets = 0;
        dlas::seeded_numbers numbers(1);
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            const dlas::tuning_candidate& c = candidates[i];
            dlas::executable_step step = code_->steps[static_cast<std::size_t>(c.step)];
            if (!step.runs_alone()) continue;
            std::vector<choice>& choices = layers[std::string(dlas::layer_text(step.conv))];
            if (static_cast<std::size_t>(c.choice) >= choices.size()) choices.resize(static_cast<std::size_t>(c.choice) + 1);
            choice& own = choices[static_cast<std::size_t>(c.choice)];
            own.steps[c.step] = c.run == nullptr ? nullptr : &c;
            sets = std::max(sets, choices.size());
            if (c.run == nullptr) continue;
            own.name = spell(c.algorithm, c.schedule);
            packed[i].emplace(c.weight_bytes);
            step.pack = c.pack;
            dlas::pack_seeded_weights(step, reinterpret_cast<float*>(packed[i]->data()), numbers);
            workspace_bytes = std::max(workspace_bytes, c.workspace_bytes);
        }
        // What cannot run at one of a layer's places is no choice for the layer.
        for (auto& [layer, choices] : layers)
            std::erase_if(choices, [](const choice& c) { return std::ranges::any_of(c.steps, [](const auto& s) { return s.second == nullptr; }); });

        dlas::aligned_bytes workspace(workspace_bytes);
        const int repeats = std::clamp(static_cast<int>(0.015 / pass_seconds_), 1, 10);
        for (int round = 0; round < 12; ++round)
            for (std::size_t set = 0; set < sets; ++set) {
                std::vector<const dlas::tuning_candidate*> replaced(code_->steps.size(), nullptr);
                for (auto& [layer, choices] : layers)
                    for (const auto& [step, candidate] : choices[set % choices.size()].steps) replaced[static_cast<std::size_t>(step)] = candidate;
                for (int repeat = 0; repeat <= repeats; ++repeat) {
                    const std::vector<double> times = run_replaced(replaced, candidates.data(), packed, workspace.data());
                    for (auto& [layer, choices] : layers) {
                        choice& c = choices[set % choices.size()];
                        double together = 0;
                        for (const auto& [step, candidate] : c.steps) together += times[static_cast<std::size_t>(step)];
                        if (repeat > 0) c.times.push_back(together);
                    }
                }
            }

        std::map<std::string, std::vector<result>> results;
        for (const auto& [layer, choices] : layers)
            for (const choice& c : choices) results[layer].push_back({c.name, 1e6 * quantile(c.times, 0.25)});
        return results;
    }

private:
    std::vector<double> run_replaced(const std::vector<const dlas::tuning_candidate*>& replaced, const dlas::tuning_candidate* first,
                                     const std::vector<std::optional<dlas::aligned_bytes>>& packed, std::byte* workspace) {
        std::vector<double> times(code_->steps.size());
        for (std::size_t i = 0; i < code_->steps.size(); ++i) {
            const dlas::executable_step& step = code_->steps[i];
            if (step.run == nullptr) continue;
            dlas::kernel_arguments arguments = dlas::arguments_of(step, image_.data(), weights_.data(), arena_.data());
            auto run = step.run;
            if (const dlas::tuning_candidate* c = replaced[i]) {
                run = c->run;
                arguments.weights = packed[static_cast<std::size_t>(c - first)]->data();
                arguments.workspace = workspace;
            }
            const auto start = clock_type::now();
            dlas::fill_halo(step, weights_.data(), arena_.data());
            run(arguments);
            times[i] = seconds_since(start);
        }
        return times;
    }

    const dlas::executable* code_;
    dlas::aligned_bytes weights_, arena_;
    std::vector<float> image_;
    double pass_seconds_ = 0;
};

/// The rule's choice unless another is faster by a margin: what is within the noise should change nothing.
const result& best_of(const std::vector<result>& results, double margin) {
    const result& best = *std::ranges::min_element(results, {}, &result::time);
    return best.time < (1 - margin) * results.front().time ? best : results.front();
}

std::string plan_text(const settings& s, const std::vector<std::string>& layers, const measurement_cache& cache, double margin,
                      const std::string& figures) {
    std::ostringstream out;
    out << "// " << s.model << " on " << s.target << ": " << figures << ".\n"
        << "// Written by `tune " << s.model << " --target " << s.target << "`. Systems Software.\n#pragma once\n\n"
        << "#include <dlas/core/layer_text.hpp>\n#include <dlas/datasets/problems.hpp>\n#include <" << s.header << ">\n#include <dlas/systems/stack.hpp>\n\n"
        << "namespace dlas {\n\ntemplate <>\nstruct tuned_plan<" << s.type << ", " << s.target << "> {\n"
        << "    static constexpr std::string_view name = \"f32/dense/tuned/" << s.target << "\";\n"
        << "    using target = " << s.target << ";\n\n"
        << "    template <conv2d_layer Layer>\n    static consteval auto select() {\n        constexpr auto layer = layer_text(Layer);\n";
    const char* otherwise = "        ";
    for (const std::string& layer : layers) {
        if (!cache.has(layer)) continue;
        out << otherwise << "if constexpr (layer == \"" << layer << "\") return stack<" << best_of(cache[layer], margin).choice << ", target>{};\n";
        otherwise = "        else ";
    }
    out << (otherwise[8] == '\0' ? "        " : "        else ") << "return stack<target>{};\n    }\n};\n\n}  // namespace dlas\n";
    return out.str();
}

int run(const settings& s) {
    const auto start = clock_type::now();
    const cpu_shares cpus;
    const scratch_folder folder("dlas_tune");
    const std::string cpu = cpu_name();
    measurement_cache cache(s.cache, cpu, s.target);

    std::printf("compiling %s for %s, untuned\n", s.model.c_str(), s.target.c_str());
    const std::string network = "extern \"C\" const executable* dlas_network() { return &network<" + s.type + ", stack<";
    const loaded_unit untuned(s, cpus, folder.path, "untuned", includes(s) + network + s.target + ">>::code; }\n");
    subject measured(*untuned.find<const dlas::executable*()>("dlas_network")());

    std::vector<std::string> layers;
    std::vector<int> open;
    for (const dlas::executable_step& step : measured.code().steps) {
        if (step.kind != dlas::step_kind::conv2d) continue;
        // Steps that run together with others run by rule.
        const std::string layer(dlas::layer_text(step.conv));
        const auto known = std::ranges::find(layers, layer);
        const auto index = static_cast<int>(known - layers.begin());
        if (step.runs_alone() && !cache.has(layer) && std::ranges::find(open, index) == open.end()) open.push_back(index);
        if (known != layers.end()) continue;
        layers.push_back(layer);
    }
    std::printf("%zu distinct layers, %zu of them to measure; %.2f ms untuned\n", layers.size(), open.size(), 1e3 * measured.pass_seconds());

    // Batches of neighbouring layers.
    constexpr int batch_size = 5;
    std::vector<std::vector<int>> batches;
    for (const int layer : open) {
        if (batches.empty() || batches.back().size() == batch_size) batches.emplace_back();
        batches.back().push_back(layer);
    }
    auto compile = [&](std::size_t batch) {
        std::string code = includes(s);
        for (std::size_t i = 0; i < batches[batch].size(); ++i) {
            const std::string layer = std::to_string(batches[batch][i]), next = std::to_string(batches[batch][i] + 1);
            code += "extern \"C\" void dlas_candidates_" + std::to_string(i) + "(const tuning_candidate** first, int* count) {\n    const auto all = tuning_candidates<" +
                    s.type + ", " + s.target + ", " + layer + ", " + next + ">();\n    *first = all.data();\n    *count = static_cast<int>(all.size());\n}\n";
        }
        return std::make_unique<loaded_unit>(s, cpus, folder.path, "candidates_" + std::to_string(batch), code);
    };
    std::future<std::unique_ptr<loaded_unit>> next;
    if (!batches.empty()) next = std::async(std::launch::async, compile, 0);
    const auto first_batch = clock_type::now();
    for (std::size_t batch = 0; batch < batches.size(); ++batch) {
        const std::unique_ptr<loaded_unit> unit = next.get();
        if (batch + 1 < batches.size()) next = std::async(std::launch::async, compile, batch + 1);
        std::vector<dlas::tuning_candidate> candidates;
        for (std::size_t i = 0; i < batches[batch].size(); ++i) {
            const dlas::tuning_candidate* first = nullptr;
            int count = 0;
            unit->find<void(const dlas::tuning_candidate**, int*)>(("dlas_candidates_" + std::to_string(i)).c_str())(&first, &count);
            candidates.insert(candidates.end(), first, first + count);
        }
        for (auto& [layer, results] : measured.measure(candidates)) {
            cache.add(layer, std::move(results));
            const result& best = best_of(cache[layer], 0);
            std::printf("  %-36s %9.1f us %-28s -> %9.1f us %s\n", layer.c_str(), cache[layer].front().time, cache[layer].front().choice.c_str(),
                        best.time, best.choice.c_str());
        }
        const double done = seconds_since(first_batch);
        const double left = done / static_cast<double>(batch + 1) * static_cast<double>(batches.size() - batch - 1);
        std::printf("[%zu/%zu] %.0f s, about %.0f s left\n", batch + 1, batches.size(), seconds_since(start), left);
        std::fflush(stdout);
    }

    // Plans as a user would compile them, beside the untuned network: the fastest is written. A larger margin keeps more of the rule, 1 all of it.
    constexpr double margins[] = {0.01, 0.03, 0.08, 0.2, 1};
    std::vector<std::unique_ptr<loaded_unit>> units;
    std::vector<std::unique_ptr<subject>> planned;
    for (const double margin : margins) {
        const std::string plan = plan_text(s, layers, cache, margin, "");
        units.push_back(std::make_unique<loaded_unit>(s, cpus, folder.path, "plan_" + std::to_string(units.size()),
                                                      includes(s) + plan.substr(plan.find("#include")) + network + "tuned, " + s.target + ">>::code; }\n"));
        planned.push_back(std::make_unique<subject>(*units.back()->find<const dlas::executable*()>("dlas_network")()));
    }
    std::vector<double> untuned_times;
    std::vector<std::vector<double>> planned_times(planned.size());
    const int repeats = std::max(1, static_cast<int>(0.03 / measured.pass_seconds()));
    for (const auto begun = clock_type::now(); untuned_times.size() < 20 || seconds_since(begun) < s.validate_seconds;) {
        auto take = [repeats](subject& each, std::vector<double>& times) {
            each.once();
            for (int repeat = 0; repeat < repeats; ++repeat) times.push_back(1e3 * each.once());
        };
        take(measured, untuned_times);
        for (std::size_t i = 0; i < planned.size(); ++i) take(*planned[i], planned_times[i]);
    }
    const auto at = static_cast<std::size_t>(std::ranges::min_element(planned_times, {}, [](const auto& times) { return quantile(times, 0.25); }) -
                                             planned_times.begin());
    char figures[200];
    std::snprintf(figures, sizeof figures, "%.3f ms, %.3f ms untuned (lower quartiles on %s)", quantile(planned_times[at], 0.25),
                  quantile(untuned_times, 0.25), cpu.c_str());
    if (!(std::ofstream(s.output) << plan_text(s, layers, cache, margins[at], figures) << std::flush)) throw dlas::error("cannot write " + s.output.string());
    std::printf("%s on %s: %s, margin %.0f %%; wrote %s in %.0f s\n", s.model.c_str(), s.target.c_str(), figures, 100 * margins[at], s.output.c_str(),
                seconds_since(start));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(read_arguments(argc, argv));
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "tune: %s\n", failure.what());
        return 1;
    }
}
