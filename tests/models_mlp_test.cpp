#include "models/mlp.h"

#include <doctest/doctest.h>

#include <string>

#include "common/error.h"
#include "engine/layers/dense.h"
#include "engine/loss.h"

using namespace deepfreq;

namespace {

std::vector<std::string> descriptions(const MlpParams& params) {
    std::vector<std::string> texts;
    for (const auto& layer : mlp(params)) texts.push_back(layer->description());
    return texts;
}

}  // namespace

TEST_CASE("models/mlp: the defaults are the paper's MNIST network") {
    CHECK(descriptions({}) == std::vector<std::string>{"dense 784-500 tanh", "dense 500-500 tanh",
                                                       "dense 500-500 tanh", "dense 500-500 tanh",
                                                       "dense 500-500 tanh", "dense 500-10 identity"});
}

TEST_CASE("models/mlp: hidden layers have the activation asked for, the output is linear") {
    CHECK(descriptions({4, {7, 2}, 3, Activation::Relu}) ==
          std::vector<std::string>{"dense 4-7 relu", "dense 7-2 relu", "dense 2-3 identity"});
    CHECK(descriptions({4, {}, 3, Activation::Relu}) == std::vector<std::string>{"dense 4-3 identity"});
    CHECK_THROWS_WITH_AS(mlp({4, {0}, 3, Activation::Tanh}),
                         "a dense layer has sizes 4-0, expected at least 1 each", InputError);
}

TEST_CASE(
    "models/mlp: with residual connections, layers as wide as their input add it, and the output never "
    "does") {
    CHECK(descriptions({4, {4, 7, 7}, 7, Activation::Tanh, true}) ==
          std::vector<std::string>{"residual dense 4-4 tanh", "dense 4-7 tanh", "residual dense 7-7 tanh",
                                   "dense 7-7 identity"});
    CHECK(descriptions({4, {4, 7, 7, 7, 7}, 3, Activation::Tanh, 2}) ==
          std::vector<std::string>{"dense 4-4 tanh", "dense 4-7 tanh", "residual dense 7-7 tanh",
                                   "dense 7-7 tanh", "residual dense 7-7 tanh", "dense 7-3 identity"});
}

TEST_CASE(
    "models/mlp: residual connections that span two layers join them in pairs, and leave one over plain") {
    CHECK(descriptions({.inputs = 4,
                        .hidden = {7, 7, 7, 7, 7, 7},
                        .outputs = 3,
                        .activation = Activation::Relu,
                        .residual_every = 1,
                        .residual_span = 2}) ==
          std::vector<std::string>{"dense 4-7 relu", "residual dense 7-7-7 relu", "residual dense 7-7-7 relu",
                                   "dense 7-7 relu", "dense 7-3 identity"});
}

TEST_CASE("models/mlp: widths are parsed") {
    using Widths = std::vector<std::int64_t>;
    CHECK(parse_widths("500x5") == Widths{500, 500, 500, 500, 500});
    CHECK(parse_widths("500,300,100") == Widths{500, 300, 100});
    CHECK(parse_widths("784,500x2,10") == Widths{784, 500, 500, 10});
    CHECK(parse_widths("1") == Widths{1});
    CHECK(parse_widths("1048576") == Widths{1048576});
}

TEST_CASE("models/mlp: widths that make no sense are refused") {
    CHECK_THROWS_WITH_AS(parse_widths("500x"),
                         "the hidden layers are '500x', expected widths as in 500x5 or 500,300,100",
                         InputError);
    for (const std::string bad : {"",
                                  ",",
                                  "500,",
                                  ",500",
                                  "500,,300",
                                  "0",
                                  "-5",
                                  "+5",
                                  "x5",
                                  "500x0",
                                  "500x-1",
                                  "500x2x2",
                                  "5 0",
                                  " 5",
                                  "5.0",
                                  "5e2",
                                  "abc",
                                  "1048577",
                                  "5x65537",
                                  "99999999999999999999",
                                  "5x99999999999999999999"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_widths(bad), InputError);
    }
}

TEST_CASE("engine/layers, engine/loss: names of activations and losses go both ways") {
    for (const char* const name : {"tanh", "relu", "sigmoid", "identity"})
        CHECK(activation_name(parse_activation(name)) == name);
    CHECK_THROWS_WITH_AS(parse_activation("gelu"),
                         "the activation is 'gelu', expected tanh, relu, sigmoid or identity", InputError);
    for (const char* const name : {"mse", "softmax-ce"}) CHECK(loss_name(parse_loss(name)) == name);
    CHECK_THROWS_WITH_AS(parse_loss("hinge"), "the loss is 'hinge', expected mse or softmax-ce", InputError);
}
