// A plan that nobody has measured.
#include <dlas/dlas.hpp>

using wrong = dlas::network<dlas::resnet20<dlas::cifar10>, dlas::stack<dlas::tuned>>;
const auto& code = wrong::code;
