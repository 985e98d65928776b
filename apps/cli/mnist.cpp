#include "apps/cli/mnist.h"

#include "data/mnist.h"
#include "runs/progress.h"
#include "runs/report.h"

namespace deepfreq {

TrainValidation load_mnist_telling(const std::string& place) {
    MnistOptions options;
    options.data = place;
    options.notice = report_line;
    options.download.progress = show_download;
    TrainValidation data = load_mnist(options);
    report("data: {}", data.source);
    return data;
}

}  // namespace deepfreq
