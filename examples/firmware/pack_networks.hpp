// The networks that pack.cpp packs, compiled for one target in a unit of its own (pack_networks.cpp.in).
#pragma once

#include <string_view>
#include <vector>

#include <dlas/systems/executable.hpp>

struct packable_network {
    std::string_view name;
    const dlas::executable* code = nullptr;
    const dlas::executable* floats = nullptr;  ///< what calibration observes; null where the weights are of integers already
};

template <class Target>
std::vector<packable_network> packable_networks();
