#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/error.h"
#include "engine/device_dataset.h"
#include "engine/learning_rate.h"
#include "engine/loss.h"
#include "engine/network.h"

namespace deepfreq {

struct Checkpoint;

struct TrainerOptions {
    Loss loss = Loss::MeanSquaredError;
    LearningRateSchedule learning_rate = 1e-5;
    AdamParams adam = {};
    bool reset_adam = false;      ///< whether to reset its moments and step count when the rate changes
    std::uint64_t seed = 0;       ///< of the order of the samples
    AugmentParams augment = {};   ///< of the images of a batch, for sets of images
    bool gradient_norms = false;  ///< whether to compute Trainer::gradient_norms
    /// Whether to capture a step once per batch size and then replay it (Backend::capture); the results are
    /// the same.
    bool capture_steps = true;
};

/// A batch's loss was NaN or infinite.
class DivergedError : public RunError {
    using RunError::RunError;
};

/// Mean loss and share of correctly classified samples, over a whole set; the share is NaN if the set has no
/// labels.
struct Evaluation {
    double loss = 0.0;
    double accuracy = 0.0;
};

/// Trains a network on a set with Adam, batch by batch, in a new order every epoch, drawn from (seed, epoch).
/// The last batch of an epoch is smaller if the batch size does not divide the size of the set.
class Trainer {
  public:
    /// `backend`, `network` and `train` must outlive the trainer. Throws InputError if the widths of network
    /// and set differ, or if the samples to be augmented are not images or are smaller than the crop.
    Trainer(Backend& backend, Network& network, const DeviceDataset& train, const TrainerOptions& options);

    /// Epochs finished, and steps of the current one.
    std::int64_t epoch() const { return epoch_; }
    std::int64_t step() const { return step_; }
    std::int64_t steps_per_epoch() const;

    /// Runs to the end of the current epoch; true if it got there. `go_on` is called after every step; if it
    /// returns false, the call ends there, and the next call continues with the next step. Throws
    /// DivergedError naming epoch and step.
    bool finish_epoch(const std::function<bool()>& go_on);

    /// For each layer, the root mean square over the last finished epoch's steps of |dLoss/d(w,b)|, with its
    /// weights and biases taken together; 0 for a layer without any. Summed on the device during the steps.
    /// Empty before the first epoch is finished, after restore(), and unless the options ask for it.
    const std::vector<double>& gradient_norms() const { return gradient_norms_; }

    /// Loss and accuracy of the current network over a whole set.
    Evaluation evaluate(const DeviceDataset& set);

    /// The state of network, optimiser and batches; the header has the keys "network", "epoch", "step",
    /// "sample", "update", "restart" and, with gradient_norms, "squared_norms".
    Checkpoint save();

    /// Continues from a checkpoint, bit for bit. Throws InputError naming `path` if it is of another network.
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
    // evaluate(): kept between calls, because allocating memory costs more than evaluating a small network
    Buffer evaluated_sums_, evaluated_, hits_;
    std::map<std::int64_t, std::unique_ptr<Graph>> steps_;  // by batch size; null until captured
};

}  // namespace deepfreq
