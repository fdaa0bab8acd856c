// A network object over the caller's arrays: it owns nothing, allocates nothing, and reads its inputs from anywhere.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <type_traits>

#include <dlas/dlas.hpp>
#include <dlas/systems/host_network.hpp>
#include <dlas/systems/reference_network.hpp>

namespace {

int allocations = 0;

void* allocate(std::size_t size, std::size_t alignment) {
    ++allocations;
    void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

/// Out of line: g++ warns where it sees free() of what an operator new returned, even if both are ours.
[[gnu::noinline]] void release(void* memory) { std::free(memory); }

}  // namespace

// Every form of new ends in one of these two; malloc is not called by the library at all.
void* operator new(std::size_t size) { return allocate(size == 0 ? 1 : size, 16); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate(size == 0 ? 1 : size, static_cast<std::size_t>(alignment)); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace {

using model = dlas::resnet8_a<dlas::shapes10>;
using network = dlas::network<model, dlas::stack<dlas::scalar>>;

static_assert(std::is_trivially_copyable_v<network> && sizeof(network) == 2 * sizeof(void*));
static_assert(network::input_shape == dlas::shape{32, 32, 3} && network::output_shape == dlas::shape{1, 1, 10});
static_assert(network::arena_bytes % dlas::arena_alignment == 0 && network::weight_bytes % dlas::arena_alignment == 0);
static_assert(network::arena_bytes >= network::arena_lower_bound);
static_assert(network::macs == dlas::macs(dlas::graph_of<model>));
static_assert(network::code.arena_bytes == network::arena_bytes && network::code.weight_bytes == network::weight_bytes);

alignas(64) std::byte weights[network::weight_bytes];
alignas(64) std::byte arena[network::arena_bytes];

}  // namespace

TEST_CASE("network: runs over the caller's arrays and allocates nothing") {
    const dlas::safetensors file = dlas::seeded_weights(dlas::graph_of<model>, 7);
    dlas::pack_weights(network::code, file, weights);
    std::vector<float> image(static_cast<std::size_t>(model::input.elements()));
    dlas::seeded_numbers numbers(8);
    for (float& x : image) x = static_cast<float>(numbers.centered(1));
    const std::vector<double> expected = dlas::reference_run(dlas::graph_of<model>, file, image);

    CHECK(allocations > 0);  // so they are counted
    const int before = allocations;
    const network net(weights, arena);
    const auto logits = net(std::span<const float, static_cast<std::size_t>(model::input.elements())>(image));
    CHECK(allocations == before);

    CHECK(reinterpret_cast<const std::byte*>(logits.data()) == arena + network::code.output_offset);
    for (std::size_t i = 0; i < 10; ++i) CHECK(std::abs(double{logits[i]} - expected[i]) < 1e-4);
}

TEST_CASE("conv2d_kernel: runs over the caller's arrays and allocates nothing") {
    using kernel = dlas::conv2d_kernel<{.in = {6, 5, 3}, .channels = 4, .kernel = 3, .padding = 1}, dlas::stack<dlas::scalar, dlas::direct>>;
    constexpr auto& code = kernel::code;
    alignas(64) float input[8 * 7 * 3] = {}, output[6 * 5 * 4];
    alignas(64) std::byte packed[kernel::weight_bytes];
    static_assert(code.input_bytes == sizeof(input) && code.output_bytes == sizeof(output) && kernel::workspace_bytes == 0);
    float filter[4 * 3 * 9] = {};
    const float bias[4] = {1, 2, 3, 4};
    filter[3 * 27 + 2 * 9 + 1] = 1;  // channel 3 adds the third input channel of the pixel above
    input[(3 * 7 + 4) * 3 + 2] = 10;  // pixel (2, 3) inside the halo
    const int before = allocations;
    code.pack(filter, bias, reinterpret_cast<float*>(packed));
    code.run({reinterpret_cast<const std::byte*>(input) + code.first_pixel, nullptr, packed, output, nullptr});
    CHECK(allocations == before);
    for (int pixel = 0; pixel < 30; ++pixel)
        for (int channel = 0; channel < 4; ++channel)
            CHECK(output[pixel * 4 + channel] == (pixel == 3 * 5 + 3 && channel == 3 ? 14.0f : bias[channel]));
}
