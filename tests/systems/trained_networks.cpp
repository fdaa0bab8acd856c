// Networks with trained weights against the logits that PyTorch computed from them, and the accuracy on real images.
#include "trained_networks.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/imagenet_file.hpp>
#include <dlas/datasets/speech_commands_file.hpp>
#include <dlas/systems/reference_network.hpp>

namespace {

/// A network's files and what PyTorch's run of it reaches.
struct trained {
    std::string_view model;
    std::string files;   ///< stem of the weights' and the references' names
    std::string images;  ///< stem of the labelled images
    int correct = 0;
    const dlas::preprocessing* preprocessing = nullptr;
};

template <class Model>
trained about(std::string files, std::string images, int correct) {
    return {Model::name, std::move(files), std::move(images), correct, &Model::preprocessing};
}

const trained resnet20 = about<trained_networks::resnet20>("cifar10_resnet20", "cifar10_test_dev1000", 914);
const trained resnet8 = about<trained_networks::resnet8>("cifar10_resnet8_mlperftiny", "cifar10_test_dev1000", 863);
const trained mobilenet_v2 = about<trained_networks::mobilenet_v2>("imagenet_mobilenetv2_1.0", "imagenet_val100", 84);
const trained mobilenet_v1 = about<trained_networks::mobilenet_v1>("imagenet_mobilenetv1_0.25", "imagenet_val100", 69);
const trained squeezenet = about<trained_networks::squeezenet>("imagenet_squeezenet1.1", "imagenet_val100", 73);
const trained ds_cnn = about<trained_networks::ds_cnn>("kws_dscnn", "kws01_dev500", 457);

/// The data's folder; empty, with a message, where there is none.
std::filesystem::path data() {
    const char* folder = std::getenv("DLAS_DATA");
    if (folder == nullptr || !std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: DLAS_DATA is not the folder of the trained weights");
        return {};
    }
    return folder;
}

std::vector<const dlas::executable*> networks_of(std::string_view model) {
    auto codes = available_networks<trained_networks, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>();
    std::erase_if(codes, [model](const dlas::executable* code) { return code->model != model; });
    return codes;
}

/// The most capable target's, chosen layer by layer if there is such a one.
const dlas::executable& best_network_of(std::string_view model) {
    const auto codes = networks_of(model);
    const dlas::executable* best = codes.at(0);
    auto rank = [](const dlas::executable* code) {
        return 2 * capability(code->target) + (code->plan.find("automatic") != std::string_view::npos ? 1 : 0);
    };
    for (const dlas::executable* code : codes)
        if (rank(code) > rank(best)) best = code;
    return *best;
}

std::vector<float> to_nhwc(std::span<const float> nchw, dlas::shape map) {
    std::vector<float> image(nchw.size());
    for (int channel = 0; channel < map.channels; ++channel)
        for (int pixel = 0; pixel < map.pixels(); ++pixel)
            image[static_cast<std::size_t>(pixel * map.channels + channel)] = nchw[static_cast<std::size_t>(channel * map.pixels() + pixel)];
    return image;
}

/// Inputs of the reference file and PyTorch's answers.
struct references {
    dlas::safetensors file;
    int count = 0;
    std::size_t classes = 0;
    std::vector<std::vector<float>> images;

    references(const std::filesystem::path& path, dlas::shape map) : file(dlas::safetensors::read(path)) {
        const auto* input = file.find("input");
        count = static_cast<int>(input->shape.at(0));
        const auto elements = static_cast<std::size_t>(map.elements());
        REQUIRE(input->f32().size() == static_cast<std::size_t>(count) * elements);
        for (int i = 0; i < count; ++i) images.push_back(to_nhwc(input->f32().subspan(static_cast<std::size_t>(i) * elements, elements), map));
        classes = file.find("logits")->f32().size() / static_cast<std::size_t>(count);
    }
    std::span<const float> logits(int image) const { return file.find("logits")->f32().subspan(static_cast<std::size_t>(image) * classes, classes); }
    std::vector<double> logits_in_double(int image) const {
        const auto* tensor = file.find("logits_fp64");
        std::vector<double> all(static_cast<std::size_t>(count) * classes);
        if (tensor->dtype == "F64") std::memcpy(all.data(), tensor->bytes.data(), tensor->bytes.size());
        else std::ranges::copy(tensor->f32(), all.begin());
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(image) * classes);
        return {first, first + static_cast<std::ptrdiff_t>(classes)};
    }
};

/// Every compiled network of the model answers as PyTorch does.
void check_logits(const trained& network) {
    const std::filesystem::path folder = data();
    if (folder.empty()) return;
    const auto codes = networks_of(network.model);
    REQUIRE(!codes.empty());
    const dlas::safetensors weights = dlas::safetensors::read(folder / "weights" / (network.files + ".safetensors"));
    const references expected(folder / "refs" / (network.files + ".ref.safetensors"), codes[0]->input);

    double pytorch = 0, magnitude = 0;
    for (int i = 0; i < expected.count; ++i) {
        pytorch = std::max(pytorch, largest_difference(expected.logits(i), expected.logits_in_double(i)));
        magnitude = std::max(magnitude, largest_magnitude(expected.logits(i)));
    }
    MESSAGE(std::string(network.model), ": logits up to ", magnitude, "; PyTorch in float is off by ", pytorch, " from itself in double");

    for (const dlas::executable* code : codes) {
        dlas::host_network compiled(*code, weights);
        fill_with_garbage(compiled);
        double error = 0, error_in_double = 0;
        for (int i = 0; i < expected.count; ++i) {
            const auto logits = compiled(expected.images[static_cast<std::size_t>(i)]);
            error = std::max(error, largest_difference(logits, expected.logits(i)));
            error_in_double = std::max(error_in_double, largest_difference(logits, expected.logits_in_double(i)));
        }
        const std::string label = label_of(*code);
        MESSAGE(label, ": off by ", error, " (", error_in_double, " from double)");
        CAPTURE(label);
        CHECK(error <= 1e-4);
    }
}

/// The definition-style run agrees with PyTorch in double, so that networks without trained weights can be compared with it.
template <class Model>
void check_reference(const trained& network) {
    const std::filesystem::path folder = data();
    if (folder.empty()) return;
    const dlas::safetensors weights = dlas::safetensors::read(folder / "weights" / (network.files + ".safetensors"));
    const references expected(folder / "refs" / (network.files + ".ref.safetensors"), Model::input);
    const auto logits = dlas::reference_run(dlas::graph_of<Model>, weights, expected.images[0]);
    const double error = largest_difference(logits, expected.logits_in_double(0));
    MESSAGE(std::string(network.model), ": the reference is off by ", error);
    CHECK(error <= 1e-6 * std::max(10.0, largest_magnitude(logits)));
}

/// As many images are right as with PyTorch, and each one's logits are PyTorch's.
void check_accuracy(const trained& network, const dlas::labeled_images& images) {
    const dlas::executable& code = best_network_of(network.model);
    const std::filesystem::path folder = data();
    dlas::host_network compiled(code, dlas::safetensors::read(folder / "weights" / (network.files + ".safetensors")));
    const dlas::safetensors expected = dlas::safetensors::read(folder / "refs" / (network.files + "." + network.images + ".logits.safetensors"));
    const std::span<const float> all_logits = expected.find("logits")->f32();
    const auto classes = static_cast<std::size_t>(code.output.elements());
    const int count = images.count();
    REQUIRE(all_logits.size() >= static_cast<std::size_t>(count) * classes);

    std::vector<float> input(static_cast<std::size_t>(code.input.elements()));
    double error = 0;
    int agreeing = 0;
    const dlas::top1 result = dlas::count_top1(std::span(images.labels).first(static_cast<std::size_t>(count)), [&](int index) {
        dlas::apply(*network.preprocessing, images[index], input);
        const auto logits = compiled(input);
        const auto reference = all_logits.subspan(static_cast<std::size_t>(index) * classes, classes);
        error = std::max(error, largest_difference(logits, reference));
        agreeing += dlas::argmax(logits) == dlas::argmax(reference);
        return logits;
    });
    MESSAGE(label_of(code), ": ", result.correct, " of ", result.total, " right, ", agreeing, " as PyTorch, logits off by ", error);
    CHECK(agreeing == count);
    CHECK(error <= 1e-3);
    CHECK(result == dlas::top1{network.correct, images.count()});
}

}  // namespace

TEST_CASE("logits: resnet20") { check_logits(resnet20); }
TEST_CASE("logits: resnet8") { check_logits(resnet8); }
TEST_CASE("logits: mobilenet_v2") { check_logits(mobilenet_v2); }
TEST_CASE("logits: mobilenet_v1_quarter") { check_logits(mobilenet_v1); }
TEST_CASE("logits: squeezenet1_1") { check_logits(squeezenet); }
TEST_CASE("logits: ds_cnn") { check_logits(ds_cnn); }

TEST_CASE("reference_run: small networks") {
    check_reference<trained_networks::resnet20>(resnet20);
    check_reference<trained_networks::resnet8>(resnet8);
    check_reference<trained_networks::ds_cnn>(ds_cnn);
}
TEST_CASE("reference_run: 224x224 networks") {
    check_reference<trained_networks::mobilenet_v2>(mobilenet_v2);
    check_reference<trained_networks::mobilenet_v1>(mobilenet_v1);
    check_reference<trained_networks::squeezenet>(squeezenet);
}

TEST_CASE("accuracy: CIFAR-10") {
    if (data().empty()) return;
    const dlas::labeled_images images = dlas::read_cifar10(data() / "data" / "cifar10_test_dev1000.bin");
    check_accuracy(resnet20, images);
    check_accuracy(resnet8, images);
}
TEST_CASE("accuracy: Speech Commands") {
    if (data().empty()) return;
    check_accuracy(ds_cnn, dlas::read_speech_commands(data() / "data" / "kws01_dev500.bin"));
}
TEST_CASE("accuracy: ImageNet") {
    if (data().empty()) return;
    const dlas::labeled_images images = dlas::read_imagenet(data() / "data" / "imagenet_val100_224_rgb_u8.bin");
    check_accuracy(mobilenet_v2, images);
    check_accuracy(mobilenet_v1, images);
    check_accuracy(squeezenet, images);
}
