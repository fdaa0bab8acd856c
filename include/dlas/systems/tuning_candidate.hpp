// What units compiled for a target hand to a tuner. Systems Software.
#pragma once

#include <cstdint>
#include <string_view>

#include <dlas/algorithms/kernel.hpp>
#include <dlas/algorithms/schedule.hpp>

namespace dlas {

/// One way to run one step of a network, as plain data.
struct tuning_candidate {
    int step = 0;    ///< of the network
    int choice = 0;  ///< among those of the step's layer; the rule's comes first
    std::string_view algorithm;
    schedule_options schedule;
    std::int64_t weight_bytes = 0;
    std::int64_t workspace_bytes = 0;
    void (*pack)(const float* filter, const float* bias, float* packed) = nullptr;
    void (*run)(const kernel_arguments&) = nullptr;
};

}  // namespace dlas
