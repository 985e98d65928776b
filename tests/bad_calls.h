#pragma once

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "common/error.h"
#include "tests/backends.h"

// Calls that every backend must refuse with a sentence.

namespace deepfreq::tests {

/// Views of host memory: a call that is refused must not touch it, on any backend.
struct Views {
    alignas(64) std::array<float, 4096> memory{};

    Tensor f(std::initializer_list<std::int64_t> shape) { return {memory.data(), shape}; }
    TensorView<std::int32_t> i(std::initializer_list<std::int64_t> shape) { return {ints.data(), shape}; }
    TensorView<double> d(std::initializer_list<std::int64_t> shape) { return {doubles.data(), shape}; }
    TensorView<StepState> s(std::initializer_list<std::int64_t> shape = {1}) {
        return {states.data(), shape};
    }
    TensorView<std::int64_t> count(std::initializer_list<std::int64_t> shape) {
        return {counts.data(), shape};
    }

    std::array<std::int32_t, 64> ints{};
    std::array<double, 64> doubles{};
    std::array<StepState, 4> states{};
    std::array<std::int64_t, 4> counts{};
};

struct BadCall {
    std::string operation;
    std::string tensor;  ///< the one with the wrong shape
    std::string found, expected;
    std::function<void(Backend&, Views&)> call;
};

/// The text of the InputError that `call` throws; empty, and a failed check, if it throws none.
template <class Call>
std::string refusal(const Call& call) {
    try {
        call();
    } catch (const InputError& error) {
        return error.what();
    }
    FAIL_CHECK("no InputError");
    return {};
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline void check_refused(const std::vector<BadCall>& calls) {
    for (const TestedBackend& tested : backends_present())
        for (const BadCall& bad : calls) {
            Views views;
            INFO(tested.name << ": " << bad.operation << " with " << bad.tensor << " " << bad.found);
            const std::string text = refusal([&] { bad.call(*tested.backend, views); });
            INFO("message: " << text);
            CHECK(text.starts_with(bad.operation + ": " + bad.tensor));
            CHECK(contains(text, bad.found));
            CHECK(contains(text, bad.expected));
        }
}

}  // namespace deepfreq::tests
