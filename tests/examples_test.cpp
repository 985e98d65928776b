// The examples in C++ do what they say, and a build that lacks a package says which.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "tests/files.h"
#include "tests/process.h"

using namespace deepfreq;

namespace {

std::string output_of(const char* example) {
    const TemporaryFolder folder;
    Process process(example, {}, folder.path);
    CHECK(process.wait() == 0);
    return process.output();
}

/// The number that follows the last `label` in a text.
double number_after(const std::string& text, const std::string& label) {
    const std::size_t at = text.rfind(label);
    REQUIRE(at != std::string::npos);
    return std::strtod(text.c_str() + at + label.size(), nullptr);
}

}  // namespace

TEST_CASE("examples: train_and_measure learns its function, and measures the hidden layers on the way") {
    const std::string said = output_of("example_train_and_measure");
    CAPTURE(said);
    CHECK(contains(said, "epoch    0: loss 1.0"));
    CHECK(number_after(said, "epoch 2000: loss ") < 0.01);
    for (const char* const layer : {"(layer 1)", "(layer 2)", "(layer 3)"}) CHECK(contains(said, layer));
    CHECK(number_after(said, "1/delta = ") > 0.0);
}

TEST_CASE("examples: the layer of own_layer is trained") {
    const std::string said = output_of("example_own_layer");
    CAPTURE(said);
    CHECK(contains(said, "low-rank dense 64-4-64 | dense 64-1 identity: 800 parameters\n"));
    CHECK(number_after(said, "loss after 2000 epochs: ") < 0.05);
}

TEST_CASE("tools/cmake: a package that is missing is named, with the Debian package that has it") {
    const TemporaryFolder folder;
    const std::string log = (folder.path / "log").string();
    const auto configure = [&](const std::string& missing) {
        const std::string command = "cmake -S '" DEEPFREQ_TEST_DIR "/..' -B '" + folder.path.string() +
                                    "/build' -DDEEPFREQ_TESTS=OFF " + missing + " >'" + log + "' 2>&1";
        const int status = std::system(command.c_str());
        std::ifstream file(log);
        std::string words, word;  // CMake breaks lines where it likes
        while (file >> word) words += word + ' ';
        CAPTURE(words);
        CHECK(status != 0);
        return words;
    };
    CHECK(contains(configure("-DCMAKE_DISABLE_FIND_PACKAGE_muparser=ON"),
                   "deepfreq needs muparser, which is not found; on Debian: apt install libmuparser-dev"));
}
