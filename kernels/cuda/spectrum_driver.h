#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "common/error.h"
#include "kernels/buffer.h"
#include "kernels/cuda/spectrum_backend_on.h"
#include "kernels/cuda/spectrum_energies.h"
#include "kernels/cuda/spectrum_samples.h"
#include "kernels/cuda/spectrum_sums.h"
#include "kernels/filter_nodes.h"

// Energy of the low-frequency part (eqs. 3 to 5) for a grid of widths, on the device: the sequence of
// kernels.
//
// `Device` runs them: StreamDevice (stream_device.h) on the GPU, tests/host_device.h on the host. Its
// MatrixUnit computes the products of a tile (spectrum_products.h) and those with targets
// (spectrum_targets.h).

namespace deepfreq::cuda::spectrum {

/// The errors of weights and their cost, in products, for choose_nodes. With general targets, splitting a weight
/// costs 4. Multiplying it with eight targets and adding the products costs 7/8. A width's fit takes 68 µs on the
/// host, while a GPU makes 7e8 products.
inline WeightArithmetic arithmetic_for(int columns, bool one_hot) {
    return {.exponential_error = exponential_error,
            .product_error = 0x1p-24,
            .rounding_error = one_hot ? 0.0 : split_error,
            .exponential_cost = 6.0,
            .sum_cost = one_hot ? 1.0 : 4.0 + 0.875 * static_cast<double>(blocks_for(columns, 8)),
            .fit_cost = 7e8,
            .longest_chain = longest_chain,
            .most_octaves_per_exponential = 1};
}

/// The same chains, cut into lengths that the kernels have.
inline std::vector<WeightChain> cut_chains(std::span<const WeightChain> chains) {
    std::vector<WeightChain> out;
    for (WeightChain left : chains)
        while (left.count > 0) {
            // Prefers two halves to one long chain and single ones.
            const int count = *std::ranges::find_if(
                chain_lengths, [&](int length) { return length == left.count || 2 * length <= left.count; });
            out.push_back({count, left.first, count > 1 ? left.step : 0.0F});
            left.first += static_cast<float>(count) * left.step;
            left.count -= count;
        }
    return out;
}

/// GaussianLowFrequencyEnergy and GaussianLowFrequencyRowEnergies. n, c and the number of 1/delta values are
/// at least 1.
template <class Device>
class LowFrequencyEnergy {
  public:
    /// All rows receive if none is listed.
    LowFrequencyEnergy(Device& device, const SpectrumSamples& samples, const LowFrequencyParams& params,
                       std::span<const std::int64_t> rows = {})
        : device_(device),
          targets_(device, samples.y),
          listed_(device, rows, targets_.order(), samples.x.rows()),
          features_(device, samples.x, params.scale, targets_.order(), listed_),
          pairs_(features_.pairs()),
          exponents_(samples.inv_deltas.begin(), samples.inv_deltas.end()),
          pass_(plan(params)),
          partition_(partition(targets_.starts(), pass_.parts, pass_.symmetric ? tile_rows : tile_columns)),
          segments_(on_device(partition_.segments)),
          first_segment_(on_device(partition_.first_segment)),
          starts_(on_device(targets_.starts())),
          value_(device.template take<float>(
              targets_.one_hot() ? 0 : padded_rows_of(samples.x.rows()) * targets_.columns())),
          mean_(device.template take<double>(targets_.columns())),
          sums_(device.template take<math::CompensatedSum>(in_pass() * pass_.nodes * segment_count() *
                                                           targets_.columns())),
          exclude_self_(params.exclude_self),
          nearest_(device.template take<double>(exclude_self_ ? padded_rows_of(pairs_.rows.n) : 0)),
          params_(params) {
        if (targets_.one_hot()) return;
        device.each(padded_rows_of(samples.x.rows()) * targets_.columns(),
                    FillTargets{samples.y.data, targets_.order(), samples.x.rows(), samples.y.columns(),
                                targets_.unit(), value_.data()});
        column_means(device, value_.data(), samples.x.rows(), targets_.columns(), mean_.data());
    }

    /// energy[k] over all receiving rows.
    std::vector<double> compute() {
        std::vector<double> energy(exponents_.size(), 0.0);
        for_each_part([&](const Part& part, const double* of_row) {
            const auto of_block = device_.template take<double>(part.row_blocks * part.widths);
            device_.each(part.row_blocks * part.widths, BlockEnergies{of_row, of_block.data()});
            const std::vector<double> found = device_.read(of_block.data(), part.row_blocks * part.widths);
            for (std::int64_t i = 0; i < std::ssize(found); ++i)
                energy[part.first_width + i % part.widths] += found[i] * unit_of_energy();
        });
        return energy;
    }

    /// energy[r][k] of each receiving row.
    std::vector<double> compute_rows() {
        const std::int64_t rows = pairs_.rows.n, widths = std::ssize(exponents_);
        std::vector<double> energy(static_cast<std::size_t>(rows * widths));
        for_each_part([&](const Part& part, const double* of_row) {
            const std::vector<double> found = device_.read(of_row, part.row_blocks * part.widths * tile_rows);
            for (std::int64_t i = 0; i < std::ssize(found); ++i) {
                const std::int64_t row =
                    part.first_row + i / tile_rows / part.widths * tile_rows + i % tile_rows;
                if (row < rows)
                    energy[row * widths + part.first_width + i / tile_rows % part.widths] =
                        found[i] * unit_of_energy();
            }
        });
        return energy;
    }

  private:
    /// Number of energies of rows at widths that are kept at a time.
    static constexpr std::int64_t row_energies_limit = std::int64_t{8} << 20;

    /// Rows and widths whose energies become known together, laid out as in RowEnergies.
    struct Part {
        std::int64_t first_row, row_blocks;
        std::int64_t first_width, widths;
    };

    double unit_of_energy() const { return targets_.unit() * targets_.unit(); }

    /// Chooses the nodes and the size of a pass.
    Pass plan(const LowFrequencyParams& params) {
        const double unit = features_.unit();
        for (double& value : exponents_) value *= 0.5 * unit * unit;
        const std::int64_t samples = pairs_.columns.n;
        nodes_ = choose_nodes(exponents_, samples, features_.largest_distance(), arithmetic(), params.sums,
                              params.stop);
        const auto at_widths = pairs_.listed() ? plan_listed_pass : plan_pass_at_widths;
        const auto first_plan = pairs_.listed() || nodes_.are_widths() ? at_widths : plan_pass_at_nodes;
        Problem problem{pairs_.rows.n, samples, std::max(nodes_.count, 1), targets_.runs(),
                        targets_.columns()};
        Pass pass = first_plan(problem, device_.limits());
        widths_per_pass_ = exponents_.size();
        const bool may_be_symmetric = targets_.one_hot() && !pairs_.listed() && !params.exclude_self;
        const double distance = cost_of_distance(pairs_.columns.chunks, pairs_.columns.direct);
        if (pass.nodes == problem.nodes)
            return may_be_symmetric ? or_symmetric(pass, problem, distance, device_.limits()) : pass;
        // Not all sums fit. Widths, unlike nodes, can be taken a few at a time.
        problem.nodes = static_cast<int>(exponents_.size());
        pass = at_widths(problem, device_.limits());
        widths_per_pass_ = static_cast<std::size_t>(pass.nodes);
        nodes_ = nodes_at_widths(std::span<const double>(exponents_).first(widths_per_pass_), arithmetic());
        return pass;
    }
    WeightArithmetic arithmetic() const { return arithmetic_for(targets_.columns(), targets_.one_hot()); }

    template <class T>
    auto on_device(const std::vector<T>& from) const {
        auto memory = device_.template take<T>(std::ssize(from));
        device_.write(from, memory.data());
        return memory;
    }

    std::int64_t row_blocks() const { return blocks_for(pairs_.rows.n, tile_rows); }
    /// Rows of a pass, including the padding of its last block.
    std::int64_t in_pass() const { return pass_.row_blocks * tile_rows; }
    std::int64_t segment_count() const { return static_cast<std::int64_t>(partition_.segments.size()); }

    /// With exclude_self: finds the squared distance of every row to its nearest other row.
    void find_nearest() {
        const std::int64_t rows = row_blocks() * tile_rows;
        const auto parts = static_cast<int>(std::clamp<std::int64_t>(
            blocks_for(waves_wanted * device_.limits().resident_blocks, row_blocks()), 1,
            blocks_for(pairs_.columns.n, tile_columns)));
        const auto of_parts = device_.template take<double>(parts * rows);
        device_.blocks(row_blocks() * parts, NearestOthers<typename Device::MatrixUnit::Products>{
                                                 pairs_, parts, rows, of_parts.data()});
        device_.each(rows, NearestOfParts{of_parts.data(), parts, rows, nearest_.data()});
    }

    /// Calls take(part, energies on the device) until all rows and widths are covered.
    template <class Take>
    void for_each_part(const Take& take) {
        if (exclude_self_) find_nearest();
        const std::span<const double> exponents(exponents_);
        for (std::size_t first = 0; first < exponents.size(); first += widths_per_pass_) {
            if (first > 0)
                nodes_ = nodes_at_widths(
                    exponents.subspan(first, std::min(widths_per_pass_, exponents.size() - first)),
                    arithmetic());
            for_each_row_part(static_cast<std::int64_t>(first), take);
        }
    }

    /// The same at the widths of nodes_, the first of which is `first_width`.
    template <class Take>
    void for_each_row_part(std::int64_t first_width, const Take& take) {
        const std::vector<WeightChain> cut = cut_chains(nodes_.chains);
        const auto chains = on_device(cut);
        const auto widths = on_device(nodes_.widths);
        const auto coefficients = on_device(nodes_.coefficients);
        const Nodes nodes{chains.data(), static_cast<int>(cut.size()), nodes_.count};
        const std::int64_t width_count = std::ssize(nodes_.widths);
        for (std::int64_t block = 0; block < row_blocks(); block += pass_.row_blocks) {
            if (params_.stop && params_.stop()) throw Interrupted();
            const std::int64_t count = std::min(pass_.row_blocks, row_blocks() - block);
            sum_weights(count, block * tile_rows, nodes);
            const auto at_once =
                std::clamp<std::int64_t>(row_energies_limit / (count * tile_rows), 1, width_count);
            for (std::int64_t first = 0; first < width_count; first += at_once) {
                const std::int64_t some = std::min(at_once, width_count - first);
                const auto of_row = device_.template take<double>(count * tile_rows * some);
                device_.each(
                    count * tile_rows * some,
                    RowEnergies{sums_.data(), segment_count(), starts_.data(), targets_.runs(),
                                targets_.one_hot(), exclude_self_, targets_.columns(), nodes_.count,
                                widths.data() + first, coefficients.data(), static_cast<int>(some),
                                value_.data(), mean_.data(), block * tile_rows, pairs_, of_row.data()});
                take(Part{block * tile_rows, count, first_width + first, some}, of_row.data());
            }
            tell(first_width, width_count, block + count);
        }
    }

    /// Reports progress, except at the very end.
    void tell(std::int64_t first_width, std::int64_t widths, std::int64_t blocks_done) const {
        const double of_pass = static_cast<double>(blocks_done) / static_cast<double>(row_blocks());
        const double done = (static_cast<double>(first_width) + of_pass * static_cast<double>(widths)) /
                            static_cast<double>(exponents_.size());
        if (params_.progress && done < 1.0) params_.progress(done);
    }

    /// sums_ at the nodes, class by class.
    void sum_weights(std::int64_t row_blocks, std::int64_t first_row, const Nodes& nodes) {
        const bool two = device_.limits().tiles_at_once > 1;
        if (pass_.symmetric)
            device_.blocks(squares_of(pass_.parts),
                           SymmetricSums<typename Device::MatrixUnit>{pairs_, nodes, segments_.data(),
                                                                      first_segment_.data(), segment_count(),
                                                                      pass_.parts, sums_.data()});
        else if (targets_.one_hot())
            two ? sum_weights<true, 2>(row_blocks, first_row, nodes)
                : sum_weights<true, 1>(row_blocks, first_row, nodes);
        else
            two ? sum_weights<false, 2>(row_blocks, first_row, nodes)
                : sum_weights<false, 1>(row_blocks, first_row, nodes);
        const std::int64_t lines = std::int64_t{targets_.columns()} * nodes.count * tile_rows;
        device_.each(row_blocks * lines,
                     SumsOfClasses{segments_.data(), segment_count(), lines, sums_.data()});
    }

    template <bool OneHot, int Tiles>
    void sum_weights(std::int64_t row_blocks, std::int64_t first_row, const Nodes& nodes) {
        device_.blocks(row_blocks * pass_.parts,
                       WeightedSums<typename Device::MatrixUnit, OneHot, Tiles>{
                           pairs_, nodes, segments_.data(), first_segment_.data(), segment_count(), first_row,
                           pass_.parts, value_.data(), targets_.columns(),
                           exclude_self_ ? nearest_.data() : nullptr, sums_.data()});
    }

    Device& device_;
    Targets<Device> targets_;
    ListedRows<Device> listed_;
    Features<Device> features_;
    Pairs pairs_;
    std::vector<double> exponents_;  ///< at width k, a pair's weight is exp(-exponents_[k] * distance)
    FilterNodes nodes_;
    std::size_t widths_per_pass_ = 0;
    Pass pass_;
    Partition partition_;
    typename Device::template Memory<Segment> segments_;
    typename Device::template Memory<std::int32_t> first_segment_;
    typename Device::template Memory<std::int64_t> starts_;  ///< of the classes
    typename Device::template Memory<float> value_;
    typename Device::template Memory<double> mean_;  ///< per column of value_
    typename Device::template Memory<math::CompensatedSum> sums_;
    bool exclude_self_;
    typename Device::template Memory<double> nearest_;  ///< with exclude_self: per row
    const LowFrequencyParams& params_;
};

}  // namespace deepfreq::cuda::spectrum

namespace deepfreq::cuda {

template <class Device>
std::vector<double> SpectrumBackendOn<Device>::execute(const GaussianLowFrequencyEnergy& op) {
    const auto current = device_.make_current();
    return spectrum::LowFrequencyEnergy<Device>(device_, op.samples, op.params).compute();
}

template <class Device>
std::vector<double> SpectrumBackendOn<Device>::execute(const GaussianLowFrequencyRowEnergies& op) {
    const auto current = device_.make_current();
    return spectrum::LowFrequencyEnergy<Device>(device_, op.samples, op.params, op.rows).compute_rows();
}

}  // namespace deepfreq::cuda
