// A float network whose steps are looked at while it runs on calibration images. Systems Software; hosted.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <dlas/systems/host_network.hpp>

namespace dlas {

/// image(i) gives a calibration image, preprocessed, NHWC.
template <class Image>
concept gives_images = requires(Image& image) { std::span<const float>(image(0)); };

/// Runs a network of observed<Target> step by step. Errors begin with the name of the function that observes.
class observer {
public:
    /// Throws dlas::error where the network cannot run, is not one whose every step runs alone in f32, or the file does not fit.
    observer(std::string_view caller, const executable& floats, const safetensors& file)
        : caller_(caller), floats_(floats), weights_(floats.weight_bytes), arena_(floats.arena_bytes) {
        if (!floats.available())
            fail("the target '" + std::string(floats.target) + "' of the observed network cannot run: " + std::string(floats.unavailable_because()));
        for (const executable_step& step : floats.steps) {
            if (step.output_place.type != element::f32 || step.input_place.type != element::f32)
                fail("the observed network '" + std::string(floats.plan) + "' is not of f32; observe one of observed<Target>");
            if (step.run == nullptr) fail("step '" + std::string(step.layer) + "' runs with others; observe a network of observed<Target>");
        }
        pack_weights(floats, file, weights_.data());
    }

    /// Calls visit(step, arguments, index of the step) behind each step of each image.
    template <gives_images Image, class Visit>
    void operator()(int images, Image& image, Visit visit) {
        if (images < 1) fail("'" + std::string(floats_.model) + "' needs at least one calibration image");
        for (int i = 0; i < images; ++i) {
            const std::span<const float> pixels = image(i);
            if (pixels.size() != static_cast<std::size_t>(floats_.input.elements()))
                fail("calibration image " + std::to_string(i) + " has " + std::to_string(pixels.size()) + " elements, the network needs " +
                     std::to_string(floats_.input.elements()));
            for (std::size_t s = 0; s < floats_.steps.size(); ++s) {
                const executable_step& step = floats_.steps[s];
                fill_halo(step, weights_.data(), arena_.data());
                const kernel_arguments arguments = arguments_of(step, pixels.data(), weights_.data(), arena_.data());
                step.run(arguments);
                visit(step, arguments, s);
            }
        }
    }

private:
    [[noreturn]] void fail(const std::string& reason) const { throw error(caller_ + ": " + reason); }

    std::string caller_;
    const executable& floats_;
    aligned_bytes weights_;
    aligned_bytes arena_;
};

/// Visits the elements of a feature map, channels innermost.
template <class Visit>
void for_each_element(const void* first, shape map, placement place, Visit visit) {
    const auto* elements = static_cast<const float*>(first);
    for (int row = 0; row < map.height; ++row)
        for (int column = 0; column < map.width; ++column)
            for (int channel = 0; channel < map.channels; ++channel)
                visit(channel, elements[std::int64_t{row} * place.row_stride + column * place.pixel_stride + channel]);
}

}  // namespace dlas
