#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/download.h"
#include "data/images.h"
#include "data/synthetic_images.h"

namespace deepfreq {

/// Where load_cifar10() looks, and what it does when it finds nothing.
struct Cifar10Options {
    /// A folder that holds CIFAR-10's binary files, directly or in `cifar-10-batches-bin/` (also
    /// below `cifar10/`), or a folder of images (data/image_folder.h); "synthetic" for the synthetic
    /// images; "" to search.
    std::string data = {};
    bool skip_bad_images = false;  ///< in a folder of images
    /// Each ends in '/'; cifar-10-binary.tar.gz is found below it.
    std::vector<std::string> mirrors = {"https://www.cs.toronto.edu/~kriz/"};
    std::string archive_md5 = "c32a1d4ab5d03f1284b67883e8d87530";  ///< as published, of the packed file
    std::int64_t batch_records = 10000;                            ///< images in each file
    DownloadOptions download = {};
    SyntheticImagesOptions synthetic = {};
    /// Called with one line for each thing the user should know: a place skipped, a download started.
    std::function<void(const std::string& line)> notice = {};
};

/// Whether load_cifar10() would read a folder of images, whose extents are known only once it has been read;
/// everything else it returns is 32×32×3.
bool takes_image_folder(const Cifar10Options& options);

/// The 50000 training and 10000 test images of CIFAR-10, 32×32×3 (height, width, then red, green, blue).
///
/// With `data` a folder: from there, or InputError. Else from $DEEPFREQ_DATA, else from the cache folder
/// ($XDG_CACHE_HOME or ~/.cache)/deepfreq/cifar10, else downloaded into it, else (no network, no cache
/// folder) the synthetic images, with the reason in `source`. Files found are read as they are: their
/// checksums are recorded; only downloads must be the published CIFAR-10. Throws InputError for a bad file.
ImageSets load_cifar10(const Cifar10Options& options);

}  // namespace deepfreq
