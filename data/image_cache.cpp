#include "data/image_cache.h"

#include <zlib.h>

#include <fstream>

#include "common/atomic_file.h"

namespace deepfreq {
namespace {

// The file: the format's name, the key, the sets (see fields()), and a CRC-32 of everything before it.
// Numbers are in this machine's representation, texts and arrays are preceded by their length.
constexpr const char* format_name = "deepfreq images 1";

class Writer {
  public:
    explicit Writer(const std::filesystem::path& path) : file_(path) {}

    void operator()(std::int64_t number) { bytes(&number, sizeof number); }
    template <class Sequence>  // of bytes
    void operator()(const Sequence& values) {
        (*this)(std::ssize(values));
        bytes(values.data(), values.size());
    }
    void operator()(const std::vector<std::string>& texts) {
        (*this)(std::ssize(texts));
        for (const std::string& text : texts) (*this)(text);
    }
    void commit() {
        (*this)(static_cast<std::int64_t>(crc_));
        file_.commit();
    }

  private:
    void bytes(const void* data, std::size_t size) {
        if (size == 0) return;  // crc32 takes empty input as a restart
        file_.write(data, size);
        crc_ = crc32_z(crc_, static_cast<const Bytef*>(data), size);
    }
    AtomicFile file_;
    uLong crc_ = 0;
};

// A length greater than the rest of the file fails, just like a file that ends too soon.
class Reader {
  public:
    explicit Reader(const std::filesystem::path& path) : file_(path, std::ios::binary) {
        std::error_code missing;
        left_ = std::filesystem::file_size(path, missing);
        if (missing) file_.setstate(std::ios::failbit);
    }

    void operator()(std::int64_t& number) { bytes(&number, sizeof number); }
    template <class Sequence>
    void operator()(Sequence& values) {
        values.resize(length());
        bytes(values.data(), values.size());
    }
    void operator()(std::vector<std::string>& texts) {
        const std::size_t count = length();
        if (count > left_ / sizeof(std::int64_t))
            return file_.setstate(std::ios::failbit);  // each is preceded by a length
        texts.resize(count);
        for (std::string& text : texts) (*this)(text);
    }
    bool verified() {
        const auto expected = static_cast<std::int64_t>(crc_);
        std::int64_t found = 0;
        (*this)(found);
        return file_ && left_ == 0 && found == expected;
    }

  private:
    std::size_t length() {
        std::int64_t number = 0;
        (*this)(number);
        if (number >= 0 && static_cast<std::uint64_t>(number) <= left_)
            return static_cast<std::size_t>(number);
        file_.setstate(std::ios::failbit);
        return 0;
    }
    void bytes(void* data, std::size_t size) {
        if (size == 0) return;
        if (!file_.read(static_cast<char*>(data), static_cast<std::streamsize>(size))) return;
        left_ -= size;
        crc_ = crc32_z(crc_, static_cast<const Bytef*>(data), size);
    }
    std::ifstream file_;
    std::uintmax_t left_ = 0;
    uLong crc_ = 0;
};

// The order of the fields, for both reading and writing.
template <class Stream, class Set>
void fields(Stream& stream, Set& set) {
    stream(set.name), stream(set.height), stream(set.width), stream(set.channels);
    stream(set.classes), stream(set.checksum), stream(set.labels), stream(set.pixels);
}

}  // namespace

void write_image_cache(const std::filesystem::path& path, const std::string& key, const ImageSets& images) {
    Writer writer(path);
    writer(std::string(format_name));
    writer(key);
    fields(writer, images.train);
    fields(writer, images.test);
    writer(images.source);
    writer.commit();
}

std::optional<ImageSets> read_image_cache(const std::filesystem::path& path, const std::string& key) {
    Reader reader(path);
    std::string format;
    std::string found_key;
    reader(format);
    reader(found_key);
    if (format != format_name || found_key != key) return std::nullopt;
    ImageSets images;
    fields(reader, images.train);
    fields(reader, images.test);
    reader(images.source);
    if (!reader.verified()) return std::nullopt;
    return images;
}

}  // namespace deepfreq
