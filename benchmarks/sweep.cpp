// The default design-space sweep: a small network on procedural images, every algorithm on every ISA.
//   sweep                                          the embedded ResNet-8 on 1000 images of shapes10
//   sweep --weights FILE --images FILE [--calibration FILE] [--model resnet20]
//                                                  a user's weights (safetensors) and images (CIFAR-10 binary); integers need others to be
//                                                  calibrated with
// and the options of Google Benchmark: --benchmark_filter=REGEX, --benchmark_out=FILE, ...
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>

#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/shapes10.hpp>
#include <dlas/explore/runner.hpp>

#include "embedded_weights.hpp"
#include "sweep_space.hpp"

namespace {

/// Takes `--name VALUE` or `--name=VALUE` out of the arguments.
std::string take_option(int& argc, char** argv, const std::string& name) {
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        std::string value;
        int taken = 1;
        if (argument.starts_with(name + "=")) value = argument.substr(name.size() + 1);
        else if (argument == name) {
            if (i + 1 == argc) throw dlas::error(name + " needs a value");
            value = argv[i + 1];
            taken = 2;
        } else continue;
        for (int rest = i; rest + taken <= argc; ++rest) argv[rest] = argv[rest + taken];
        argc -= taken;
        return value;
    }
    return {};
}

template <class... Targets>
void add_units(dlas::sweep_runner& runner, dlas::policy_list<Targets...>) {
    (runner.add(dlas::compiled_points<default_exploration, Targets>(), dlas::compiled_peak<Targets>()), ...);
}

int run(int argc, char** argv) {
    const std::string weights = take_option(argc, argv, "--weights");
    const std::string images = take_option(argc, argv, "--images");
    const std::string calibration = take_option(argc, argv, "--calibration");
    std::string model = take_option(argc, argv, "--model");
    if (weights.empty() != images.empty()) throw dlas::error("--weights and --images are given together or not at all");
    if (!calibration.empty() && weights.empty()) throw dlas::error("--calibration needs --weights and --images");
    if (!model.empty() && weights.empty()) throw dlas::error("--model needs --weights and --images");

    dlas::sweep_subject subject;
    if (weights.empty()) {
        model = dlas::resnet8_a<dlas::shapes10>::name;
        subject.weights = std::make_shared<dlas::safetensors>(dlas::safetensors::parse(embedded_weights(), "embedded resnet8_a weights"));
        subject.images = std::make_shared<dlas::labeled_images>(dlas::make_shapes10(dlas::shapes10_test_count, dlas::shapes10_test_seed));
        subject.calibration = std::make_shared<dlas::labeled_images>(dlas::make_shapes10(200, dlas::shapes10_training_seed));
    } else {
        if (model.empty()) model = dlas::resnet8_a<dlas::shapes10>::name;
        if (model != dlas::resnet8_a<dlas::shapes10>::name && model != dlas::resnet20<dlas::cifar10>::name)
            throw dlas::error("--model " + model + ": the sweep is compiled for resnet8_a and resnet20");
        subject.weights = std::make_shared<dlas::safetensors>(dlas::safetensors::read(weights));
        subject.images = std::make_shared<dlas::labeled_images>(dlas::read_cifar10(images));
        if (!calibration.empty()) subject.calibration = std::make_shared<dlas::labeled_images>(dlas::read_cifar10(calibration));
        subject.dataset = std::filesystem::path(images).stem().string();
    }
    dlas::sweep_runner runner;
    add_units(runner, dlas::policy_list<DLAS_UNIT_TARGETS>{});
    runner.set_subject(model, std::move(subject));
    return runner.run(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "sweep: %s\n", failure.what());
        return 1;
    }
}
