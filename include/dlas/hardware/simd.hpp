// The vocabulary in which kernels speak of vectors. Hardware: each target header implements it.
#pragma once

namespace dlas {

/// One vector register of `Element`s on `Target`. A target's header specializes it with
///   lanes                        elements of a vector
///   batch                        the register type
///   load, store                  `lanes` elements, any alignment
///   load_first<N>, store_first<N>  the first N lanes; touches no memory beyond N elements; other lanes read as 0
///   broadcast, add, subtract, multiply, multiply_add, max, min
/// All of it carries the target in its type, so that units compiled with other flags never share its code.
template <class Element, class Target>
struct simd {
    static_assert(sizeof(Element) == 0,
                  "[dlas] this target's vectors are not available in this translation unit: "
                  "compile it with the target's compile_flags (see dlas/hardware), or choose dlas::scalar");
};

}  // namespace dlas
