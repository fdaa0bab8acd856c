// A design space in a few lines: every point that can exist becomes a benchmark, the rest is listed with the reason.
#include <dlas/explore.hpp>

int main(int argc, char** argv) {
    constexpr auto space = dlas::axes(dlas::axis<dlas::f32>, dlas::axis<dlas::direct, dlas::im2col, dlas::winograd<4>>,
                                      dlas::axis<dlas::scalar, dlas::avx2>);  // targets that this file is not compiled for are left out
    return dlas::sweep<dlas::resnet8_a<dlas::shapes10>>(space, argc, argv);
}
