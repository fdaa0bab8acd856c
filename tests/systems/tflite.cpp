// TensorFlow Lite models: what a file says, what is refused by which message, and networks of imported weights against the integer
// arithmetic that TensorFlow Lite defines.
#include <dlas/systems/tflite.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include <dlas/datasets/accuracy.hpp>
#include <dlas/datasets/cifar10_file.hpp>
#include <dlas/datasets/imagenet_file.hpp>
#include <dlas/datasets/speech_commands_file.hpp>
#include <dlas/models/ds_cnn.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/systems/network.hpp>

#include "compiled_networks.hpp"
#include "tflite_files.hpp"
#include "tflite_reference.hpp"

namespace {

using integers = dlas::stack<dlas::int8, dlas::scalar>;
using ds_cnn = dlas::ds_cnn<dlas::speech_commands>;
using resnet8 = dlas::resnet8<dlas::cifar10>;
using wake_words = dlas::mobilenet_v1_quarter<dlas::visual_wake_words>;
template <class Model>
const dlas::executable& code_of = dlas::network<Model, integers>::code;

/// The network that small_file() is of.
struct small {
    static constexpr std::string_view name = "small";
    static constexpr dlas::shape input = {5, 6, 2};
    static constexpr dlas::tensor forward(dlas::tensor x) {
        x = relu(conv2d(x, {.channels = 4, .kernel = 3, .stride = 2, .padding = same_padding(x.shape(), 3, 2)}, "first"));
        dlas::tensor y = relu6(depthwise_conv2d(x, {.kernel = {3, 1}, .padding = {1, 1, 0, 0}}, "depthwise"));
        x = relu(conv2d(y, {.channels = 4}, "last") + x);
        return linear(global_average_pool(x), 3, "fc");
    }
};

/// What `call` throws; empty where it does not.
template <class Call>
std::string complaint(Call call) {
    try {
        call();
        return "";
    } catch (const dlas::error& error) { return error.what(); }
}

void check_message(const std::string& message, std::initializer_list<std::string> parts) {
    CAPTURE(message);
    for (const std::string& part : parts) {
        CAPTURE(part);
        CHECK(message.find(part) != std::string::npos);
    }
}

/// The data's folder; empty, with a message, where there is none.
std::filesystem::path data() {
    const char* folder = std::getenv("DLAS_DATA");
    if (folder == nullptr || !std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: DLAS_DATA is not the folder of the trained weights");
        return {};
    }
    return folder;
}
dlas::tflite_file model_file(const char* name) { return dlas::tflite_file::read(data() / "weights" / name); }

/// A file changed by `change`, read and imported: what is wrong with it.
template <class Change>
std::string read_complaint(Change change) {
    made_file file = small_file();
    change(file);
    return complaint([&] { dlas::tflite_file::parse(file.bytes(), "made.tflite"); });
}
template <class Change>
std::string import_complaint(Change change) {
    made_file file = small_file();
    change(file);
    return complaint([&] { dlas::import_tflite(code_of<small>, dlas::tflite_file::parse(file.bytes(), "made.tflite")); });
}

template <class Element>
std::vector<Element> elements_of(const dlas::safetensors& file, const char* name) {
    const auto* tensor = file.find(name);
    REQUIRE(tensor != nullptr);
    std::vector<Element> elements(tensor->bytes.size() / sizeof(Element));
    std::memcpy(elements.data(), tensor->bytes.data(), tensor->bytes.size());
    return elements;
}

/// The file without what a convolution makes before its residual is added, which today's kernels do not round to.
dlas::safetensors without_sums(const dlas::safetensors& file) {
    std::vector<dlas::safetensors::tensor> tensors(file.tensors().begin(), file.tensors().end());
    std::erase_if(tensors, [](const auto& t) { return t.name.ends_with(".sum.scale") || t.name.ends_with(".sum.zero"); });
    return dlas::safetensors::parse(dlas::safetensors::serialize(file.metadata(), tensors), file.origin());
}

int argmax(std::span<const std::int8_t> values) { return static_cast<int>(std::ranges::max_element(values) - values.begin()); }

/// How a network of imported weights and the reference arithmetic answer to the same images.
struct comparison {
    tflite_reference::rounding rule = tflite_reference::rounding::twice;
    int correct = 0;  ///< by the reference, where the classes are known
    int total = 0;
    int compared = 0;
    int agreeing = 0;     ///< top-1 of those compared
    int identical = 0;    ///< all logits of those compared, rounded to the file's integers
    double farthest = 0;  ///< a logit, in units of the file's
};

/// `image(i)` gives the file's input integers, `label(i)` the class, or -1. The first `compared` run through the network too.
template <class Image, class Label>
comparison compare(const dlas::executable& code, const dlas::tflite_file& file, int images, int compared, Image image, Label label,
                   tflite_reference::rounding rule = tflite_reference::rounding::twice) {
    tflite_reference::interpreter reference(file, rule);
    dlas::host_network network(code, without_sums(dlas::import_tflite(code, file)));
    const dlas::tflite_tensor &in = file.tensor(file.input), &out = file.tensor(reference.logits());
    std::vector<float> input(static_cast<std::size_t>(in.elements()));
    comparison result{.rule = rule};
    for (int i = 0; i < images; ++i) {
        const std::vector<std::int8_t> stored = image(i);
        const auto expected = reference.run(stored);
        result.correct += argmax(expected) == label(i);
        ++result.total;
        if (i >= compared) continue;
        for (std::size_t k = 0; k < stored.size(); ++k) input[k] = static_cast<float>(stored[k] - in.zeros[0]) * in.scales[0];
        fill_with_garbage(network);
        const auto logits = network(input);
        bool identical = true;
        for (std::size_t k = 0; k < logits.size(); ++k) {
            const double units = std::clamp(double{logits[k]} / double{out.scales[0]} + static_cast<double>(out.zeros[0]), -128.0, 127.0);
            result.farthest = std::max(result.farthest, std::abs(units - expected[k]));
            identical = identical && std::lround(units) == expected[k];
        }
        ++result.compared;
        result.identical += identical;
        result.agreeing += dlas::argmax(logits) == argmax(expected);
    }
    return result;
}

void report(const dlas::executable& code, const comparison& c) {
    const std::string rule = c.rule == tflite_reference::rounding::twice ? "rounding twice" : "rounding once, in floats";
    if (c.correct > 0) MESSAGE(label_of(code), ": the reference, ", rule, ", has ", c.correct, " of ", c.total, " right");
    MESSAGE(label_of(code), ": of ", c.compared, " the network answers ", c.agreeing, " as the reference, ", rule, ", ", c.identical,
            " with the same logits, the farthest off by ", c.farthest, " units");
}

std::vector<std::int8_t> as_integers(std::span<const std::uint8_t> pixels) {
    std::vector<std::int8_t> stored(pixels.size());
    std::ranges::transform(pixels, stored.begin(), [](std::uint8_t pixel) { return static_cast<std::int8_t>(pixel - 128); });
    return stored;
}

/// The middle 192x192 pixels of an image of 224x224, each 2x2 of them averaged.
std::vector<std::int8_t> shrunk(std::span<const std::uint8_t> pixels) {
    std::vector<std::int8_t> small_image;
    for (int row = 0; row < 96; ++row)
        for (int column = 0; column < 96; ++column)
            for (int channel = 0; channel < 3; ++channel) {
                int sum = 0;
                for (int i = 0; i < 4; ++i)
                    sum += pixels[static_cast<std::size_t>(((16 + 2 * row + i / 2) * 224 + 16 + 2 * column + i % 2) * 3 + channel)];
                small_image.push_back(static_cast<std::int8_t>(sum / 4 - 128));
            }
    return small_image;
}

/// Whatever the bytes are, they are taken or refused with a dlas::error; returns whether they were taken.
template <class Model>
bool survives(std::vector<std::byte> bytes) {
    try {
        const dlas::tflite_file file = dlas::tflite_file::parse(std::move(bytes), "hostile.tflite");
        dlas::import_tflite(code_of<Model>, file);
        return true;
    } catch (const dlas::error&) { return false; }
}

template <class Model>
void check_hostile(const std::vector<std::byte>& bytes, int flips) {
    REQUIRE(survives<Model>(bytes));
    // What ends the file may be a buffer's padding, so that a few bytes are not missed.
    int taken = 0;
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 400);
    for (std::size_t length = 0; length + 64 < bytes.size(); length += step)
        taken += survives<Model>({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)});
    CHECK(taken == 0);
    std::mt19937 random(1);
    taken = 0;
    for (int i = 0; i < flips; ++i) {
        std::vector<std::byte> changed = bytes;
        for (int k = 0; k < 1 + i % 3; ++k) changed[random() % changed.size()] ^= static_cast<std::byte>(1u << random() % 8);
        taken += survives<Model>(std::move(changed));
    }
    // Whole words that lead far away.
    for (int i = 0; i < flips; ++i) {
        std::vector<std::byte> changed = bytes;
        constexpr std::uint32_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x00010000, 0xfffffff0};
        std::memcpy(changed.data() + random() % (changed.size() / 4) * 4, &words[random() % std::size(words)], 4);
        taken += survives<Model>(std::move(changed));
    }
    MESSAGE(std::string(Model::name), ": ", bytes.size(), " bytes; of ", 2 * flips, " damaged files ", taken, " are files still");
}

}  // namespace

TEST_CASE("reference: fixed-point products") {
    using namespace tflite_reference;
    constexpr std::int32_t lowest = std::numeric_limits<std::int32_t>::min(), largest = std::numeric_limits<std::int32_t>::max();
    CHECK(doubling_high_product(lowest, lowest) == largest);
    CHECK(doubling_high_product(1 << 30, 1 << 30) == 1 << 29);
    CHECK(doubling_high_product(1, 1 << 30) == 1);    // 0.5 goes up
    CHECK(doubling_high_product(-1, 1 << 30) == 0);   // and so does -0.5
    CHECK(doubling_high_product(-3, 1 << 30) == -1);  // -1.5
    CHECK(divided_by_power_of_two(5, 1) == 3);
    CHECK(divided_by_power_of_two(-5, 1) == -3);
    CHECK(divided_by_power_of_two(-5, 0) == -5);
    CHECK(divided_by_power_of_two(lowest, 31) == -1);
    CHECK(divided_by_power_of_two(largest, 31) == 1);
    const multiplier half(0.5), three(3.0), tiny(1e-12);
    CHECK(half.mantissa == 1 << 30);
    CHECK(half.shift == 0);
    CHECK(three(7) == 21);
    CHECK(tiny(largest) == 0);
    // Rounded twice: a quarter of 1 is first a half of 1, which goes up, and then half of that, which goes away from zero.
    CHECK(multiplier(0.25)(1) == 1);
    CHECK(multiplier(0.25)(-1) == 0);
}

TEST_CASE("tflite_file: a file's tensors and operators") {
    const dlas::tflite_file file = dlas::tflite_file::parse(small_file().bytes(), "made.tflite");
    REQUIRE(file.operators.size() == 8);
    const dlas::tflite_operator& first = file.operators[0];
    CHECK(first.kind == dlas::tflite_kind::conv_2d);
    CHECK(first.window == dlas::extent(3));
    CHECK(first.stride == dlas::extent(2));
    CHECK(first.same_padding);
    CHECK(first.activation == dlas::activation::relu);
    const dlas::tflite_tensor& filter = file.tensor(first.inputs[1]);
    CHECK(filter.name == "first/filter");
    CHECK(filter.shape == std::vector<int>{4, 3, 3, 2});
    CHECK(filter.scales.size() == 4);
    CHECK(filter.int8s().size() == 72);
    CHECK(file.operators[1].window == dlas::extent(3, 1));
    CHECK(file.operators[1].activation == dlas::activation::relu6);
    CHECK(file.operators[4].window == dlas::extent(3));
    CHECK(file.operators.back().kind == dlas::tflite_kind::softmax);
    CHECK(file.tensor(file.input).map() == small::input);

    // A copy keeps the bytes alive; the old field of an operator's number is read where the new one is missing.
    const dlas::tflite_file copy = [] {
        made_file old = small_file();
        for (made_code& code : old.codes) code = {static_cast<std::int8_t>(code.builtin), 0, {}};
        const dlas::tflite_file original = dlas::tflite_file::parse(old.bytes(), "old.tflite");
        return original;
    }();
    CHECK(std::ranges::equal(copy.tensor(first.inputs[1]).int8s(), filter.int8s()));
}

TEST_CASE("tflite_file: what is malformed is named") {
    CHECK(read_complaint([](made_file&) {}) == "");
    check_message(complaint([] { dlas::tflite_file::read("no such file.tflite"); }), {"no such file.tflite: no such file"});
    check_message(complaint([] { dlas::tflite_file::parse({}, "made.tflite"); }), {"made.tflite: is 0 bytes long, too short"});
    check_message(complaint([] { dlas::tflite_file::parse(std::vector<std::byte>(100), "made.tflite"); }),
                  {"made.tflite: is not a TensorFlow Lite model"});
    check_message(complaint([] {
                      auto bytes = small_file().bytes();
                      bytes.resize(bytes.size() / 2);
                      dlas::tflite_file::parse(bytes, "made.tflite");
                  }),
                  {"made.tflite: is truncated or damaged"});
    check_message(read_complaint([](made_file& f) { f.version = 2; }), {"has version 2 of the schema, not 3"});
    check_message(read_complaint([](made_file& f) { f.subgraphs = 2; }), {"has 2 subgraphs, not one"});
    check_message(read_complaint([](made_file& f) { f.subgraphs = 0; }), {"has 0 subgraphs, not one"});
    check_message(read_complaint([](made_file& f) { f.inputs = {}; }), {"has 0 inputs, not one"});
    check_message(read_complaint([](made_file& f) { f.outputs = {77}; }), {"output is tensor 77 of "});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").shape[0] = -4; }), {"'first/filter' has a dimension of -4"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").shape = {1 << 20, 1 << 20, 1 << 20, 1 << 20}; }),
                  {"'first/filter' has too many elements"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").shape = {4, 3, 3, 3}; }),
                  {"has a buffer of 72 bytes, its shape needs 108"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").buffer = 1000; }), {"'first/filter' is in buffer 1000 of "});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").buffer = 0; }), {"'first/filter' is read before it is computed"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").scales[2] = 0; }), {"'first/filter' has a scale of 0"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").scales[2] = NAN; }), {"a scale is above 0"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").zeros.pop_back(); }), {"has 4 scales and 3 zero points"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").dimension = 9; }), {"is quantized along dimension 9 of 4"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").dimension = 1; }), {"has 4 scales along a dimension of 3"});
    check_message(read_complaint([](made_file& f) { f.tensor("first/filter").zeros[1] = 3; }),
                  {"operator 0 (CONV_2D)", "has the zero point 3; weights have 0"});
    check_message(read_complaint([](made_file& f) {
                      f.tensor("first/filter").scales.clear();
                      f.tensor("first/filter").zeros.clear();
                  }),
                  {"'first/filter' has no scale"});
    check_message(read_complaint([](made_file& f) {
                      f.tensor("first").scales.clear();
                      f.tensor("first").zeros.clear();
                  }),
                  {"operator 0 (CONV_2D)", "'first' has 0 scales, not one"});
    check_message(read_complaint([](made_file& f) { f.tensor("first").zeros[0] = 128; }), {"'first' has the zero point 128"});
    check_message(read_complaint([](made_file& f) { f.tensor("first").type = made_tensor::f32; }), {"'first' is not of 8-bit integers"});
    check_message(read_complaint([](made_file& f) { f.tensor("first").shape[0] = 2; }), {"'first' has the shape [2, 3, 3, 4], not a batch of 1"});
    check_message(read_complaint([](made_file& f) { f.tensor("first").shape[1] = 4; }), {"'first' has the shape [1, 4, 3, 4], not [1, 3, 3, 4]"});
    check_message(read_complaint([](made_file& f) { f.operators[0].code = 100; }), {"operator 0: its code is number 100 of "});
    check_message(read_complaint([](made_file& f) { f.codes[0] = {17, 17, {}}; }), {"operator 0: is MAX_POOL_2D, which is not read"});
    check_message(read_complaint([](made_file& f) { f.codes[0] = {127, 130, {}}; }), {"operator 0: is number 130, which is not read"});
    check_message(read_complaint([](made_file& f) { f.codes[0] = {32, 32, "Detect"}; }), {"operator 0: is CUSTOM 'Detect', which is not read"});
    check_message(read_complaint([](made_file& f) { f.codes[0] = {-1, -1, {}}; }), {"operator 0: is number -1, which is not read"});
    check_message(read_complaint([](made_file& f) { f.operators[0].inputs[0] = -1; }), {"operator 0 (CONV_2D): input 0 is tensor -1 of "});
    check_message(read_complaint([](made_file& f) { f.operators[0].inputs.resize(1); }), {"operator 0 (CONV_2D): it has 1 inputs"});
    check_message(read_complaint([](made_file& f) { f.operators[0].outputs = {}; }), {"operator 0 (CONV_2D): it has 0 outputs, not one"});
    check_message(read_complaint([](made_file& f) { f.operators[0].outputs = f.inputs; }), {"is a constant or already computed"});
    check_message(read_complaint([](made_file& f) { f.operators[0].options = 0; }), {"operator 0 (CONV_2D): its options are missing"});
    check_message(read_complaint([](made_file& f) { f.operators[0].stride = {2, 0}; }), {"operator 0 (CONV_2D): its stride is 0"});
    check_message(read_complaint([](made_file& f) { f.operators[0].padding = 2; }), {"its padding is number 2"});
    check_message(read_complaint([](made_file& f) { f.operators[0].activation = 4; }), {"its activation is number 4"});
    check_message(read_complaint([](made_file& f) { f.operators[1].multiplier = 2; }), {"operator 1 (DEPTHWISE_CONV_2D)", "the depth multiplier 2"});
    check_message(read_complaint([](made_file& f) { std::swap(f.operators[0], f.operators[1]); }),
                  {"operator 0 (DEPTHWISE_CONV_2D)", "is read before it is computed"});
    check_message(read_complaint([](made_file& f) { f.operators.pop_back(); }), {"its output, ", "is never computed"});
}

TEST_CASE("import_tflite: weights in the library's order") {
    made_file made = small_file();
    const dlas::tflite_file file = dlas::tflite_file::parse(made.bytes(), "made.tflite");
    const dlas::safetensors weights = dlas::import_tflite(code_of<small>, file);
    CHECK(weights.tensors().size() == 2 + 4 * 3 + 2 + 1);
    // A fully connected layer of one scale has the product of both as a float.
    const auto fc = std::ranges::find(file.operators, dlas::tflite_kind::fully_connected, &dlas::tflite_operator::kind);
    const float product = file.tensor(fc->inputs[0]).scales[0] * file.tensor(fc->inputs[1]).scales[0];
    CHECK(elements_of<float>(weights, "fc.product")[0] == product);
    CHECK(weights.find("first.weight")->shape == std::vector<std::int64_t>{4, 2, 3, 3});
    CHECK(weights.find("depthwise.weight")->shape == std::vector<std::int64_t>{4, 1, 3, 1});
    CHECK(weights.find("fc.weight")->shape == std::vector<std::int64_t>{3, 4});
    // OHWI to OIHW, 1HWO to O1HW.
    const auto first = elements_of<std::int8_t>(weights, "first.weight"), depthwise = elements_of<std::int8_t>(weights, "depthwise.weight");
    const auto stored = file.tensor(file.operators[0].inputs[1]).int8s(), stored_depthwise = file.tensor(file.operators[1].inputs[1]).int8s();
    for (std::size_t o = 0; o < 4; ++o) {
        for (std::size_t i = 0; i < 2; ++i)
            for (std::size_t k = 0; k < 9; ++k) CHECK(first[(o * 2 + i) * 9 + k] == stored[(o * 9 + k) * 2 + i]);
        for (std::size_t k = 0; k < 3; ++k) CHECK(depthwise[o * 3 + k] == stored_depthwise[k * 4 + o]);
    }
    // One scale is every channel's; a missing bias is one of zeros.
    CHECK(elements_of<float>(weights, "last.scale") == std::vector<float>(4, made.tensor("last/filter").scales[0]));
    CHECK(elements_of<std::int32_t>(weights, "last.bias") == std::vector<std::int32_t>(4, 0));
    CHECK(elements_of<float>(weights, "last.sum.scale") == made.tensor("last").scales);
    CHECK(elements_of<std::int32_t>(weights, "last.sum.zero")[0] == made.tensor("last").zeros[0]);
    const auto scales = elements_of<float>(weights, "maps.scale");
    const auto zeros = elements_of<std::int32_t>(weights, "maps.zero");
    const auto& step = *std::ranges::find(code_of<small>.steps, "first", &dlas::executable_step::layer);
    CHECK(scales[static_cast<std::size_t>(step.output_map)] == made.tensor("first").scales[0]);
    CHECK(zeros[static_cast<std::size_t>(step.input_map)] == made.tensor("input").zeros[0]);

    // The same without a step that loads the image, which some plans do not have.
    dlas::executable without_load = code_of<small>;
    REQUIRE(without_load.steps.front().kind == dlas::step_kind::load_input);
    without_load.steps = without_load.steps.subspan(1);
    const dlas::safetensors same = dlas::import_tflite(without_load, file);
    REQUIRE(same.tensors().size() == weights.tensors().size());
    for (std::size_t i = 0; i < same.tensors().size(); ++i) CHECK(std::ranges::equal(same.tensors()[i].bytes, weights.tensors()[i].bytes));

    std::mt19937 random(7);
    const comparison c = compare(
        code_of<small>, file, 200, 200,
        [&](int) {
            std::vector<std::int8_t> image(60);
            for (std::int8_t& x : image) x = static_cast<std::int8_t>(random() & 255);
            return image;
        },
        [](int) { return -1; });
    report(code_of<small>, c);
    CHECK(c.farthest <= 2);
}

TEST_CASE("import_tflite: what differs is named") {
    CHECK(import_complaint([](made_file&) {}) == "");
    check_message(import_complaint([](made_file& f) {
                      f.operators[0].stride = 1;
                      for (const char* name : {"first", "depthwise", "last", "sum"}) f.tensor(name).shape = {1, 5, 6, 4};
                      f.operators[4].window = {5, 6};
                  }),
                  {"made.tflite: first: the model has a 3x3 window of stride 2, the file a 3x3 window of stride 1"});
    check_message(import_complaint([](made_file& f) {
                      f.operators[0].dilation = 2;
                      f.operators[0].stride = 2;
                  }),
                  {"first: the model has a dilation of 1, the file 2"});
    check_message(import_complaint([](made_file& f) {
                      f.operators[1].padding = 1;
                      for (const char* name : {"depthwise", "last", "sum", "first"}) f.tensor(name).shape = {1, 1, 3, 4};
                      f.tensor("first").shape = {1, 3, 3, 4};
                      f.operators[3].inputs = {f.index("last"), f.index("last")};
                      f.operators[4].window = {1, 3};
                  }),
                  {"depthwise: the model has the padding 1, 1, 0, 0 (top, bottom, left, right), the file 0, 0, 0, 0 (VALID)"});
    check_message(import_complaint([](made_file& f) { f.operators[0].activation = 0; }), {"first: the model has the activation relu, the file none"});
    check_message(import_complaint([](made_file& f) { f.operators[0].activation = 3; }),
                  {"first: the model has the activation relu, the file relu6 with values up to 10"});
    // Up to 5.1 it is all the same.
    CHECK(import_complaint([](made_file& f) { f.operators[1].activation = 1; }) == "");
    check_message(import_complaint([](made_file& f) { f.operators[2].activation = 1; }), {"last: the model has the activation none, the file relu"});
    check_message(import_complaint([](made_file& f) { f.operators[3].activation = 0; }), {"last: the model has the activation relu, the file none"});
    check_message(import_complaint([](made_file& f) { f.operators[3].inputs[1] = f.index("depthwise"); }),
                  {"last: the model adds a residual, but no ADD of the file reads"});
    check_message(import_complaint([](made_file& f) { f.tensor("first/bias").scales[1] *= 1.01f; }),
                  {"first: the bias of channel 1 has the scale ", ", input and filter have "});
    check_message(import_complaint([](made_file& f) { f.tensor("average").zeros[0] = 5; }),
                  {"the global average pool: ", "differ in scale or zero point"});
    check_message(import_complaint([](made_file& f) { f.tensor("flat").scales[0] *= 2; }), {"operator 5 (RESHAPE) changes scale or zero point"});
    check_message(import_complaint([](made_file& f) {
                      f.operators[4].window = {2, 3};
                      f.operators[4].stride = 3;
                  }),
                  {"the global average pool: the model averages the whole map of 3x3x4, the file windows of 2x3"});
    check_message(import_complaint([](made_file& f) { f.operators.insert(f.operators.begin() + 1, f.copied_operator(0, "again")); }),
                  {"first: operator 0 (CONV_2D) and operator 1 (CONV_2D) both fit"});
    check_message(import_complaint([](made_file& f) { f.operators.push_back(f.copied_operator(7, "again")); }),
                  {"operator 7 (SOFTMAX), which reads tensor ", " is not in the network 'small'"});
    check_message(complaint([] {
                      const auto file = dlas::tflite_file::parse(small_file().bytes(), "made.tflite");
                      dlas::import_tflite(dlas::network<small, dlas::stack<dlas::scalar>>::code, file);
                  }),
                  {"made.tflite: first: the plan 'f32/", "does not keep its weights in 8-bit integers"});
    check_message(complaint([] { dlas::import_tflite(code_of<resnet8>, dlas::tflite_file::parse(small_file().bytes(), "made.tflite")); }),
                  {"made.tflite: the input: the model has a feature map of 32x32x3, the file's tensor 0 'input' has 5x6x2"});
}

TEST_CASE("tflite_file: hostile files are refused") { check_hostile<small>(small_file().bytes(), sanitized ? 3000 : 20000); }
TEST_CASE("tflite_file: damaged real files are refused") {
    if (data().empty()) return;
    const int flips = sanitized ? 150 : 600;
    check_hostile<ds_cnn>(dlas::read_file(data() / "weights" / "kws_ref_model.tflite"), flips);
    check_hostile<resnet8>(dlas::read_file(data() / "weights" / "pretrainedResnet_quant.tflite"), flips);
    check_hostile<wake_words>(dlas::read_file(data() / "weights" / "vww_96_int8.tflite"), flips);
    check_message(complaint([] { dlas::import_tflite(code_of<resnet8>, model_file("kws_ref_model.tflite")); }),
                  {"kws_ref_model.tflite: the input: the model has"});
}

TEST_CASE("import_tflite: keyword spotting") {
    if (data().empty()) return;
    const dlas::labeled_images features = dlas::read_speech_commands(data() / "data" / "kws01_dev500.bin");
    const int count = sanitized ? 20 : features.count();
    const auto compared_by = [&](tflite_reference::rounding rule) {
        const comparison c = compare(
            code_of<ds_cnn>, model_file("kws_ref_model.tflite"), count, count, [&](int i) { return as_integers(features[i]); },
            [&](int i) { return features.labels[static_cast<std::size_t>(i)]; }, rule);
        report(code_of<ds_cnn>, c);
        return c;
    };
    const comparison c = compared_by(tflite_reference::rounding::twice);
    if (!sanitized) CHECK(c.correct == 448);
    CHECK(c.agreeing >= c.compared - c.compared / 50);
    // Rounded as the kernels round, all is the same.
    CHECK(compared_by(tflite_reference::rounding::once_in_floats).identical == count);
}

TEST_CASE("import_tflite: image classification") {
    if (data().empty()) return;
    const dlas::labeled_images images = dlas::read_cifar10(data() / "data" / "cifar10_test_dev1000.bin");
    const comparison c = compare(
        code_of<resnet8>, model_file("pretrainedResnet_quant.tflite"), sanitized ? 10 : images.count(), sanitized ? 10 : 200,
        [&](int i) { return as_integers(images[i]); }, [&](int i) { return images.labels[static_cast<std::size_t>(i)]; });
    report(code_of<resnet8>, c);
    if (!sanitized) CHECK(c.correct == 863);
    CHECK(c.agreeing >= c.compared - c.compared / 20);
}

TEST_CASE("import_tflite: visual wake words") {
    if (data().empty()) return;
    // Images of other things than persons and none, which is enough to compare two arithmetics.
    const dlas::labeled_images images = dlas::read_imagenet(data() / "data" / "imagenet_val100_224_rgb_u8.bin");
    const int count = sanitized ? 5 : images.count();
    const auto compared_by = [&](tflite_reference::rounding rule) {
        const comparison c = compare(
            code_of<wake_words>, model_file("vww_96_int8.tflite"), count, count, [&](int i) { return shrunk(images[i]); }, [](int) { return -1; },
            rule);
        report(code_of<wake_words>, c);
        return c;
    };
    CHECK(compared_by(tflite_reference::rounding::twice).agreeing >= count - 3);
    CHECK(compared_by(tflite_reference::rounding::once_in_floats).identical == count);
}
