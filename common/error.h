#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace deepfreq {

/// What would help against an error. Libraries state only facts; the program says which option or command
/// that means (apps/cli/advice.h).
enum class Remedy {
    None,
    UseCpu,
    BuildWithCuda,   ///< or use the CPU
    BuildForDevice,  ///< or use the CPU
    UseFloat32,
    UseTensorFloat32,
    WithoutGraph,  ///< to see which operation fails
    SmallerNetwork,
    LessMemory,
    FewerProbedSamples,
    OtherProbedLayers,
    SkipBadImages,
    ResumeOrOtherFolder,
    KeepCheckpoints,
};

/// An error that knows its remedy.
class Error : public std::runtime_error {
  public:
    Error(Remedy remedy, const std::string& text) : std::runtime_error(text), remedy_(remedy) {}
    Remedy remedy() const { return remedy_; }

  private:
    Remedy remedy_;
};

/// Wrong usage or wrong input: a file, a shape, a value. A program ends with status 2.
/// The text is one sentence that names the thing, the value found and the value expected.
class InputError : public Error {
  public:
    template <class... Args>
    explicit InputError(fmt::format_string<Args...> text, Args&&... args)
        : Error(Remedy::None, fmt::format(text, std::forward<Args>(args)...)) {}
    template <class... Args>
    explicit InputError(Remedy remedy, fmt::format_string<Args...> text, Args&&... args)
        : Error(remedy, fmt::format(text, std::forward<Args>(args)...)) {}
};

/// More memory was asked for than a device has. The text is what follows "out of memory on ".
class OutOfMemory : public InputError {
  public:
    template <class... Args>
    explicit OutOfMemory(fmt::format_string<Args...> text, Args&&... args)
        : InputError(Remedy::LessMemory, "out of memory on {}",
                     fmt::format(text, std::forward<Args>(args)...)) {}
};

/// A run that was asked for correctly and failed: a full disk, a diverged loss, no memory. Status 1.
class RunError : public Error {
  public:
    template <class... Args>
    explicit RunError(fmt::format_string<Args...> text, Args&&... args)
        : Error(Remedy::None, fmt::format(text, std::forward<Args>(args)...)) {}
    template <class... Args>
    explicit RunError(Remedy remedy, fmt::format_string<Args...> text, Args&&... args)
        : Error(remedy, fmt::format(text, std::forward<Args>(args)...)) {}
};

/// An operation ended early because it was asked to stop; none of its results are valid.
class Interrupted : public std::runtime_error {
  public:
    Interrupted() : std::runtime_error("interrupted") {}
};

}  // namespace deepfreq
