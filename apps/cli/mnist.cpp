#include "apps/cli/mnist.h"

#include <spdlog/spdlog.h>

#include "data/mnist.h"
#include "runs/progress.h"

namespace deepfreq {

TrainValidation load_mnist_telling(const std::string& place) {
    MnistOptions options;
    options.data = place;
    options.notice = [](const std::string& line) { spdlog::info(line); };
    options.download.progress = show_download;
    TrainValidation data = load_mnist(options);
    spdlog::info("data: {}", data.source);
    return data;
}

}  // namespace deepfreq
