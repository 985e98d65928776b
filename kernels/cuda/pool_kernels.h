#pragma once

#include <cstdint>

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/block.h"

// One thread per element. Images are [n,h,w,c]; windows of height x width tile them.

namespace deepfreq::cuda {

/// How windows map to pixels, for an image of `rows` x `columns` pixels (the large one) and its pooled image.
struct Windows {
    std::int64_t rows, columns, channels;
    std::int64_t height, width;

    Windows(const Shape& large, const PoolParams& params)
        : rows(large[1]), columns(large[2]), channels(large[3]), height(params.height), width(params.width) {}

    /// First element, in the large image, of the window for element `small` of the pooled one.
    DEEPFREQ_HOST_DEVICE std::int64_t first_of(std::int64_t small) const {
        const std::int64_t channel = small % channels;
        const std::int64_t pixel = small / channels;
        const std::int64_t column = pixel % (columns / width);
        const std::int64_t row = pixel / (columns / width);  // of all images
        return ((row * height) * columns + column * width) * channels + channel;
    }
    /// Element of the pooled image whose window contains element `large`.
    DEEPFREQ_HOST_DEVICE std::int64_t pooled(std::int64_t large) const {
        const std::int64_t channel = large % channels;
        const std::int64_t pixel = large / channels;
        const std::int64_t column = pixel % columns / width;
        const std::int64_t row = pixel / columns / height;
        return (row * (columns / width) + column) * channels + channel;
    }
    /// Offset from a window's first element to the one r rows and s columns further on.
    DEEPFREQ_HOST_DEVICE std::int64_t offset(std::int64_t r, std::int64_t s) const {
        return (r * columns + s) * channels;
    }
};

/// y[i] = mean of window i.
struct AverageWindow {
    Windows windows;
    const float* x;
    float* y;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const float* const first = x + windows.first_of(i);
        float sum = 0.0F;
        for (std::int64_t r = 0; r < windows.height; ++r)
            for (std::int64_t s = 0; s < windows.width; ++s) sum += first[windows.offset(r, s)];
        y[i] = sum * (1.0F / static_cast<float>(windows.height * windows.width));
    }
};

/// dx[i] = its window's dy / (height width).
struct AverageWindowBackward {
    Windows windows;
    const float* dy;
    float* dx;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        dx[i] = dy[windows.pooled(i)] * (1.0F / static_cast<float>(windows.height * windows.width));
    }
};

/// y[i] = the largest element of window i, or NaN if it contains one.
struct LargestOfWindow {
    Windows windows;
    const float* x;
    float* y;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const float* const first = x + windows.first_of(i);
        float largest = *first;
        for (std::int64_t r = 0; r < windows.height; ++r)
            for (std::int64_t s = 0; s < windows.width; ++s) {
                const float value = first[windows.offset(r, s)];
                // The second test makes NaN win. Nothing is larger than NaN, so it stays.
                if (value > largest || value != value) largest = value;
            }
        y[i] = largest;
    }
};

/// dx of window i: dy[i] at its largest element (the first one in case of ties), else 0.
struct LargestOfWindowBackward {
    Windows windows;
    const float* x;
    const float* y;
    const float* dy;
    float* dx;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t first = windows.first_of(i);
        bool found = false;
        for (std::int64_t r = 0; r < windows.height; ++r)
            for (std::int64_t s = 0; s < windows.width; ++s) {
                const std::int64_t at = first + windows.offset(r, s);
                const bool here = !found && (x[at] == y[i] || x[at] != x[at]);
                dx[at] = here ? dy[i] : 0.0F;
                found = found || here;
            }
    }
};

template <class Device>
void BackendOn<Device>::execute(const AveragePoolForward& op) {
    device_.each(op.y.elements(), AverageWindow{Windows(op.x.shape, op.params), op.x.data, op.y.data});
}

template <class Device>
void BackendOn<Device>::execute(const AveragePoolBackward& op) {
    device_.each(op.dx.elements(),
                 AverageWindowBackward{Windows(op.dx.shape, op.params), op.dy.data, op.dx.data});
}

template <class Device>
void BackendOn<Device>::execute(const MaxPoolForward& op) {
    device_.each(op.y.elements(), LargestOfWindow{Windows(op.x.shape, op.params), op.x.data, op.y.data});
}

template <class Device>
void BackendOn<Device>::execute(const MaxPoolBackward& op) {
    device_.each(op.y.elements(), LargestOfWindowBackward{Windows(op.x.shape, op.params), op.x.data,
                                                          op.y.data, op.dy.data, op.dx.data});
}

}  // namespace deepfreq::cuda
