// One convolution from policies: what it costs is known before it runs.
#include <cstdio>
#include <vector>

#include <dlas/dlas.hpp>

using stack = dlas::stack<dlas::f32, dlas::dense, dlas::winograd<2>, dlas::scalar>;  // in any order; what is left out has a default
using layer = dlas::conv2d_kernel<{.in = {16, 16, 8}, .channels = 12, .kernel = 3, .padding = 1}, stack>;

static_assert(layer::out == dlas::shape{16, 16, 12});
static_assert(layer::workspace_bytes <= 128 * 1024);
// dlas::stack<dlas::winograd<2>> on a layer of stride 2 does not compile: "winograd: the stride is not 1".

int main() {
    std::vector<float> filter(12 * 8 * 3 * 3, 0.1f), bias(12, 1.0f);  // OIHW, as PyTorch stores it
    std::vector<float> weights(layer::weight_bytes / 4), workspace(layer::workspace_bytes / 4);
    layer::kernel::pack(filter.data(), bias.data(), weights.data());

    std::vector<float> image(layer::code.input_bytes / 4, 0.0f), result(layer::out.elements());  // the image stands in a border of zeros
    const std::size_t first = layer::code.first_pixel / 4;
    image[first] = 1.0f;
    layer::kernel::run({image.data() + first, nullptr, weights.data(), result.data(), workspace.data()});

    std::printf("%.*s: %lld multiply-accumulates, %lld bytes of weights, %lld of workspace\n", static_cast<int>(layer::code.name.size()),
                layer::code.name.data(), static_cast<long long>(layer::macs), static_cast<long long>(layer::weight_bytes),
                static_cast<long long>(layer::workspace_bytes));
    std::printf("first pixel %.2f, last pixel %.2f\n", static_cast<double>(result.front()), static_cast<double>(result.back()));
    return result.front() > 1.09f && result.front() < 1.11f && result.back() > 0.99f && result.back() < 1.01f ? 0 : 1;
}
