// Weights by name: every tensor in its place, and errors that name the tensor which is not. What a compiled network refuses.
#include <doctest/doctest.h>

#include <cmath>

#include <dlas/systems/host_network.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/reference_network.hpp>

namespace {

struct small {
    static constexpr std::string_view name = "small";
    static constexpr dlas::shape input = {4, 5, 3};
    static constexpr dlas::tensor forward(dlas::tensor x) {
        x = relu(batch_norm(conv2d(x, {.channels = 4, .kernel = 3, .padding = 1, .bias = false}, "conv"), "norm"));
        x = batch_norm(max_pool2d(x, {}), "alone");
        return linear(x, 2, "fc");
    }
};
using compiled = dlas::network<small, dlas::stack<dlas::scalar>>;

/// The network's tensors, to be spoiled before they are written.
struct tensors {
    dlas::safetensors made = dlas::seeded_weights(dlas::graph_of<small>, 1);
    std::vector<dlas::safetensors::tensor> list{made.tensors().begin(), made.tensors().end()};

    dlas::safetensors::tensor& operator[](std::string_view name) { return *std::ranges::find(list, name, &dlas::safetensors::tensor::name); }
    void erase(std::string_view name) { std::erase_if(list, [name](const auto& tensor) { return tensor.name == name; }); }
    dlas::safetensors file() const { return dlas::safetensors::parse(dlas::safetensors::serialize({}, list), "spoiled.safetensors"); }

    /// What packing them says; empty where it takes them.
    std::string complaint() const {
        try {
            dlas::host_network network(compiled::code, file());
            return "";
        } catch (const dlas::error& error) {
            return error.what();
        }
    }
};

void check_message(const std::string& message, std::initializer_list<std::string_view> parts) {
    CAPTURE(message);
    for (const std::string_view part : parts) {
        CAPTURE(part);
        CHECK(message.find(part) != std::string::npos);
    }
}

}  // namespace

TEST_CASE("weights: what fits is taken, in any order, with the counters of PyTorch") {
    tensors given;
    CHECK(given.complaint() == "");
    std::ranges::reverse(given.list);
    CHECK(given.complaint() == "");
    const std::int64_t counter = 1;
    given.list.push_back({"norm.num_batches_tracked", "I64", {}, std::as_bytes(std::span(&counter, 1))});
    CHECK(given.complaint() == "");
}

TEST_CASE("weights: a missing tensor is named, with the shape it should have") {
    for (const char* name : {"conv.weight", "norm.weight", "norm.running_var", "alone.bias", "alone.running_mean", "fc.weight", "fc.bias"}) {
        tensors given;
        given.erase(name);
        check_message(given.complaint(), {"spoiled.safetensors", name, "missing"});
    }
    tensors given;
    given.erase("conv.weight");
    check_message(given.complaint(), {"[4, 3, 3, 3]"});
}

TEST_CASE("weights: a tensor that is not the network's is named") {
    tensors given;
    const float value = 1;
    given.list.push_back({"conv.bias", "F32", {1}, std::as_bytes(std::span(&value, 1))});
    check_message(given.complaint(), {"spoiled.safetensors", "conv.bias", "not a parameter"});
}

TEST_CASE("weights: a tensor of another shape is named, with both shapes") {
    tensors given;
    given["conv.weight"].shape = {3, 4, 3, 3};
    check_message(given.complaint(), {"spoiled.safetensors", "conv.weight", "[3, 4, 3, 3]", "[4, 3, 3, 3]"});

    // A linear layer's matrix is not a filter, though the elements are the same.
    tensors square;
    square["fc.weight"].shape = {2, 4, 2, 2};
    check_message(square.complaint(), {"fc.weight", "[2, 4, 2, 2]", "[2, 16]"});

    tensors scalar;
    scalar["norm.bias"].shape = {2, 2};
    check_message(scalar.complaint(), {"norm.bias", "[2, 2]", "[4]"});
}

TEST_CASE("weights: a tensor of another type is named") {
    for (const char* name : {"conv.weight", "norm.running_mean", "fc.bias"}) {
        tensors given;
        auto& tensor = given[name];
        tensor.dtype = "F16";
        tensor.bytes = tensor.bytes.first(tensor.bytes.size() / 2);
        check_message(given.complaint(), {"spoiled.safetensors", name, "F16", "F32"});
    }
}

TEST_CASE("weights: a file whose normalizations are folded already has biases in their place") {
    const dlas::safetensors whole = dlas::seeded_weights(dlas::graph_of<small>, 1);
    auto values = [&whole](const char* name) {
        const auto elements = whole.find(name)->f32();
        return std::vector<float>(elements.begin(), elements.end());
    };
    std::vector<float> filter = values("conv.weight"), bias(4, 0.0f);
    const auto weight = values("norm.weight"), shift = values("norm.bias"), mean = values("norm.running_mean"), variance = values("norm.running_var");
    for (std::size_t channel = 0; channel < 4; ++channel) {
        const float scale = weight[channel] / std::sqrt(variance[channel] + 1e-5f);
        for (std::size_t i = 0; i < 27; ++i) filter[channel * 27 + i] *= scale;
        bias[channel] = shift[channel] - mean[channel] * scale;
    }
    tensors folded;
    for (const char* parameter : {"norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"}) folded.erase(parameter);
    folded["conv.weight"].bytes = std::as_bytes(std::span(filter));
    folded.list.push_back({"conv.bias", "F32", {4}, std::as_bytes(std::span(bias))});

    std::vector<float> image(static_cast<std::size_t>(small::input.elements()));
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = std::sin(static_cast<float>(i));
    dlas::host_network expected(compiled::code, whole), network(compiled::code, folded.file());
    const auto wanted = expected(image), found = network(image);
    const std::vector<double> defined = dlas::reference_run(dlas::graph_of<small>, folded.file(), image);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        CHECK(found[i] == doctest::Approx(wanted[i]).epsilon(1e-5));
        CHECK(defined[i] == doctest::Approx(wanted[i]).epsilon(1e-5));
    }

    // Not both, and not half of one.
    tensors both = std::move(folded);
    both.list.push_back({"norm.weight", "F32", {4}, std::as_bytes(std::span(weight))});
    check_message(both.complaint(), {"norm.bias", "missing"});
    std::erase_if(both.list, [](const auto& tensor) { return tensor.name == "norm.weight" || tensor.name == "conv.bias"; });
    check_message(both.complaint(), {"norm.weight", "missing"});
}

TEST_CASE("weights: each tensor matters") {
    const dlas::safetensors weights = dlas::seeded_weights(dlas::graph_of<small>, 1);
    const std::vector<float> image(static_cast<std::size_t>(small::input.elements()), 0.5f);
    dlas::host_network network(compiled::code, weights);
    const std::vector<float> usual(network(image).begin(), network(image).end());
    for (const dlas::stored_tensor& stored : dlas::stored_tensors(dlas::graph_of<small>)) {
        tensors given;
        auto& tensor = given[stored.name];
        std::vector<float> changed(tensor.f32().begin(), tensor.f32().end());
        for (float& x : changed) x = 2 * x + 1;
        tensor.bytes = std::as_bytes(std::span(changed));
        dlas::host_network other(compiled::code, given.file());
        CAPTURE(stored.name);
        CHECK(!std::ranges::equal(other(image), usual));
    }
}

TEST_CASE("host_network: an input of another size is refused") {
    dlas::host_network network(compiled::code, dlas::seeded_weights(dlas::graph_of<small>, 1));
    const std::vector<float> image(static_cast<std::size_t>(small::input.elements()) + 1);
    const auto exact = std::span(image).first(image.size() - 1);
    CHECK_NOTHROW(network(exact));
    for (const auto wrong : {std::span<const float>(image), std::span<const float>(exact.first(1)), std::span<const float>()}) {
        std::string message;
        try {
            network(wrong);
        } catch (const dlas::error& error) {
            message = error.what();
        }
        check_message(message, {"small", "60", std::to_string(wrong.size())});
    }
}

TEST_CASE("host_network: a target that the CPU lacks is refused") {
    dlas::executable code = compiled::code;
    code.unavailable_because = []() -> std::string_view { return "nobody has built it"; };
    code.target = "imaginary";
    std::string message;
    try {
        dlas::host_network network(code, dlas::seeded_weights(dlas::graph_of<small>, 1));
    } catch (const dlas::error& error) {
        message = error.what();
    }
    check_message(message, {"imaginary", "nobody has built it"});
}

TEST_CASE("reference_run: a file that does not fit is refused") {
    const std::vector<float> image(static_cast<std::size_t>(small::input.elements()));
    tensors missing, reshaped;
    missing.erase("norm.bias");
    reshaped["fc.weight"].shape = {16, 2};
    CHECK_THROWS_AS(dlas::reference_run(dlas::graph_of<small>, missing.file(), image), dlas::error);
    CHECK_THROWS_AS(dlas::reference_run(dlas::graph_of<small>, reshaped.file(), image), dlas::error);
}
