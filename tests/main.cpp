#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/backends.h"

int main(int argc, char** argv) {
    const int status = doctest::Context(argc, argv).run();
    deepfreq::tests::close_backends();
    return status;
}
