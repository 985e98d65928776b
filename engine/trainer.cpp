#include "engine/trainer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "common/error.h"
#include "engine/checkpoint.h"

namespace deepfreq {
namespace {

std::vector<std::int64_t> extents(const Shape& shape) {
    std::vector<std::int64_t> all;
    for (int axis = 0; axis < shape.rank(); ++axis) all.push_back(shape[axis]);
    return all;
}

/// Checks that the checkpoint has these tensors, in this order, with the same number of elements.
void check_tensors(const Checkpoint& checkpoint, std::span<const NamedTensor> expected,
                   const std::filesystem::path& path) {
    const auto text = [](const Checkpoint::Tensor& tensor) {
        return fmt::format("'{}' [{}]", tensor.name, fmt::join(tensor.shape, ", "));
    };
    std::size_t numbers = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Checkpoint::Tensor wanted{expected[i].name, extents(expected[i].view.shape)};
        if (i >= checkpoint.tensors.size() || checkpoint.tensors[i] != wanted)
            throw InputError("{}: checkpoint holds {}, expected {}", path.string(),
                             i < checkpoint.tensors.size() ? text(checkpoint.tensors[i]) : "no more tensors",
                             text(wanted));
        numbers += static_cast<std::size_t>(expected[i].view.elements());
    }
    if (checkpoint.tensors.size() != expected.size() || checkpoint.values.size() != numbers)
        throw InputError("{}: checkpoint holds {} tensors and {} values, expected {} and {}", path.string(),
                         checkpoint.tensors.size(), checkpoint.values.size(), expected.size(), numbers);
}

}  // namespace

Trainer::Trainer(Backend& backend, Network& network, const DeviceDataset& train,
                 const TrainerOptions& options)
    : backend_(backend), network_(network), train_(train), options_(options) {
    const std::int64_t inputs = train.inputs().columns();
    const std::int64_t outputs = train.targets().columns();
    if (network.width(0) != inputs || network.width(-1) != outputs)
        throw InputError("the network maps {} inputs to {} outputs, the data set expects {} to {}",
                         network.width(0), network.width(-1), inputs, outputs);
    check_augmentation();
    m_ = backend.allocate_zeros(network.parameters().shape);
    v_ = backend.allocate_zeros(network.parameters().shape);
    batch_x_ = backend.allocate_zeros({network.batch(), inputs});
    batch_t_ = backend.allocate_zeros({network.batch(), outputs});
    permutation_ = backend.allocate(static_cast<std::size_t>(train.samples()) * sizeof(std::int32_t));
    sums_ = backend.allocate(static_cast<std::size_t>(steps_per_epoch()) * sizeof(double));
    state_ = backend.allocate(sizeof(StepState));
    evaluated_ = backend.allocate(sizeof(StepState));
    hits_ = backend.allocate(sizeof(std::int64_t));
    write_state({});
    if (options_.gradient_norms) {
        const std::vector<std::int64_t> bounds = network.layer_bounds();
        layer_bounds_ = backend.allocate(bounds.size() * sizeof(std::int64_t));
        backend.upload(std::span<const std::int64_t>(bounds),
                       layer_bounds_.view<std::int64_t>({network.depth() + 1}));
        squared_norms_ = backend.allocate(static_cast<std::size_t>(network.depth()) * sizeof(double));
        backend.zero(squared_norms());
    }
}

void Trainer::check_augmentation() const {
    const ConstTensor images = train_.images();
    if (options_.augment.any() && !images)
        throw InputError("augmentation asked for, but the data set has {} features that are no images",
                         train_.inputs().columns());
    if (images && options_.augment.crop >= std::min(images.shape[1], images.shape[2]))
        throw InputError("a crop by {} pixels asked for, expected less than the images' {} x {}",
                         options_.augment.crop, images.shape[1], images.shape[2]);
}

std::int64_t Trainer::steps_per_epoch() const {
    return (train_.samples() + network_.batch() - 1) / network_.batch();
}

std::int64_t Trainer::batch_size(std::int64_t first, std::int64_t samples) const {
    return std::min(network_.batch(), samples - first);
}

void Trainer::begin_epoch() {
    backend_(RandomPermutation{
        .permutation = permutation(), .seed = options_.seed, .epoch = static_cast<std::uint32_t>(epoch_)});
    StepState now;
    backend_.download(state(), std::span(&now, 1));
    now.learning_rate = static_cast<float>(options_.learning_rate.at(epoch_));
    if (options_.reset_adam && step_ == 0 && options_.learning_rate.changes_at(epoch_)) {
        backend_.zero(moment(m_));
        backend_.zero(moment(v_));
        now.restart = now.update;
    }
    write_state(now);
    epoch_begun_ = true;
}

// The loss sums start again at zero with each epoch, or where a checkpoint splits an epoch.
void Trainer::write_state(StepState now) {
    backend_.upload(std::span<const StepState>(&now, 1), state());
    backend_.zero(sums());
}

void Trainer::train_step() {
    const std::int64_t n = batch_size(step_ * network_.batch(), train_.samples());
    const auto known = steps_.find(n);
    if (!options_.capture_steps || known == steps_.end()) {
        queue_step(n);
        steps_.try_emplace(n);
    } else {
        if (!known->second) known->second = backend_.capture([this, n] { queue_step(n); });
        known->second->replay();
    }
    ++step_;
}

// The step's position and its learning rate are read from state() on the device: all steps of n
// samples are identical.
void Trainer::queue_step(std::int64_t n) {
    const Tensor x = batch_x_.view<float>({n, network_.width(0)});
    const Tensor t = batch_t_.view<float>({n, network_.width(-1)});
    queue_batch(x, t);
    const ConstTensor p = network_.forward_training(x, state());
    apply_loss(backend_, options_.loss, p, t, network_.output_gradient(n), sums(), state());
    network_.backward(x);
    if (options_.gradient_norms)
        backend_(AddSquaredNorms{.x = network_.gradients(),
                                 .bounds = layer_bounds_.view<std::int64_t>({network_.depth() + 1}),
                                 .sums = squared_norms()});
    backend_(Adam{.w = network_.parameters(),
                  .dw = network_.gradients(),
                  .m = moment(m_),
                  .v = moment(v_),
                  .params = options_.adam,
                  .state = state()});
    backend_(Advance{.state = state(), .samples = n});
}

void Trainer::queue_batch(Tensor x, Tensor t) {
    if (options_.augment.any()) {
        const Shape& image = train_.images().shape;
        backend_(GatherAugmentedImages{.source = train_.images(),
                                       .permutation = permutation(),
                                       .state = state(),
                                       .params = options_.augment,
                                       .batch = {x.data, {x.rows(), image[1], image[2], image[3]}}});
    } else {
        backend_(GatherRows{
            .source = train_.inputs(), .permutation = permutation(), .state = state(), .batch = x});
    }
    backend_(
        GatherRows{.source = train_.targets(), .permutation = permutation(), .state = state(), .batch = t});
}

bool Trainer::finish_epoch(const std::function<bool()>& go_on) {
    if (!epoch_begun_) begin_epoch();
    while (step_ < steps_per_epoch()) {
        train_step();
        if (!go_on() && step_ < steps_per_epoch()) {
            check_losses();
            return false;
        }
    }
    check_losses();
    finish_gradient_norms();
    ++epoch_;
    step_ = 0;
    epoch_begun_ = false;
    StepState now;
    backend_.download(state(), std::span(&now, 1));
    now.sample = now.step = 0;
    write_state(now);
    return true;
}

void Trainer::finish_gradient_norms() {
    if (!options_.gradient_norms) return;
    gradient_norms_.resize(static_cast<std::size_t>(network_.depth()));
    backend_.download(squared_norms(), std::span(gradient_norms_));
    for (double& norm : gradient_norms_) norm = std::sqrt(norm / static_cast<double>(steps_per_epoch()));
    backend_.zero(squared_norms());
}

void Trainer::check_losses() {
    std::vector<double> losses(static_cast<std::size_t>(steps_per_epoch()));
    backend_.download(sums(), std::span(losses));
    for (std::size_t s = 0; s < losses.size(); ++s)
        if (!std::isfinite(losses[s]))
            throw DivergedError(
                "the loss became {} at epoch {}, step {} of {}: a smaller learning rate may help", losses[s],
                epoch_ + 1, s + 1, losses.size());
}

Evaluation Trainer::evaluate(const DeviceDataset& set) {
    const std::int64_t n = set.samples();
    const std::int64_t batches = (n + network_.batch() - 1) / network_.batch();
    const std::size_t bytes = static_cast<std::size_t>(batches) * sizeof(double);
    if (evaluated_sums_.bytes() < bytes) evaluated_sums_ = backend_.allocate(bytes);
    const auto sums = evaluated_sums_.view<double>({batches});
    const auto correct = hits_.view<std::int64_t>({1});
    const auto at = evaluated_.view<StepState>({1});
    backend_.zero(sums);
    backend_.zero(correct);
    backend_.zero(at);
    for (std::int64_t first = 0; first < n; first += network_.batch()) {
        const std::int64_t rows = batch_size(first, n);
        const ConstTensor p = network_.forward(set.inputs().slice(first, rows));
        apply_loss(backend_, options_.loss, p, set.targets().slice(first, rows), {}, sums, at);
        if (set.labels())
            backend_(CountCorrect{.p = p, .labels = {set.labels().data + first, {rows}}, .correct = correct});
        backend_(Advance{.state = at, .samples = rows});
    }
    std::vector<double> batch_losses(static_cast<std::size_t>(batches));
    std::int64_t right = 0;
    backend_.download(sums, std::span(batch_losses));
    backend_.download(correct, std::span(&right, 1));
    double total = 0.0;
    for (const double loss : batch_losses) total += loss;
    const double accuracy = static_cast<double>(right) / static_cast<double>(n);
    return {total / static_cast<double>(n), set.labels() ? accuracy : std::nan("")};
}

std::vector<NamedTensor> Trainer::checkpointed() const {
    std::vector<NamedTensor> all = network_.named_parameters();
    const std::vector<NamedTensor> parameters = all;
    // The moments are laid out like the parameters.
    for (const auto& [moments, of] : {std::pair{"adam.m", &m_}, std::pair{"adam.v", &v_}})
        for (const auto& [name, view] : parameters) {
            const std::ptrdiff_t place = view.data - network_.parameters().data;
            all.push_back({fmt::format("{}.{}", moments, name), {moment(*of).data + place, view.shape}});
        }
    std::ranges::move(network_.named_state(), std::back_inserter(all));
    return all;
}

// Saves the sums of the current epoch exactly: JSON preserves every bit of a double.
void Trainer::save_squared_norms(Checkpoint& checkpoint) {
    if (!options_.gradient_norms) return;
    std::vector<double> sums(static_cast<std::size_t>(network_.depth()));
    backend_.download(squared_norms(), std::span(sums));
    checkpoint.header["squared_norms"] = sums;
}

void Trainer::restore_squared_norms(const Checkpoint& checkpoint, const std::filesystem::path& path) {
    if (!options_.gradient_norms) return;
    const auto sums = checkpoint.header.value("squared_norms", std::vector<double>());
    if (std::ssize(sums) != network_.depth())
        throw InputError("{}: checkpoint with the gradient norms of {} layers, expected {}", path.string(),
                         sums.size(), network_.depth());
    backend_.upload(std::span<const double>(sums), squared_norms());
    gradient_norms_.clear();
}

Checkpoint Trainer::save() {
    StepState now;
    backend_.download(state(), std::span(&now, 1));
    Checkpoint checkpoint;
    checkpoint.header = {{"network", network_.description()},
                         {"epoch", epoch_},
                         {"step", now.step},
                         {"sample", now.sample},
                         {"update", now.update},
                         {"restart", now.restart}};
    save_squared_norms(checkpoint);
    for (const auto& [name, tensor] : checkpointed()) {
        const std::size_t before = checkpoint.values.size();
        checkpoint.tensors.push_back({name, extents(tensor.shape)});
        checkpoint.values.resize(before + static_cast<std::size_t>(tensor.elements()));
        backend_.download(tensor, std::span(checkpoint.values).subspan(before));
    }
    return checkpoint;
}

void Trainer::restore(const Checkpoint& checkpoint, const std::filesystem::path& path) {
    for (const char* const name : {"network", "epoch", "step", "sample", "update", "restart"})
        if (!checkpoint.header.contains(name))
            throw InputError("{}: checkpoint without '{}' in its header, expected there", path.string(),
                             name);
    const std::string network = checkpoint.header.at("network");
    if (network != network_.description())
        throw InputError("{}: checkpoint of network '{}', expected '{}'", path.string(), network,
                         network_.description());
    const std::vector<NamedTensor> expected = checkpointed();
    check_tensors(checkpoint, expected, path);
    const std::span<const float> values(checkpoint.values);
    std::size_t done = 0;
    for (const auto& [name, tensor] : expected) {
        const auto count = static_cast<std::size_t>(tensor.elements());
        backend_.upload(values.subspan(done, count), tensor);
        done += count;
    }
    restore_squared_norms(checkpoint, path);
    epoch_ = checkpoint.header.at("epoch");
    step_ = checkpoint.header.at("step");
    write_state({.sample = checkpoint.header.at("sample"),
                 .step = step_,
                 .update = checkpoint.header.at("update"),
                 .restart = checkpoint.header.at("restart")});
    epoch_begun_ = false;
}

}  // namespace deepfreq
