#include "kernels/device_memory.h"

#include "common/error.h"

namespace deepfreq {

Buffer::~Buffer() {
    if (owner_ != nullptr) owner_->release_bytes(data_);
}

void DeviceMemory::check_sizes(const char* operation, std::size_t from, std::size_t to) {
    if (from != to) throw InputError("{}: {} bytes given, room for {} expected", operation, from, to);
}

Buffer DeviceMemory::allocate(std::size_t bytes) {
    void* const data = allocate_bytes(bytes);
    if (data == nullptr)
        throw OutOfMemory("{}: {:.1f} MiB asked for, {:.1f} MiB free", description(),
                          static_cast<double>(bytes) / 0x1p20, static_cast<double>(free_bytes()) / 0x1p20);
    return Buffer(*this, data, bytes);
}

Buffer DeviceMemory::allocate_zeros(Shape shape) {
    Buffer buffer = allocate(static_cast<std::size_t>(shape.elements()) * sizeof(float));
    zero_bytes(buffer.data(), buffer.bytes());
    return buffer;
}

void DeviceMemory::copy(ConstTensor from, Tensor to) {
    check_sizes("copy", bytes_of(from), bytes_of(to));
    copy_bytes(from.data, to.data, bytes_of(from));
}

}  // namespace deepfreq
