// Parameters, multiply-accumulates, shapes and names of the networks against what is published of them.
#include <dlas/datasets/problems.hpp>
#include <dlas/models/densenet.hpp>
#include <dlas/models/ds_cnn.hpp>
#include <dlas/models/efficientnet.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/models/squeezenet.hpp>
#include <dlas/models/vgg.hpp>
#include <dlas/systems/reference_network.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

namespace {

template <class Model>
constexpr std::int64_t parameters_of = dlas::parameters(dlas::graph_of<Model>);
template <class Model>
constexpr std::int64_t macs_of = dlas::macs(dlas::graph_of<Model>);

// He et al. (2016), table 6: 0.27 M, 0.46 M, 0.66 M, 0.85 M.
static_assert(parameters_of<dlas::resnet20<dlas::cifar10>> == 269722);
static_assert(parameters_of<dlas::resnet32<dlas::cifar10>> == 464154);
static_assert(parameters_of<dlas::resnet44<dlas::cifar10>> == 658586);
static_assert(parameters_of<dlas::resnet56<dlas::cifar10>> == 853018);
static_assert(macs_of<dlas::resnet20<dlas::cifar10>> == 40551040);
// torchvision's documentation.
static_assert(parameters_of<dlas::resnet18<dlas::imagenet>> == 11689512);
static_assert(parameters_of<dlas::resnet34<dlas::imagenet>> == 21797672);
static_assert(parameters_of<dlas::resnet50<dlas::imagenet>> == 25557032);
static_assert(parameters_of<dlas::vgg16<dlas::imagenet>> == 138357544);
static_assert(parameters_of<dlas::mobilenet_v2<dlas::imagenet>> == 3504872);
static_assert(parameters_of<dlas::squeezenet1_1<dlas::imagenet>> == 1235496);
static_assert(parameters_of<dlas::efficientnet_b0<dlas::imagenet>> == 5288548);
static_assert(parameters_of<dlas::densenet161<dlas::imagenet>> == 28681000);
static_assert(macs_of<dlas::efficientnet_b0<dlas::imagenet>> == 385814752);
static_assert(macs_of<dlas::densenet161<dlas::imagenet>> == 7727907072);
static_assert(macs_of<dlas::resnet18<dlas::imagenet>> == 1814073344);
static_assert(macs_of<dlas::resnet34<dlas::imagenet>> == 3663761408);
static_assert(macs_of<dlas::resnet50<dlas::imagenet>> == 4089184256);
static_assert(macs_of<dlas::vgg16<dlas::imagenet>> == 15470264320);
static_assert(macs_of<dlas::mobilenet_v2<dlas::imagenet>> == 300774272);
static_assert(macs_of<dlas::squeezenet1_1<dlas::imagenet>> == 349151936);
// Keras: 4,253,864 parameters, 21,888 of them running statistics. Howard et al. (2017): 569 million.
static_assert(parameters_of<dlas::mobilenet_v1<dlas::imagenet>> == 4253864 - 21888);
static_assert(macs_of<dlas::mobilenet_v1<dlas::imagenet>> == 568740352);
// MLPerf Tiny's image classification: 78,666 parameters, of them 480 running statistics.
static_assert(parameters_of<dlas::resnet8<dlas::cifar10>> == 78666 - 480);
static_assert(macs_of<dlas::resnet8<dlas::cifar10>> == 12501632);
// Its keyword spotting: 24,908 parameters, 1,152 of them running statistics. Its visual wake words: 7.49 M multiply-accumulates.
static_assert(parameters_of<dlas::ds_cnn<dlas::speech_commands>> == 24908 - 1152);
static_assert(macs_of<dlas::ds_cnn<dlas::speech_commands>> == 2656768);
static_assert(macs_of<dlas::mobilenet_v1_quarter<dlas::visual_wake_words>> == 7489664);
// Folding takes two parameters of each channel away and adds one bias.

/// The operation with the given parameters, checked by the compiler to exist.
template <class Model>
consteval dlas::node node_of(std::string_view name) {
    for (const dlas::node& n : dlas::graph_of<Model>.nodes)
        if (dlas::graph_of<Model>.name(n) == name) return n;
    throw "no such layer";
}
template <class Model>
consteval dlas::shape in(std::string_view layer) {
    return dlas::graph_of<Model>.nodes[node_of<Model>(layer).inputs[0]].out;
}
template <class Model>
consteval dlas::shape out(std::string_view layer) {
    return node_of<Model>(layer).out;
}
using dlas::shape;

using resnet50 = dlas::resnet50<dlas::imagenet>;
static_assert(out<resnet50>("conv1") == shape{112, 112, 64} && in<resnet50>("layer1.0.conv1") == shape{56, 56, 64});
static_assert(out<resnet50>("layer1.2.conv3") == shape{56, 56, 256} && out<resnet50>("layer2.0.conv1") == shape{56, 56, 128});
static_assert(out<resnet50>("layer2.0.conv2") == shape{28, 28, 128} && out<resnet50>("layer3.0.downsample.0") == shape{14, 14, 1024});
static_assert(out<resnet50>("layer4.2.conv3") == shape{7, 7, 2048} && in<resnet50>("fc") == shape{1, 1, 2048} && out<resnet50>("fc") == shape{1, 1, 1000});
static_assert(out<dlas::resnet18<dlas::cifar10>>("conv1") == shape{32, 32, 64} && out<dlas::resnet18<dlas::cifar10>>("layer4.1.conv2") == shape{4, 4, 512});
static_assert(out<dlas::resnet20<dlas::cifar10>>("layer3.0.conv1") == shape{8, 8, 64});

using squeezenet = dlas::squeezenet1_1<dlas::imagenet>;
static_assert(out<squeezenet>("features.0") == shape{111, 111, 64} && in<squeezenet>("features.3.squeeze") == shape{55, 55, 64});
static_assert(in<squeezenet>("features.4.squeeze") == shape{55, 55, 128} && in<squeezenet>("features.6.squeeze") == shape{27, 27, 128});
static_assert(in<squeezenet>("features.9.squeeze") == shape{13, 13, 256} && in<squeezenet>("classifier.1") == shape{13, 13, 512});

using vgg16 = dlas::vgg16<dlas::imagenet>;
static_assert(in<vgg16>("features.28") == shape{14, 14, 512} && in<vgg16>("classifier.0") == shape{7, 7, 512});
static_assert(in<dlas::vgg16<dlas::cifar10>>("classifier") == shape{1, 1, 512});

using mobilenet_v1 = dlas::mobilenet_v1<dlas::imagenet>;
static_assert(out<mobilenet_v1>("conv1") == shape{112, 112, 32} && node_of<mobilenet_v1>("conv1").conv.padding == dlas::border{0, 1, 0, 1});
static_assert(out<mobilenet_v1>("conv_dw_12") == shape{7, 7, 512} && out<mobilenet_v1>("conv_pw_13") == shape{7, 7, 1024});
static_assert(out<dlas::mobilenet_v1_quarter<dlas::imagenet>>("conv_pw_13") == shape{7, 7, 256});

using mobilenet_v2 = dlas::mobilenet_v2<dlas::imagenet>;
static_assert(out<mobilenet_v2>("features.0.0") == shape{112, 112, 32} && out<mobilenet_v2>("features.2.conv.1.0") == shape{56, 56, 96});
static_assert(out<mobilenet_v2>("features.17.conv.2") == shape{7, 7, 320} && out<mobilenet_v2>("features.18.0") == shape{7, 7, 1280});
static_assert(out<dlas::mobilenet_v2<dlas::cifar10>>("features.18.0") == shape{4, 4, 1280});

using efficientnet_b0 = dlas::efficientnet_b0<dlas::imagenet>;
static_assert(out<efficientnet_b0>("features.0.0") == shape{112, 112, 32} && out<efficientnet_b0>("features.1.0.block.1.fc1") == shape{1, 1, 8});
static_assert(out<efficientnet_b0>("features.2.0.block.0.0") == shape{112, 112, 96} && out<efficientnet_b0>("features.2.0.block.1.0") == shape{56, 56, 96});
static_assert(out<efficientnet_b0>("features.3.1.block.2.fc1") == shape{1, 1, 10} && out<efficientnet_b0>("features.5.0.block.1.0") == shape{14, 14, 480});
static_assert(out<efficientnet_b0>("features.6.3.block.3.0") == shape{7, 7, 192} && out<efficientnet_b0>("features.8.0") == shape{7, 7, 1280});
static_assert(out<dlas::efficientnet_b0<dlas::cifar10>>("features.8.0") == shape{2, 2, 1280});

using densenet161 = dlas::densenet161<dlas::imagenet>;
static_assert(out<densenet161>("features.conv0") == shape{112, 112, 96});
static_assert(out<densenet161>("features.denseblock1.denselayer1.conv1") == shape{56, 56, 192});
static_assert(out<densenet161>("features.transition1.norm") == shape{56, 56, 384});
static_assert(in<densenet161>("features.denseblock2.denselayer1.norm1") == shape{28, 28, 192});
static_assert(in<densenet161>("features.denseblock3.denselayer36.norm1") == shape{14, 14, 384 + 35 * 48});
static_assert(out<densenet161>("features.transition3.conv") == shape{14, 14, 1056} && out<densenet161>("features.norm5") == shape{7, 7, 2208});
static_assert(out<dlas::densenet161<dlas::cifar10>>("features.norm5") == shape{4, 4, 2208});

// Shape inference of single operations.
constexpr shape convolved(dlas::conv2d_layer layer) { return layer.out(); }
static_assert(convolved({.in = {7, 9, 3}, .channels = 5, .kernel = 3, .padding = 1}) == shape{7, 9, 5});
static_assert(convolved({.in = {7, 9, 3}, .channels = 5, .kernel = 3, .stride = 2, .padding = 1}) == shape{4, 5, 5});
static_assert(convolved({.in = {7, 9, 3}, .channels = 5, .kernel = 3, .dilation = 3}) == shape{1, 3, 5});
static_assert(convolved({.in = {7, 9, 3}, .channels = 5, .kernel = {2, 5}, .stride = {3, 1}, .padding = {1, 0, 2, 1}}) == shape{3, 8, 5});
static_assert(dlas::same_padding({32, 32, 3}, 3, 1) == dlas::border(1));
static_assert(dlas::same_padding({32, 32, 3}, 3, 2) == dlas::border(0, 1, 0, 1));
static_assert(dlas::same_padding({33, 32, 3}, 3, 2) == dlas::border(1, 1, 0, 1));
static_assert(dlas::same_padding({32, 32, 3}, 1, 2) == dlas::border(0));
static_assert(dlas::same_padding({49, 10, 1}, {10, 4}, 2) == dlas::border(4, 5, 1, 1));

/// Every tensor of the file is one of the network's, with its shape, and the other way round.
template <class Model>
void check_names(const char* file_name, std::int64_t parameters = parameters_of<Model>) {
    const char* folder = std::getenv("DLAS_DATA");
    if (folder == nullptr || !std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: DLAS_DATA is not the folder of the trained weights");
        return;
    }
    const dlas::safetensors file = dlas::safetensors::read(std::filesystem::path(folder) / "weights" / file_name);
    dlas::graph_view graph = dlas::graph_of<Model>;
    const std::vector<dlas::node> operations = dlas::operations_for(graph, file);
    graph.nodes = operations;
    const std::vector<dlas::stored_tensor> wanted = dlas::stored_tensors(graph);
    CHECK(file.tensors().size() == wanted.size());
    std::int64_t trained = 0;
    for (const dlas::stored_tensor& tensor : wanted) {
        CAPTURE(tensor.name);
        const auto* found = file.find(tensor.name);
        REQUIRE(found != nullptr);
        CHECK(found->shape == tensor.shape);
        CHECK(found->dtype == "F32");
        if (!tensor.name.ends_with(".running_mean") && !tensor.name.ends_with(".running_var")) trained += tensor.elements();
    }
    CHECK(trained == parameters);
}

}  // namespace

TEST_CASE("names and shapes of the parameters are those of the trained networks") {
    check_names<dlas::resnet20<dlas::cifar10>>("cifar10_resnet20.safetensors");
    check_names<dlas::resnet8<dlas::cifar10>>("cifar10_resnet8_mlperftiny.safetensors");
    // Its normalizations are folded: of the two parameters of each channel one bias is left.
    check_names<dlas::mobilenet_v2<dlas::imagenet>>("imagenet_mobilenetv2_1.0.safetensors", 3504872 - 34112 / 2);
    check_names<dlas::mobilenet_v1_quarter<dlas::imagenet>>("imagenet_mobilenetv1_0.25.safetensors");
    check_names<dlas::ds_cnn<dlas::speech_commands>>("kws_dscnn.safetensors");
    check_names<dlas::squeezenet1_1<dlas::imagenet>>("imagenet_squeezenet1.1.safetensors");
}

TEST_CASE("the counts are those of the tensors") {
    auto check = [](dlas::graph_view graph, std::int64_t parameters) {
        std::int64_t stored = 0;
        for (const dlas::stored_tensor& tensor : dlas::stored_tensors(graph))
            if (!tensor.name.ends_with(".running_mean") && !tensor.name.ends_with(".running_var")) stored += tensor.elements();
        CHECK(stored == parameters);
    };
    check(dlas::graph_of<resnet50>, parameters_of<resnet50>);
    check(dlas::graph_of<vgg16>, parameters_of<vgg16>);
    check(dlas::graph_of<mobilenet_v1>, parameters_of<mobilenet_v1>);
    check(dlas::graph_of<mobilenet_v2>, parameters_of<mobilenet_v2>);
    check(dlas::graph_of<efficientnet_b0>, parameters_of<efficientnet_b0>);
    check(dlas::graph_of<densenet161>, parameters_of<densenet161>);
}

TEST_CASE("weights from a seed") {
    constexpr const auto& graph = dlas::graph_of<dlas::resnet8<dlas::cifar10>>;
    const dlas::safetensors a = dlas::seeded_weights(graph, 1), same = dlas::seeded_weights(graph, 1), other = dlas::seeded_weights(graph, 2);
    CHECK(a.tensors().size() == dlas::stored_tensors(graph).size());
    auto bytes = [](const dlas::safetensors& file) { return file.find("conv2d_3.weight")->bytes; };
    CHECK(std::ranges::equal(bytes(a), bytes(same)));
    CHECK(!std::ranges::equal(bytes(a), bytes(other)));
    for (const auto& tensor : a.tensors())
        if (tensor.name.ends_with(".running_var")) CHECK(std::ranges::min(tensor.f32()) > 0);
}
