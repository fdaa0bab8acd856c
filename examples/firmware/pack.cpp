// Packs a network's weights as a header for firmware.
//   pack NETWORK TARGET WEIGHTS [--images FILE] [--records FILE] HEADER
// WEIGHTS is an int8 .tflite file, or a .safetensors file: of integers, or of floats, which are quantized here. With --records, images with the
// logits that this program computes for them are written for the boards to check (classify.hpp); with --images they are of that file, else made up.
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <dlas/core/seeded_numbers.hpp>
#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/shapes10.hpp>
#include <dlas/datasets/speech_commands_file.hpp>
#include <dlas/systems/packed_header.hpp>
#include <dlas/systems/quantize.hpp>
#include <dlas/systems/tflite.hpp>

#include "networks.hpp"
#include "pack_networks.hpp"

namespace {

struct arguments {
    std::vector<std::string> positional;
    std::string images, records;
};

arguments parse(int count, char** values) {
    arguments a;
    for (int i = 1; i < count; ++i) {
        const std::string value = values[i];
        if (value == "--images" || value == "--records") {
            if (++i == count) throw dlas::error("pack: " + value + " needs a file");
            (value == "--images" ? a.images : a.records) = values[i];
        } else {
            a.positional.push_back(value);
        }
    }
    if (a.positional.size() != 4) throw dlas::error("usage: pack NETWORK TARGET WEIGHTS [--images FILE] [--records FILE] HEADER");
    return a;
}

template <class... Targets>
packable_network find(const std::string& name, const std::string& target, dlas::policy_list<Targets...>) {
    std::string known;
    packable_network found;
    auto look = [&]<class Target>() {
        if (target != Target::name) return;
        for (const packable_network& network : packable_networks<Target>()) {
            if (network.name == name) found = network;
            known += " " + std::string(network.name);
        }
    };
    (look.template operator()<Targets>(), ...);
    if (found.code != nullptr) return found;
    if (known.empty()) {
        ((known += " " + std::string(Targets::name)), ...);
        throw dlas::error("pack: '" + target + "' is none of the targets" + known);
    }
    throw dlas::error("pack: '" + name + "' is none of the networks" + known);
}

/// Images as the network takes them and their classes; -1 where they are made up.
struct examples {
    std::vector<std::vector<float>> images;
    std::vector<int> labels;
};

examples preprocessed(const dlas::labeled_images& set, const dlas::preprocessing& map, int first, int count) {
    examples result;
    for (int i = first; i < first + count && i < set.count(); ++i) {
        std::vector<float>& image = result.images.emplace_back(set[i].size());
        dlas::apply(map, set[i], image);
        result.labels.push_back(set.labels[static_cast<std::size_t>(i)]);
    }
    return result;
}

examples test_examples(const std::string& name, const dlas::executable& code, const std::string& file, int count) {
    if (name == "drawn_shapes") return preprocessed(dlas::make_shapes10(count, 2), dlas::resnet8_a<dlas::shapes10>::preprocessing, 0, count);
    if (!file.empty() && name == "image_classification")
        return preprocessed(dlas::read_cifar10(file), dlas::resnet8<dlas::cifar10>::preprocessing, 0, count);
    if (!file.empty() && name.starts_with("keyword_spotting"))
        return preprocessed(dlas::read_speech_commands(file), dlas::ds_cnn<dlas::speech_commands>::preprocessing, 0, count);
    examples result;
    for (int i = 0; i < count; ++i) {
        std::vector<float>& image = result.images.emplace_back(static_cast<std::size_t>(code.input.elements()));
        dlas::seeded_numbers noise(static_cast<std::uint64_t>(i));
        for (float& x : image) x = static_cast<float>(noise.between(0, 1));
        result.labels.push_back(-1);
    }
    return result;
}

/// Floats are quantized by images other than those that are tested, or, of a network whose data is one small set, by some of these.
dlas::safetensors integer_weights(const packable_network& network, const std::string& file, const std::string& images) {
    if (file.ends_with(".tflite")) return dlas::import_tflite(*network.code, dlas::tflite_file::read(file));
    if (network.floats == nullptr) return dlas::safetensors::read(file);
    const examples calibration = network.name == "drawn_shapes"
                                     ? preprocessed(dlas::make_shapes10(200, 1), dlas::resnet8_a<dlas::shapes10>::preprocessing, 0, 200)
                                     : test_examples(std::string(network.name), *network.code, images, 100);
    return dlas::quantize(*network.code, *network.floats, dlas::safetensors::read(file), static_cast<int>(calibration.images.size()),
                          [&](int i) -> std::span<const float> { return calibration.images[static_cast<std::size_t>(i)]; });
}

void run(const arguments& a) {
    const packable_network network = find(a.positional[0], a.positional[1], dlas::policy_list<DLAS_PACK_TARGETS>{});
    const dlas::executable& code = *network.code;
    const dlas::safetensors weights = integer_weights(network, a.positional[2], a.images);

    // Accuracy is counted by the integer code that the target will run.
    dlas::host_network host(code, weights);
    const dlas::quantization image_is = dlas::packing::map_quantization(weights, code.steps.front().input_map);
    const bool files = !a.images.empty() || a.positional[0] == "drawn_shapes";
    const examples tested = test_examples(a.positional[0], code, a.images, files ? 1000 : 10);
    constexpr std::size_t recorded = 10;
    std::ofstream records;
    if (!a.records.empty()) records.open(a.records, std::ios::binary);
    int right = 0, labeled = 0;
    for (std::size_t i = 0; i < tested.images.size(); ++i) {
        std::vector<std::int8_t> image;
        for (const float x : tested.images[i]) image.push_back(dlas::quantized_value(x, image_is));
        const std::span<const std::int8_t> logits = host(std::span<const std::int8_t>(image));
        labeled += tested.labels[i] >= 0;
        right += tested.labels[i] >= 0 && dlas::argmax(logits) == tested.labels[i];
        if (i >= recorded || a.records.empty()) continue;
        records.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
        records.write(reinterpret_cast<const char*>(logits.data()), static_cast<std::streamsize>(logits.size()));
        records.put(static_cast<char>(tested.labels[i] >= 0 ? tested.labels[i] : 255));
    }
    if (!a.records.empty() && !records.flush()) throw dlas::error("pack: " + a.records + " cannot be written");

    std::vector<std::string> remarks;
    if (labeled > 0) remarks.push_back("top-1  " + std::to_string(right) + " of " + std::to_string(labeled) + " test images");
    std::ofstream header(a.positional[3]);
    header << dlas::packed_header(code, weights, a.positional[0] + "_weights", remarks);
    if (!header.flush()) throw dlas::error("pack: " + a.positional[3] + " cannot be written");
    std::printf("%s on %s: %lld bytes of flash, %lld bytes of RAM", a.positional[0].c_str(), a.positional[1].c_str(),
                static_cast<long long>(code.weight_bytes), static_cast<long long>(code.arena_bytes));
    if (labeled > 0) std::printf(", top-1 %d of %d", right, labeled);
    std::printf("\n");
}

}  // namespace

int main(int count, char** values) {
    try {
        run(parse(count, values));
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
}
