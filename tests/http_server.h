#pragma once

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace deepfreq {

/// tests/http_server.py as a child process, which serves the files of a folder and ends with this object.
class HttpServer {
  public:
    explicit HttpServer(const std::filesystem::path& folder) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        child_ = ::fork();
        REQUIRE(child_ >= 0);
        if (child_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(ends[1], STDOUT_FILENO);
            const char* script = DEEPFREQ_TEST_DIR "/http_server.py";
            ::execl("/usr/bin/python3", "python3", script, folder.c_str(), nullptr);
            ::execlp("python3", "python3", script, folder.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(ends[1]);
        FILE* output = ::fdopen(ends[0], "r");
        const int read = std::fscanf(output, "%d", &port_);
        std::fclose(output);
        REQUIRE_MESSAGE(read == 1, "python3 could not start tests/http_server.py");
    }
    ~HttpServer() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// "http://127.0.0.1:PORT/ROUTE/"
    std::string at(const std::string& route) const {
        return fmt::format("http://127.0.0.1:{}/{}/", port_, route);
    }

  private:
    pid_t child_ = -1;
    int port_ = 0;
};

}  // namespace deepfreq
