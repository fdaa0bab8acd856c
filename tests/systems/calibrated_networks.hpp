// Trained networks whose integers quantize() finds in more ways than one, and the float networks to observe.
#pragma once

#include "format_networks.hpp"

struct calibrated_networks {
    using resnet20 = format_networks::resnet20;
    using mobilenet_v1 = format_networks::mobilenet_v1;
    using mobilenet_v2 = format_networks::mobilenet_v2;

    template <class Target>
    using points = point_list<point<resnet20, format_networks::floats>, point<resnet20, format_networks::integers>,
                              point<resnet20, format_networks::four_bits>, point<mobilenet_v1, format_networks::floats>,
                              point<mobilenet_v1, format_networks::integers>, point<mobilenet_v1, format_networks::four_bits>,
                              point<mobilenet_v2, format_networks::floats>, point<mobilenet_v2, format_networks::four_bits>>;
};
