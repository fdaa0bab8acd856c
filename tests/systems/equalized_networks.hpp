// Trained networks of integers, to be made from weights with and without equalization, and the float networks to observe.
#pragma once

#include "format_networks.hpp"

struct equalized_networks {
    using resnet20 = format_networks::resnet20;
    using mobilenet_v1 = format_networks::mobilenet_v1;

    template <class Target>
    using points = point_list<point<resnet20, format_networks::floats>, point<resnet20, format_networks::integers>,
                              point<mobilenet_v1, format_networks::floats>, point<mobilenet_v1, format_networks::integers>>;
};
