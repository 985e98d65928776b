#include "apps/common/mnist.h"

#include <spdlog/spdlog.h>

#include "apps/common/progress.h"
#include "data/mnist.h"

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
