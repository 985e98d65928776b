#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

// What the tests of the apps check alike.

namespace deepfreq {

/// The app ends with `status` and one sentence on stderr that holds every one of the words.
void check_refusal(const std::string& app, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& words, int status = 2);

/// Both folders hold these files, not empty, with the same bytes.
void check_same_files(const std::filesystem::path& found, const std::filesystem::path& expected,
                      std::initializer_list<const char*> names = {"metrics.csv", "lfr.csv", "rdf.csv",
                                                                  "peaks.csv", "checkpoint"});

/// How often a run is to be killed.
struct Kills {
    int at_least, at_most;
};

/// Starts the app with `begin`, kills it within `longest` seconds, drawn anew each time, and resumes the run
/// in `out` until it is done; the first `at_most` times it is killed. A run that was done too soon, because
/// the machine is quicker than `longest` was made for, is removed and made anew with half of that.
void kill_until_done(const std::string& app, const std::vector<std::string>& begin,
                     const std::filesystem::path& out, double longest, Kills wanted);

}  // namespace deepfreq
