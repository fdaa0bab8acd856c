// A TensorFlow Lite model without the channels that make no difference to it, for a program that is compiled for what is left.
//   narrow MODEL WEIGHTS.tflite OUTPUT_WEIGHTS.safetensors OUTPUT_HEADER.hpp
// The header states the channels of each convolution, as dlas::narrowed<Model, kept> has them (dlas/models/narrowed.hpp); the weights are
// those of that model under stacks of dlas::int8_tflite. `narrow` alone lists its models.
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include <dlas/models/ds_cnn.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/optimizations/dead_channels.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/tflite.hpp>

namespace {

template <dlas::model Model>
constexpr const dlas::executable* code_of = &dlas::network<Model, dlas::stack<dlas::int8_tflite, dlas::scalar>>::code;

constexpr const dlas::executable* networks[] = {code_of<dlas::ds_cnn<dlas::speech_commands>>, code_of<dlas::resnet8<dlas::cifar10>>,
                                                code_of<dlas::mobilenet_v1_quarter<dlas::visual_wake_words>>};

const dlas::executable& find(const std::string& model) {
    for (const dlas::executable* code : networks)
        if (code->model == model) return *code;
    throw dlas::error("unknown model '" + model + "'; narrow without arguments lists them");
}

std::size_t weights_in(const dlas::safetensors& file) {
    std::size_t bytes = 0;
    for (const dlas::safetensors::tensor& t : file.tensors()) bytes += t.dtype == "I8" ? t.bytes.size() : 0;
    return bytes;
}

int narrow(const std::vector<std::string>& arguments) {
    if (arguments.size() != 4) throw dlas::error("usage: narrow MODEL WEIGHTS.tflite OUTPUT_WEIGHTS.safetensors OUTPUT_HEADER.hpp");
    const dlas::executable& code = find(arguments[0]);
    const dlas::safetensors whole = dlas::import_tflite(code, dlas::tflite_file::read(arguments[1]));
    const dlas::narrow_network rest = dlas::remove_dead_channels(code, whole);
    dlas::write_safetensors(arguments[2], rest.weights.metadata(), rest.weights.tensors());
    const std::string header = dlas::kept_header(rest);
    dlas::write_file(arguments[3], std::as_bytes(std::span(header)));

    int channels = 0, kept = 0;
    for (const dlas::kept_layer& layer : rest.layers) {
        channels += layer.channels;
        kept += static_cast<int>(layer.kept.size());
    }
    std::printf("%s: %d of %d channels are left, %zu of %zu weights\n", arguments[0].c_str(), kept, channels, weights_in(rest.weights),
                weights_in(whole));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc == 1) {
            std::printf("usage: narrow MODEL WEIGHTS.tflite OUTPUT_WEIGHTS.safetensors OUTPUT_HEADER.hpp\n");
            for (const dlas::executable* code : networks) std::printf("  %s\n", std::string(code->model).c_str());
            return 1;
        }
        return narrow({argv + 1, argv + argc});
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "narrow: %s\n", failure.what());
        return 1;
    }
}
