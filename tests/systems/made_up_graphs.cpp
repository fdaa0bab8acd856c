// Made-up graphs against the definition-style run, on every target that this CPU has.
#include "made_up_graphs.hpp"

#include "check_network.hpp"

namespace {

/// How many of the units' targets this CPU has, and of those how many take a graph.
struct target_count {
    int available = 0;
    int taking = 0;
};
template <int Index>
target_count targets_of_graph() {
    target_count count;
    [&count]<class... Targets>(dlas::policy_list<Targets...>) {
        ((count.available += Targets::available(), count.taking += Targets::available() && made_up::takes<Targets>(Index)), ...);
    }(dlas::policy_list<DLAS_UNIT_TARGETS>{});
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
    made_up::models::each([&codes]<class Model, int Index>() {
        const target_count targets = targets_of_graph<Index>();
        const int in_bands = std::same_as<Model, made_up::separables> ? 3 : 0;
        CHECK(check_network<Model>(codes, false) == targets.taking + in_bands * targets.available);
    });
}

TEST_CASE("made-up graphs: depthwise layers run with their neighbours where a plan says so, and by itself where nothing is gained") {
    for (const dlas::executable* code : available_networks<made_up_graphs, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>()) {
        if (code->model != made_up::separables::name) continue;
        int together = 0;
        for (const dlas::executable_step& step : code->steps) together += step.run == nullptr;
        // The neighbours before and after the eight depthwise layers: a 1+1, b 1+1, c 1+1, d 1+0, e 1+0 (its product is f's, whose map is
        // larger), f 1+1, g 1+1, h 1+0. Rows that do not divide a height leave a layer alone.
        CAPTURE(label_of(*code));
        if (code->plan == "bands of 1") CHECK(together == 13);
        else if (code->plan.starts_with("bands")) CHECK(together >= 6);
        else CHECK(together == 0);
    }
}

TEST_CASE("made-up graphs: threads compute what one computes, run after run") {
    const auto codes = available_networks<threaded_graphs, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>();
    dlas::thread_pool threads(3);
    int checked = 0;
    made_up::models::each([&]<class Model, int>() {
        const dlas::safetensors file = dlas::seeded_weights(dlas::graph_of<Model>, 1);
        const std::vector<float> images[] = {made_up_image(Model::input, 2), made_up_image(Model::input, 3)};
        for (const dlas::executable* code : codes) {
            if (code->model != Model::name) continue;
            CAPTURE(label_of(*code));
            CHECK(code->threads == 3);
            dlas::aligned_bytes weights(code->weight_bytes), arena(code->arena_bytes);
            dlas::pack_weights(*code, file, weights.data());
            const auto size = static_cast<std::size_t>(code->output.elements());
            for (const int image : {0, 1, 0}) {
                std::memset(arena.data(), 0xff, static_cast<std::size_t>(code->arena_bytes));
                const float* alone = dlas::run(*code, images[image].data(), weights.data(), arena.data());
                const std::vector<float> expected(alone, alone + size);
                std::memset(arena.data(), 0xff, static_cast<std::size_t>(code->arena_bytes));
                const float* together = threads.run(*code, images[image].data(), weights.data(), arena.data());
                CHECK(std::memcmp(together, expected.data(), sizeof(float) * size) == 0);
            }
            ++checked;
        }
    });
    CHECK(checked == static_cast<int>(codes.size()));

    // A pool of more threads than a network was compiled for would share workspaces.
    const auto sequential = available_networks<made_up_graphs, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>();
    CHECK_THROWS_WITH_AS(threads.run(*sequential.front(), nullptr, nullptr, nullptr),
                         "the network 'only_input' was compiled for 1 threads, the pool has 3", dlas::error);
    CHECK_THROWS_AS(dlas::thread_pool(0), dlas::error);
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
