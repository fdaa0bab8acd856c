// Networks of which there are no trained weights against the definition-style run of the same made-up weights.
#include "seeded_networks.hpp"

#include "check_network.hpp"

namespace {

template <class Model>
void check() {
    const auto codes = available_networks<seeded_networks, DLAS_UNIT_SHARDS, DLAS_UNIT_TARGETS>();
    if (codes.empty()) {
        MESSAGE("skipped: this CPU has none of the units' targets");
        return;
    }
    check_network<Model>(codes, true);
}

}  // namespace

TEST_CASE("32x32: resnet8_a") { check<dlas::resnet8_a<dlas::shapes10>>(); }
TEST_CASE("32x32: resnet56") { check<dlas::resnet56<dlas::cifar10>>(); }
TEST_CASE("32x32: resnet18") { check<dlas::resnet18<dlas::cifar10>>(); }
TEST_CASE("32x32: vgg16") { check<dlas::vgg16<dlas::cifar10>>(); }
TEST_CASE("32x32: mobilenet_v1") { check<dlas::mobilenet_v1<dlas::cifar10>>(); }
TEST_CASE("32x32: mobilenet_v2") { check<dlas::mobilenet_v2<dlas::cifar10>>(); }
TEST_CASE("67x45: resnet18") { check<dlas::resnet18<small_photographs>>(); }
TEST_CASE("67x45: resnet34") { check<dlas::resnet34<small_photographs>>(); }
TEST_CASE("67x45: resnet50") { check<dlas::resnet50<small_photographs>>(); }
TEST_CASE("67x45: vgg16") { check<dlas::vgg16<small_photographs>>(); }
TEST_CASE("67x45: mobilenet_v1") { check<dlas::mobilenet_v1<small_photographs>>(); }
TEST_CASE("67x45: mobilenet_v2") { check<dlas::mobilenet_v2<small_photographs>>(); }
TEST_CASE("67x45: squeezenet1_1") { check<dlas::squeezenet1_1<small_photographs>>(); }
TEST_CASE("32x32: efficientnet_b0") { check<dlas::efficientnet_b0<dlas::cifar10>>(); }
TEST_CASE("67x45: efficientnet_b0") { check<dlas::efficientnet_b0<small_photographs>>(); }
TEST_CASE("67x45: densenet161") { check<dlas::densenet161<small_photographs>>(); }
