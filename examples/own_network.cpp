// A network of one's own: a name, an input and a forward(); memory is static, nothing is allocated.
#include <cstdio>

#include <dlas/dlas.hpp>

struct digits {
    static constexpr std::string_view name = "digits";
    static constexpr dlas::shape input = {28, 28, 1};

    static constexpr dlas::tensor forward(dlas::tensor x) {
        x = relu(batch_norm(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1}, "conv1"), "bn1"));
        x = max_pool2d(x, {.kernel = 2, .stride = 2});
        dlas::tensor y = relu(conv2d(x, {.channels = 8, .kernel = 3, .padding = 1}, "conv2"));
        x = relu(conv2d(y, {.channels = 8, .kernel = 3, .padding = 1}, "conv3") + x);
        return linear(global_average_pool(x), 10, "fc");
    }
};

using network = dlas::network<digits, dlas::stack<dlas::direct, dlas::scalar>>;
static_assert(network::arena_bytes <= 48 * 1024 && network::weight_bytes <= 8 * 1024);

alignas(64) constexpr std::byte flash[network::weight_bytes] = {};  // in earnest: packed by pack_weights() from a safetensors file
alignas(64) std::byte ram[network::arena_bytes];

int main() {
    static const float image[28 * 28] = {};
    const auto logits = network(flash, ram)(image);
    std::printf("%zu logits, %lld bytes of RAM, %lld of flash for weights\n", logits.size(), static_cast<long long>(network::arena_bytes),
                static_cast<long long>(network::weight_bytes));
    return logits.size() == 10 ? 0 : 1;
}
