#include "runs/report.h"

#include <spdlog/spdlog.h>

namespace deepfreq {

void report_line(const std::string& line) {
    spdlog::info(line);
}

void warn_line(const std::string& line) {
    spdlog::warn(line);
}

}  // namespace deepfreq
