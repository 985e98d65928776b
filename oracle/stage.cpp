#include "oracle/stage.h"

#include <algorithm>
#include <span>

namespace deepfreq::oracle {
namespace {

// NaN as float and double, -1 as an integer.
constexpr std::byte poison{0xFF};

}  // namespace

void Stage::returned(const std::string& name, std::vector<double> values) {
    const auto bytes = std::as_bytes(std::span(values));
    returned_.push_back({name, values, {bytes.begin(), bytes.end()}});
}

void* Stage::place_bytes(const std::string& name, std::size_t band, std::size_t size, const void* values,
                         std::function<std::vector<double>(const std::byte*)> to_double) {
    const std::size_t total = size + 2 * band;
    Block block{name, backend_.allocate(total), std::vector<std::byte>(total, poison), band,
                size, std::move(to_double)};
    if (values != nullptr) std::memcpy(block.before.data() + band, values, size);
    backend_.upload(std::span<const std::byte>(block.before),
                    block.memory.view<std::byte>({static_cast<std::int64_t>(total)}));
    std::byte* const first = static_cast<std::byte*>(block.memory.data()) + band;
    blocks_.push_back(std::move(block));
    return first;
}

Outcome Stage::finish() {
    Outcome outcome;
    const auto complain_unless = [&](bool well, const Block& block, const char* complaint) {
        const std::string tensor = block.name.empty() ? "an input" : block.name;
        if (!well) outcome.complaints.push_back(tensor + ": " + complaint);
    };
    for (const Block& block : blocks_) {
        std::vector<std::byte> after(block.before.size());
        backend_.download(block.memory.view<const std::byte>({static_cast<std::int64_t>(after.size())}),
                          std::span<std::byte>(after));
        const auto begin = after.begin() + static_cast<std::ptrdiff_t>(block.band);
        const auto end = begin + static_cast<std::ptrdiff_t>(block.size);
        const auto is_poison = [](std::byte byte) { return byte == poison; };
        complain_unless(std::all_of(after.begin(), begin, is_poison), block,
                        "memory before the tensor was written");
        complain_unless(std::all_of(end, after.end(), is_poison), block,
                        "memory past the end of the tensor was written");
        if (block.name.empty())
            complain_unless(after == block.before, block, "it was changed");
        else
            outcome.outputs.push_back({block.name, block.to_double(&*begin), {begin, end}});
    }
    outcome.outputs.insert(outcome.outputs.end(), returned_.begin(), returned_.end());
    return outcome;
}

}  // namespace deepfreq::oracle
