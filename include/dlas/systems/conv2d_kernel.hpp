// One convolution layer compiled for a stack, outside any network. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/systems/network.hpp>

namespace dlas {

/// A compiled convolution as plain data. Feature maps: the input has a halo of the layer's padding, zeroed (zero points) by the caller;
/// output and residual have none.
struct conv2d_executable {
    std::string_view name;       ///< "conv2d/56x56x64-64k3s1p1/f32/dense/direct/avx512"
    std::string_view algorithm;  ///< the one that runs
    std::string_view target;
    conv2d_layer layer;
    std::int64_t input_bytes = 0;  ///< with its halo
    std::int64_t first_pixel = 0;  ///< bytes from the start of the input to its first pixel inside the halo
    int input_row_bytes = 0;
    std::int64_t output_bytes = 0;
    std::int64_t weight_bytes = 0;  ///< packed
    std::int64_t workspace_bytes = 0;
    void (*pack)(const float* filter, const float* bias, float* packed) = nullptr;  ///< OIHW filter, one bias a channel
    void (*pack_quantized)(const quantized_parameters&, float* packed) = nullptr;   ///< of a quantized format, in place of `pack`
    void (*run)(const kernel_arguments&) = nullptr;  ///< `input` points at the first pixel inside the halo
    std::string_view (*unavailable_because)() = nullptr;  ///< as executable's
    element type = element::f32;  ///< of the feature maps
    std::int64_t workspace_stride = 0;  ///< from a thread's own workspace to the next one's

    bool available() const { return unavailable_because().empty(); }
};

/// A layer and a stack, as a kernel: conv2d_kernel<{.in = {56, 56, 64}, .channels = 64, .kernel = 3, .padding = 1}, stack<avx512>>.
template <conv2d_layer Layer, class Stack>
struct conv2d_kernel {
    static_assert(Layer.channels > 0 && Layer.groups > 0 && Layer.in.channels % Layer.groups == 0 && Layer.channels % Layer.groups == 0,
                  "[dlas] conv2d_kernel: groups must divide the input and the output channels");
    static_assert(Layer.kernel.height > 0 && Layer.kernel.width > 0 && Layer.stride.height > 0 && Layer.stride.width > 0 &&
                      Layer.dilation.height > 0 && Layer.dilation.width > 0,
                  "[dlas] conv2d_kernel: kernel, stride and dilation must be positive");
    static_assert(Layer.in.height + Layer.padding.top + Layer.padding.bottom >= Layer.reach().height &&
                      Layer.in.width + Layer.padding.left + Layer.padding.right >= Layer.reach().width,
                  "[dlas] conv2d_kernel: the window is larger than the padded input");
    static_assert(require_runs<Stack, Layer>());
    using target = typename Stack::target;
    using algorithm = chosen_algorithm<typename Stack::algorithm, Layer, target, typename Stack::format>;

    static constexpr conv2d_layer layer = Layer;
    static constexpr shape out = Layer.out();
    static constexpr int padded_width = Layer.in.width + Layer.padding.left + Layer.padding.right;
    static constexpr int padded_height = Layer.in.height + Layer.padding.top + Layer.padding.bottom;
    static constexpr element type = Stack::format::template activations<target>;
    static constexpr placement in_place = {padded_width * Layer.in.channels, Layer.in.channels, type};
    static constexpr placement out_place = {out.width * out.channels, out.channels, type};
    using kernel = typename algorithm::template kernel<conv2d_key{Layer, in_place, out_place, Layer.residual ? out_place : placement{0, 0, type}, Stack::schedule::options},
                                                       typename Stack::format, target>;

    /// From a thread's own workspace to the next one's (kernel_arguments); 0 where threads share one.
    static constexpr std::int64_t workspace_stride =
        Stack::threads::count == 1 || requires { requires kernel::shares_workspace; } ? 0 : arena_aligned(kernel::workspace_bytes);
    static constexpr std::int64_t workspace_bytes = workspace_stride > 0 ? Stack::threads::count * workspace_stride : kernel::workspace_bytes;
    static constexpr std::int64_t weight_bytes = kernel::packed_elements * static_cast<std::int64_t>(sizeof(float));
    static constexpr std::int64_t macs = Layer.macs();

    static constexpr auto name_text = [] {
        text<320> joined("conv2d/");
        joined.append(layer_text(Layer).view());
        joined.append("/");
        joined.append(Stack::name);
        return joined;
    }();

    /// The kernel as plain data.
    static constexpr conv2d_executable code = [] {
        constexpr std::int64_t bytes = element_bytes(type), beyond = is_quantized(type) ? dot_slack<target> : 0;
        conv2d_executable e = {name_text.view(), algorithm::name, target::name, Layer, bytes * in_place.row_stride * padded_height + beyond,
                               bytes * (Layer.padding.top * in_place.row_stride + Layer.padding.left * in_place.pixel_stride),
                               static_cast<int>(bytes) * in_place.row_stride, bytes * out.elements(), weight_bytes, workspace_bytes,
                               nullptr, nullptr, &kernel::run, &dlas::unavailable_because<target>, type, workspace_stride};
        if constexpr (is_quantized(type)) e.pack_quantized = &kernel::pack_quantized;
        else e.pack = &kernel::pack;
        return e;
    }();
};

}  // namespace dlas
