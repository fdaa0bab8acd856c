// A network of floats by the board's own instructions, against the same network by plain C++.
#include <dlas/dlas.hpp>

#include "boards/board.hpp"
#include "boards/target.hpp"

namespace {

/// Every kind of layer, with channels that do and do not fill vectors.
struct small {
    static constexpr std::string_view name = "small";
    static constexpr dlas::shape input = {12, 11, 3};

    static constexpr dlas::tensor forward(dlas::tensor x) {
        x = relu(conv2d(x, {.channels = 10, .kernel = 3, .stride = 2, .padding = 1}, "first"));
        dlas::tensor y = relu6(conv2d(x, {.channels = 10, .kernel = 3, .padding = 1, .groups = 10}, "depthwise"));
        x = relu(conv2d(y, {.channels = 10}, "second") + x);
        x = silu(conv2d(max_pool2d(x, {.kernel = 2, .stride = 1}), {.channels = 17}, "third"));
        return linear(global_average_pool(x), 7, "last");
    }
};

template <class Target>
using network = dlas::network<small, dlas::stack<dlas::first_of<dlas::depthwise, dlas::direct>, Target>>;

/// From -1 to 1.
float noise(std::uint32_t& state) {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31f;
}

template <class Target>
std::span<const float, 7> logits(std::span<const float, 12 * 11 * 3> image) {
    alignas(64) static float weights[network<Target>::weight_bytes / 4];
    alignas(64) static float arena[network<Target>::arena_bytes / 4 + 1];
    static float filter[512], bias[32];
    for (const dlas::executable_step& step : network<Target>::code.steps) {
        if (step.pack == nullptr) continue;
        std::uint32_t state = static_cast<std::uint32_t>(step.channels);
        for (float& x : filter) x = 0.5f * noise(state);
        for (float& x : bias) x = 0.2f * noise(state);
        step.pack(filter, bias, weights + step.weights / 4);
    }
    return network<Target>(reinterpret_cast<const std::byte*>(weights), reinterpret_cast<std::byte*>(arena))(image);
}

}  // namespace

int main() {
    static float image[12 * 11 * 3];
    std::uint32_t state = 7;
    for (float& x : image) x = noise(state);
    const auto own = logits<board::target>(image), plain = logits<dlas::scalar>(image);
    int wrong = 0;
    bool any = false;
    for (int i = 0; i < 7; ++i) {
        const float difference = own[static_cast<std::size_t>(i)] - plain[static_cast<std::size_t>(i)];
        wrong += !(difference < 1e-4f && difference > -1e-4f);
        any = any || own[static_cast<std::size_t>(i)] > 0.01f;
    }
    board::print_line("logits of floats that differ from plain ones: ", wrong);
    return wrong == 0 && any ? 0 : 1;
}
