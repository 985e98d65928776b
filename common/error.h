#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace deepfreq {

/// Wrong usage or wrong input: a flag, a file, a shape. The program ends with status 2.
/// The text is one sentence that names the thing, the value found and the value expected.
class InputError : public std::runtime_error {
  public:
    template <class... Args>
    explicit InputError(fmt::format_string<Args...> text, Args&&... args)
        : std::runtime_error(fmt::format(text, std::forward<Args>(args)...)) {}
};

/// More memory was asked for than a device has. The text is what follows "out of memory on ".
class OutOfMemory : public InputError {
  public:
    template <class... Args>
    explicit OutOfMemory(fmt::format_string<Args...> text, Args&&... args)
        : InputError("out of memory on {}", fmt::format(text, std::forward<Args>(args)...)) {}
};

/// A run that was asked for correctly and failed: a full disk, a diverged loss, no memory. Status 1.
class RunError : public std::runtime_error {
  public:
    template <class... Args>
    explicit RunError(fmt::format_string<Args...> text, Args&&... args)
        : std::runtime_error(fmt::format(text, std::forward<Args>(args)...)) {}
};

/// What was under way ended early because it was asked to stop; nothing of it holds.
class Interrupted : public std::runtime_error {
  public:
    Interrupted() : std::runtime_error("interrupted") {}
};

}  // namespace deepfreq
