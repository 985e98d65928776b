#include "runs/drawing.h"

#include "analysis/figures.h"
#include "runs/manifest.h"
#include "runs/report.h"

namespace deepfreq {

void draw_figures_of(const std::filesystem::path& run, const std::string& program) {
    const std::string failure = draw_figures(source_file(program), run);
    if (!failure.empty()) warn_line(failure);
}

}  // namespace deepfreq
