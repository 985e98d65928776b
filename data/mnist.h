#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/download.h"
#include "data/synthetic_digits.h"

namespace deepfreq {

/// What every set returned by load_mnist() has.
constexpr std::int64_t mnist_features = 28 * 28;
constexpr std::int32_t mnist_classes = 10;

/// Where load_mnist() looks, and what it does when it finds nothing.
struct MnistOptions {
    /// A folder that holds MNIST itself, in `mnist/` or in torchvision's `MNIST/raw/`; "synthetic" for the
    /// synthetic digits; "" to search.
    std::string data = {};
    /// Each ends in '/'; the four gzipped files are found below it.
    std::vector<std::string> mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                        "https://storage.googleapis.com/cvdf-datasets/mnist/"};
    DownloadOptions download = {};
    SyntheticDigitsOptions synthetic = {};
    /// Called with one line for each thing the user should know: a place skipped, a download started.
    std::function<void(const std::string& line)> notice = {};
};

/// The 60000 training and 10000 validation digits of MNIST (`t10k` files), 28×28 in [0, 1].
///
/// With `data` a folder: from there, or InputError. Else from $DEEPFREQ_DATA, else from the cache folder
/// ($XDG_CACHE_HOME or ~/.cache)/deepfreq/mnist, else downloaded into it, else (no network, no cache folder)
/// the synthetic digits, with the reason in `source`. Files found are read as they are, for a user may have
/// images of their own: they are called MNIST only with the published checksums, as downloads must have.
/// Throws InputError for a bad file.
TrainValidation load_mnist(const MnistOptions& options);

}  // namespace deepfreq
