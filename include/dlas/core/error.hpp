// The one exception of the hosted parts (files, command lines, sweeps). Firmware headers never include it.
#pragma once

#include <stdexcept>

namespace dlas {

/// Input that cannot be used. what() names the thing at fault: the file, the tensor, the byte, the option.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace dlas
