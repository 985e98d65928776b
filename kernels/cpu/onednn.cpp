#include "kernels/cpu/onednn.h"

#include <utility>

#include "kernels/cpu/bfloat16.h"

namespace deepfreq::onednn {
namespace {

void execute(const dnnl::reorder& reorder, const dnnl::memory& from, const dnnl::memory& to) {
    reorder.execute(stream(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

/// Whole cache lines.
std::size_t padded(std::size_t bytes) {
    constexpr std::size_t line = 64;
    return (bytes + line - 1) / line * line;
}

std::size_t rounded_bytes(const Operand& factor) {
    return padded(static_cast<std::size_t>(factor.elements()) * sizeof(float));
}

}  // namespace

const dnnl::engine& engine() {
    static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

dnnl::stream& stream() {
    static dnnl::stream in_order(engine());
    return in_order;
}

bool has(dnnl_cpu_isa_t instructions) {
    // Each value of the enumeration contains the bits of those it includes.
    return (dnnl_get_effective_cpu_isa() & instructions) == instructions;
}

bool multiplies_bfloat16() {
    return has(dnnl_cpu_isa_avx512_core_bf16);
}

dnnl::memory::data_type factor_type(Precision precision) {
    const bool halves = precision == Precision::BFloat16 && multiplies_bfloat16();
    return halves ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

std::size_t Operand::bytes_of_copy() const {
    return ours_ == chosen_ ? 0 : padded(chosen_.get_size());
}

dnnl::memory Operand::ours(const float* data) const {
    return {ours_, engine(), const_cast<float*>(data)};  // oneDNN's handles have no const
}

dnnl::memory Operand::chosen(const float* data, std::byte* copy) const {
    return ours_ == chosen_ ? ours(data) : dnnl::memory(chosen_, engine(), copy);
}

Pass::Pass(Precision precision, dnnl::primitive primitive, const Operand& left, const Operand& right,
           const Operand& result)
    : rounds_(precision == Precision::BFloat16 && !multiplies_bfloat16()),
      primitive_(std::move(primitive)),
      operands_{left, right, result} {
    for (const std::size_t i : {0, 1})
        if (operands_[i].bytes_of_copy() > 0) reorders_[i] = operands_[i].from_ours();
    if (result.bytes_of_copy() > 0) reorders_[2] = result.to_ours();
}

std::size_t Pass::bytes() const {
    std::size_t sum = 0;
    for (const Operand& operand : operands_) sum += operand.bytes_of_copy();
    if (rounds_) sum += rounded_bytes(operands_[0]) + rounded_bytes(operands_[1]);
    return sum;
}

void Pass::run(const float* left, const float* right, float* result, Workspace& workspace) const {
    std::byte* room = workspace.room<std::byte>(static_cast<std::int64_t>(bytes()));
    std::array<const float*, 3> data{left, right, result};
    std::array<dnnl::memory, 3> chosen;
    for (std::size_t i = 0; i < 3; ++i) {
        const Operand& operand = operands_[i];
        if (rounds_ && i < 2) {
            auto* const copy = reinterpret_cast<float*>(room);
            round_to_bfloat16(data[i], operand.elements(), copy);
            data[i] = copy;
            room += rounded_bytes(operand);
        }
        chosen[i] = operand.chosen(data[i], room);
        room += operand.bytes_of_copy();
        if (const auto& reorder = reorders_[i]; reorder && i < 2)
            execute(*reorder, operand.ours(data[i]), chosen[i]);
    }
    primitive_.execute(stream(), {{operands_[0].argument(), chosen[0]},
                                  {operands_[1].argument(), chosen[1]},
                                  {operands_[2].argument(), chosen[2]}});
    if (const auto& reorder = reorders_[2]) execute(*reorder, chosen[2], operands_[2].ours(result));
}

}  // namespace deepfreq::onednn
