#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

// What a program tells its user, line by line. spdlog writes the lines; its default logger says where to.

namespace deepfreq {

void report_line(const std::string& line);
void warn_line(const std::string& line);

/// A line about what is done or was found.
template <class... Args>
void report(fmt::format_string<Args...> text, Args&&... args) {
    report_line(fmt::format(text, std::forward<Args>(args)...));
}

/// A line about something the user may want to change.
template <class... Args>
void warn(fmt::format_string<Args...> text, Args&&... args) {
    warn_line(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace deepfreq
