#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <thread>

// What tools/gpu_round must tell apart when a test goes wrong, made to go wrong: run by --no-skip only.

TEST_CASE("fault: a crash" * doctest::skip()) {
    std::raise(SIGSEGV);
}

TEST_CASE("fault: a hang" * doctest::skip()) {
    while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

TEST_CASE("fault: killed from outside" * doctest::skip()) {
    std::raise(SIGKILL);
}

TEST_CASE("fault: a wrong result" * doctest::skip()) {
    CHECK(1 == 2);
}
