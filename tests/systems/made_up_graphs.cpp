// Made-up graphs against the definition-style run, on every target that this CPU has.
#include "made_up_graphs.hpp"

#include "check_network.hpp"

namespace {

/// The targets of the units that this CPU has.
std::size_t available_targets() {
    std::size_t count = 0;
    [&count]<class... Targets>(dlas::policy_list<Targets...>) { ((count += Targets::available() ? 1u : 0u), ...); }(dlas::policy_list<DLAS_UNIT_TARGETS>{});
    return count;
}

constexpr int height = 2, width = 3, channels = 4;
struct flattened {
    static constexpr std::string_view name = "flattened";
    static constexpr dlas::shape input = {height, width, channels};
    static constexpr dlas::tensor forward(dlas::tensor x) { return linear(x, 2, "fc"); }
};

}  // namespace

TEST_CASE("made-up graphs") {
    const auto codes = available_networks<made_up_graphs, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>();
    made_up::models::each([&codes]<class Model>() {
        CHECK(check_network<Model>(codes, false) == static_cast<int>(available_targets()));
    });
}

/// Written out by hand, so that kernel and reference cannot be wrong in the same way.
TEST_CASE("linear: a map is flattened as channels, rows, columns") {
    const dlas::safetensors weights = dlas::seeded_weights(dlas::graph_of<flattened>, 5);
    const std::vector<float> image = made_up_image(flattened::input, 6);
    const auto matrix = weights.find("fc.weight")->f32(), bias = weights.find("fc.bias")->f32();
    const std::vector<double> result = dlas::reference_run(dlas::graph_of<flattened>, weights, image);
    for (std::size_t feature = 0; feature < 2; ++feature) {
        double sum = double{bias[feature]};
        std::size_t at = feature * image.size();
        for (int c = 0; c < channels; ++c)
            for (int y = 0; y < height; ++y)
                for (int x = 0; x < width; ++x) sum += double{matrix[at++]} * double{image[static_cast<std::size_t>((y * width + x) * channels + c)]};
        CHECK(result[feature] == doctest::Approx(sum).epsilon(1e-12));
    }
}
