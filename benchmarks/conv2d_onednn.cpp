// Single convolution layers by oneDNN, its layouts its own choice: the peer of `conv2d` where Debian's libdnnl-dev is installed.
#include "conv2d_onednn.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include <oneapi/dnnl/dnnl.hpp>

#include "beside_peak.hpp"

namespace {

/// One layer, weights and feature maps in the layouts that oneDNN prefers, ReLU as its epilogue where the layer has one.
class onednn_layer {
public:
    explicit onednn_layer(const dlas::conv2d_layer& l) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
        using memory = dnnl::memory;
        const dlas::shape out = l.out();
        auto description = [](memory::dims dims) { return memory::desc(dims, memory::data_type::f32, memory::format_tag::any); };
        const memory::dims filter = l.groups == 1 ? memory::dims{l.channels, l.in.channels, l.kernel.height, l.kernel.width}
                                                  : memory::dims{l.groups, l.group_out(), l.group_in(), l.kernel.height, l.kernel.width};
        const dnnl::convolution_forward::desc wanted(
            dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, description({1, l.in.channels, l.in.height, l.in.width}),
            description(filter), description({l.channels}), description({1, l.channels, out.height, out.width}), {l.stride.height, l.stride.width},
            {l.dilation.height - 1, l.dilation.width - 1}, {l.padding.top, l.padding.left}, {l.padding.bottom, l.padding.right});
        dnnl::primitive_attr epilogue;
        if (l.activation == dlas::activation::relu) {
            dnnl::post_ops relu;
            relu.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
            epilogue.set_post_ops(relu);
        }
        const dnnl::convolution_forward::primitive_desc chosen(wanted, epilogue, engine_);
        convolution_ = dnnl::convolution_forward(chosen);
        auto filled = [&](const memory::desc& of) {
            memory m(of, engine_);
            float* values = static_cast<float*>(m.get_data_handle());
            for (std::size_t i = 0; i < of.get_size() / sizeof(float); ++i) values[i] = 0.01f;
            return m;
        };
        arguments_ = {{DNNL_ARG_SRC, filled(chosen.src_desc())},
                      {DNNL_ARG_WEIGHTS, filled(chosen.weights_desc())},
                      {DNNL_ARG_BIAS, filled(chosen.bias_desc())},
                      {DNNL_ARG_DST, filled(chosen.dst_desc())}};
    }

    void run() {
        convolution_.execute(stream_, arguments_);
        stream_.wait();
    }

private:
    dnnl::engine engine_;
    dnnl::stream stream_;
    dnnl::convolution_forward convolution_;
    std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace

void register_onednn(const dlas::conv2d_layer& layer, const dlas::peak_loop& loop) {
    setenv("OMP_NUM_THREADS", "1", 1);
    const std::string name = "conv2d/" + std::string(dlas::layer_text(layer)) + "/f32/dense/onednn";
    benchmark::RegisterBenchmark(name.c_str(), [layer, loop](benchmark::State& state) {
        onednn_layer measured(layer);
        run_beside_peak(state, loop, 2.0 * static_cast<double>(layer.macs()), [&] { measured.run(); });
    })->Unit(benchmark::kMicrosecond)->UseManualTime();
}
