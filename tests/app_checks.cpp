#include "tests/app_checks.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "tests/files.h"
#include "tests/process.h"

namespace deepfreq {

void check_refusal(const std::string& app, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& words, int status) {
    const TemporaryFolder folder;
    Process process(app, arguments, folder.path);
    CAPTURE(fmt::format("{}", fmt::join(arguments, " ")));
    CHECK(process.wait() == status);
    const std::string sentence = process.errors();
    CAPTURE(sentence);
    CHECK(sentence.starts_with("error: "));
    CHECK(std::ranges::count(sentence, '\n') == 1);
    for (const std::string& word : words) CHECK_MESSAGE(contains(sentence, word), word);
}

void check_same_files(const std::filesystem::path& found, const std::filesystem::path& expected,
                      std::initializer_list<const char*> names) {
    for (const char* name : names) {
        CAPTURE(std::string(name));
        const std::string bytes = text_of(found / name);
        CHECK(!bytes.empty());
        CHECK(bytes == text_of(expected / name));
    }
}

namespace {

/// Returns how often the run was killed before it was done.
int kills_until_done(const std::string& app, const std::vector<std::string>& begin,
                     const std::filesystem::path& out, double longest, int at_most) {
    const TemporaryFolder folder;
    std::mt19937 random(2026);
    std::uniform_real_distribution<double> moment(0.0, longest);
    for (int kills = 0;; ++kills) {
        const bool resumable = std::filesystem::exists(out / "config.toml");
        Process process(app, resumable ? std::vector<std::string>{"--resume", out.string()} : begin,
                        folder.path);
        if (kills < at_most) {
            std::this_thread::sleep_for(std::chrono::duration<double>(moment(random)));
            process.signal(SIGKILL);
        }
        const int status = process.wait();
        if (status == 0) return kills;
        REQUIRE(status == 128 + SIGKILL);
    }
}

}  // namespace

void kill_until_done(const std::string& app, const std::vector<std::string>& begin,
                     const std::filesystem::path& out, double longest, Kills wanted) {
    for (;; longest /= 2.0) {
        const int kills = kills_until_done(app, begin, out, longest, wanted.at_most);
        MESSAGE("killed ", kills, " times");
        if (kills >= wanted.at_least) return;
        std::filesystem::remove_all(out);
    }
}

}  // namespace deepfreq
