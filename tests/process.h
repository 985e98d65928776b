#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace deepfreq {

/// A program of the build's bin folder as a child process, its output kept in a folder.
class Process {
  public:
    /// Starts it; stdout and stderr go to `folder`/stdout and `folder`/stderr.
    Process(const std::string& program, const std::vector<std::string>& arguments,
            std::filesystem::path folder);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void signal(int number) const;
    /// Waits for its end: the exit status, or 128 + the signal that ended it.
    int wait();
    /// Its largest resident memory, once it has been waited for; or that of this process when it started it, if
    /// that was larger.
    std::int64_t peak_bytes() const { return peak_bytes_; }
    std::string output() const;
    std::string errors() const;

  private:
    std::filesystem::path folder_;
    pid_t child_ = 0;
    std::int64_t peak_bytes_ = 0;
};

}  // namespace deepfreq
