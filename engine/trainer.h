#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/error.h"
#include "engine/checkpoint.h"
#include "engine/device_dataset.h"
#include "engine/learning_rate.h"
#include "engine/loss.h"
#include "engine/network.h"

namespace deepfreq {

struct TrainerOptions {
    Loss loss = Loss::MeanSquaredError;
    LearningRateSchedule learning_rate = 1e-5;
    AdamParams adam = {};
    bool reset_adam = false;      ///< whether its moments and step count begin anew where the rate changes
    std::uint64_t seed = 0;       ///< of the order of the samples
    AugmentParams augment = {};   ///< of the images of a batch, for sets that are images
    bool gradient_norms = false;  ///< whether Trainer::gradient_norms is kept
    /// Whether a step is captured once for each size of batch and then replayed (Backend::capture); the
    /// results are the same.
    bool capture_steps = true;
};

/// A batch's loss was NaN or infinite.
class DivergedError : public RunError {
    using RunError::RunError;
};

/// Mean loss and share of samples classified right, over a whole set; the share is NaN where the set has no
/// labels.
struct Evaluation {
    double loss = 0.0;
    double accuracy = 0.0;
};

/// Trains a network on a set by Adam, batch after batch in an order drawn anew every epoch from (seed,
/// epoch). The last batch of an epoch is smaller when the batch does not divide the set.
class Trainer {
  public:
    /// The three must outlive the trainer. Throws InputError when the widths of network and set differ,
    /// and when what is to be augmented are no images, or smaller than the crop.
    Trainer(Backend& backend, Network& network, const DeviceDataset& train, const TrainerOptions& options);

    /// Epochs finished, and steps of the current one.
    std::int64_t epoch() const { return epoch_; }
    std::int64_t step() const { return step_; }
    std::int64_t steps_per_epoch() const;

    /// Runs to the end of the current epoch; true when it got there. `go_on`, called after every step, ends
    /// it there by returning false; the next call goes on with the next step. Throws DivergedError naming
    /// epoch and step.
    bool finish_epoch(const std::function<bool()>& go_on);

    /// Of the last finished epoch: for each layer, the root of the mean over the steps of |dLoss/d(w,b)|^2,
    /// its weights and biases taken together; 0 for a layer that has none. Summed on the device within the
    /// steps. Empty before the first epoch, after restore(), and unless the options ask for it.
    const std::vector<double>& gradient_norms() const { return gradient_norms_; }

    /// Loss and accuracy over a whole set, by the network as it is.
    Evaluation evaluate(const DeviceDataset& set);

    /// State of network, optimiser and batches, under the header's names "network", "epoch", "step",
    /// "sample", "update", "restart" and, with gradient_norms, "squared_norms".
    Checkpoint save();

    /// Goes on from there, bit for bit. Throws InputError naming `path` when it is of another network.
    void restore(const Checkpoint& checkpoint, const std::filesystem::path& path);

  private:
    void begin_epoch();
    void write_state(StepState now);
    void finish_gradient_norms();
    void save_squared_norms(Checkpoint& checkpoint);
    void restore_squared_norms(const Checkpoint& checkpoint, const std::filesystem::path& path);
    void train_step();
    void check_augmentation() const;
    void queue_step(std::int64_t n);
    void queue_batch(Tensor x, Tensor t);
    void check_losses();
    std::int64_t batch_size(std::int64_t first, std::int64_t samples) const;
    TensorView<StepState> state() const { return state_.view<StepState>({1}); }
    std::vector<NamedTensor> checkpointed() const;
    TensorView<double> sums() const { return sums_.view<double>({steps_per_epoch()}); }
    TensorView<std::int32_t> permutation() const {
        return permutation_.view<std::int32_t>({train_.samples()});
    }
    TensorView<double> squared_norms() const { return squared_norms_.view<double>({network_.depth()}); }
    Tensor moment(const Buffer& buffer) const { return buffer.view<float>(network_.parameters().shape); }

    Backend& backend_;
    Network& network_;
    const DeviceDataset& train_;
    TrainerOptions options_;
    std::int64_t epoch_ = 0;
    std::int64_t step_ = 0;
    bool epoch_begun_ = false;
    Buffer m_, v_;              // Adam's moments
    Buffer batch_x_, batch_t_;  // the gathered batch
    Buffer permutation_, sums_, state_;
    Buffer layer_bounds_, squared_norms_;  // of the gradients, summed over the steps of an epoch
    std::vector<double> gradient_norms_;
    // evaluate(): kept from call to call, for asking for memory costs more than a small network's evaluation
    Buffer evaluated_sums_, evaluated_, hits_;
    std::map<std::int64_t, std::unique_ptr<Graph>> steps_;  // by size of batch; empty until it ran once
};

}  // namespace deepfreq
