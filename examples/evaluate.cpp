// Top-1 accuracy of a network with trained weights on labelled images.
//   evaluate MODEL WEIGHTS IMAGES [--stack NAME]
// WEIGHTS is a safetensors file; IMAGES a CIFAR-10 binary file, or for ImageNet networks N x 224 x 224 x 3 bytes with a .labels.txt
// beside it. NAME is a whole stack (f32/dense/direct/avx2) or parts of one (winograd4, direct/avx2); the default is automatic on the
// best target of this CPU. `evaluate` alone lists models and stacks.
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/imagenet_file.hpp>
#include <dlas/systems/host_network.hpp>

#include "evaluate_networks.hpp"

namespace {

template <class Exploration, class Target, int... Shards>
void add_points(std::vector<dlas::design_point>& points, std::integer_sequence<int, Shards...>) {
    auto add = [&points](std::span<const dlas::design_point> more) { points.insert(points.end(), more.begin(), more.end()); };
    (add(dlas::compiled_points<Exploration, Target, Shards, sizeof...(Shards)>()), ...);
}

template <class... Targets>
std::vector<dlas::design_point> all_points(dlas::policy_list<Targets...>) {
    std::vector<dlas::design_point> points;
    (add_points<cifar_networks, Targets>(points, std::make_integer_sequence<int, DLAS_UNIT_SHARDS>{}), ...);
    (add_points<imagenet_networks, Targets>(points, std::make_integer_sequence<int, DLAS_UNIT_SHARDS>{}), ...);
    return points;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(separator, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

/// Whether every part of the wanted name is a part of the stack's name; "winograd4" stands for "winograd4+direct+depthwise".
bool matches(std::string_view stack, std::string_view wanted) {
    const auto parts = split(stack, '/');
    return std::ranges::all_of(split(wanted, '/'), [&parts](std::string_view part) {
        return std::ranges::any_of(parts, [part](std::string_view own) { return own == part || split(own, '+').front() == part; });
    });
}

/// The point to run: the wanted algorithm, else automatic, on the best target that this CPU has.
const dlas::design_point& choose(std::span<const dlas::design_point> points, std::string_view model, const std::string& wanted) {
    const dlas::design_point* best = nullptr;
    bool model_known = false, name_known = false;
    for (const dlas::design_point& point : points) {
        if (point.model != model) continue;
        model_known = true;
        if (!wanted.empty() && !matches(point.stack, wanted)) continue;
        name_known = true;
        if (point.code == nullptr || !point.code->available()) continue;
        const bool automatic = point.stack.find("/automatic/") != std::string_view::npos;
        const bool same_target = best != nullptr && best->target == point.target;
        if (best == nullptr || !same_target || automatic) best = &point;
    }
    if (!model_known) throw dlas::error("unknown model '" + std::string(model) + "'; evaluate without arguments lists them");
    if (!name_known) throw dlas::error("no stack of " + std::string(model) + " is called '" + wanted + "'; evaluate without arguments lists them");
    if (best == nullptr) throw dlas::error("this CPU cannot run " + std::string(model) + " with the stack '" + wanted + "'");
    return *best;
}

int evaluate(std::span<const dlas::design_point> points, const std::vector<std::string>& arguments) {
    std::vector<std::string> files;
    std::string wanted;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--stack") {
            if (++i == arguments.size()) throw dlas::error("--stack needs a name");
            wanted = arguments[i];
        } else if (arguments[i].starts_with("--")) throw dlas::error("unknown option '" + arguments[i] + "'");
        else files.push_back(arguments[i]);
    }
    if (files.size() != 3) throw dlas::error("usage: evaluate MODEL WEIGHTS IMAGES [--stack NAME]");

    const dlas::design_point& point = choose(points, files[0], wanted);
    dlas::host_network network(*point.code, dlas::safetensors::read(files[1]));
    const dlas::labeled_images images = point.dataset == dlas::imagenet::name ? dlas::read_imagenet(files[2]) : dlas::read_cifar10(files[2]);

    std::map<std::string, int> layers;
    for (const dlas::executable_step& step : point.code->steps)
        if (step.kind == dlas::step_kind::conv2d) ++layers[std::string(step.algorithm)];
    std::printf("%s %s\n", files[0].c_str(), std::string(point.stack).c_str());
    for (const auto& [algorithm, count] : layers) std::printf("  %d layers %s\n", count, algorithm.c_str());
    std::printf("  %.1f KB weights, %.1f KB arena, %.1f million multiply-accumulates\n", static_cast<double>(point.code->weight_bytes) / 1024,
                static_cast<double>(point.code->arena_bytes) / 1024, static_cast<double>(point.code->macs) / 1e6);

    std::vector<float> input(static_cast<std::size_t>(point.code->input.elements()));
    std::chrono::steady_clock::duration running{};
    const dlas::top1 result = dlas::count_top1(images.labels, [&](int index) {
        dlas::apply(*point.preprocessing, images[index], input);
        const auto start = std::chrono::steady_clock::now();
        const auto logits = network(input);
        running += std::chrono::steady_clock::now() - start;
        return logits;
    });
    std::printf("  %.3f ms an image\n", std::chrono::duration<double, std::milli>(running).count() / result.total);
    std::printf("top-1 %d/%d\n", result.correct, result.total);
    return 0;
}

void list_points(std::span<const dlas::design_point> points) {
    std::printf("usage: evaluate MODEL WEIGHTS IMAGES [--stack NAME]\n");
    std::map<std::string, std::string> stacks;  // of each model
    for (const dlas::design_point& point : points) {
        if (point.code == nullptr) continue;
        std::string& lines = stacks[std::string(point.model) + " (" + std::string(point.dataset) + ")"];
        lines.append("  ").append(point.stack).append(point.code->available() ? "\n" : "  (not on this CPU)\n");
    }
    for (const auto& [model, lines] : stacks) std::printf("%s\n%s", model.c_str(), lines.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::vector<dlas::design_point> points = all_points(dlas::policy_list<DLAS_UNIT_TARGETS>{});
        if (argc == 1) {
            list_points(points);
            return 1;
        }
        return evaluate(points, {argv + 1, argv + argc});
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "evaluate: %s\n", failure.what());
        return 1;
    }
}
