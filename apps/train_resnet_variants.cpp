// Figs. 5, 6, 7: variants of ResNet-18 learn CIFAR-10; accuracy, and RDF of what is left to their last layers
#include <fmt/core.h>

#include <CLI/App.hpp>
#include <algorithm>

#include "apps/cli/option_checks.h"
#include "apps/cli/program.h"
#include "apps/cli/settings.h"
#include "apps/cli/training_app.h"
#include "common/error.h"
#include "data/cifar10.h"
#include "data/split.h"
#include "engine/layers/dense.h"
#include "models/mlp.h"
#include "models/resnet18_variants.h"
#include "runs/progress.h"
#include "runs/report.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "train_resnet_variants";

/// What the paper's text and programs share. The text does not specify the networks of Fig. 4, so the
/// programs' are used.
Setting setting(const std::string& name, const std::string& meaning,
                const std::vector<std::pair<std::string, std::string>>& more) {
    Setting made{name,
                 meaning,
                 {{"variants", "1,2,3,4"},
                  {"parts", "64,128,256"},
                  {"head", "1024,1024"},
                  {"pool", "4x4"},
                  {"activation", "relu"},
                  {"block", "before-sum"},
                  {"plain", "false"},
                  {"dropout", "0.1"},
                  {"bn-epsilon", "1e-3"},
                  {"bn-momentum", "0.01"},
                  {"validation-samples", "10000"},
                  {"split", "random"},
                  {"pixels", "unit"},
                  {"augment", "none"},
                  {"loss", "softmax-ce"},
                  {"init", "glorot-uniform"},
                  {"init-alike", "true"},
                  {"lr-schedule", "1e-3:40,1e-4:20,1e-5:20"},
                  {"adam-epsilon", "1e-7"},
                  {"reset-adam", "true"},
                  {"batch", "256"},
                  {"samples", "40000"},
                  {"epochs", "80"},
                  {"until-loss", "0"},
                  {"probe-layers", "-3,-3:softmax"}}};
    made.options.insert(made.options.end(), more.begin(), more.end());
    return made;
}

struct Flags : TrainingAppFlags {
    std::string variants = "1,2,3,4";
    std::string parts = "64,128,256";
    std::string head = "1024,1024";
    std::string pool = "4x4";
    std::string activation = "relu";
    std::string block = "before-sum";
    bool plain = false;
    double dropout = 0.0;
    double bn_epsilon = 1e-3, bn_momentum = 0.01;
    std::int64_t validation_samples = 10000;
    std::string split = "random";
    std::string pixels = "unit";
    std::string augment = "none";
    bool skip_bad_images = false;
    Settings settings{
        {setting("authors", "what the authors' programs do",
                 {{"scale", "centred"},
                  {"inv-delta", "authors"},
                  {"probe-epochs", "0,1,2,3,4,5,10,15,20,40,50,60,70,80"}}),
         setting("paper", "the features scaled as the paper's text says, on an automatic grid",
                 {{"scale", "max-abs"}, {"inv-delta", "auto"}, {"probe-epochs", "0,1,2,5,10,20,40,80"}})}};

    Flags() {
        probes.filter.authors_grid = "authors-cifar10";
        run.precision = "auto";
    }
    void add_to(CLI::App& app);
    void add_network_to(CLI::App& app);
    void add_images_to(CLI::App& app);
};

/// A check for an option that takes one of two words.
OptionCheck one_of(const std::string& first, const std::string& second) {
    return parses([first, second](const std::string& text) {
        if (text != first && text != second)
            throw InputError("'{}' found, {} or {} expected", text, first, second);
    });
}

void Flags::add_network_to(CLI::App& app) {
    const char* const network = "Network";
    const auto widths = parses(parse_widths);
    app.add_option("--variants", variants, "which Resnet18-i, as 1,2,3,4: each drops one more part")
        ->check(widths)
        ->group(network);
    app.add_option("--parts", parts, "channels of the convolution parts")->check(widths)->group(network);
    app.add_option("--head", head, "widths of the hidden dense layers")->check(widths)->group(network);
    app.add_option(
           "--pool", pool,
           "what goes into them: 4x4 (a mean of so many pixels), global (a mean per channel) or 512 (as many "
           "features from every variant: the channels of the last part)")
        ->check(parses(parse_head_pooling))
        ->group(network);
    app.add_option("--activation", activation, "of all layers but the last: relu, tanh, sigmoid or identity")
        ->check(parses(parse_activation))
        ->group(network);
    app.add_option("--block", block,
                   "where a block's second activation is: after-sum (He et al.) or before-sum (the programs)")
        ->check(one_of("after-sum", "before-sum"))
        ->group(network);
    app.add_flag("--plain,!--no-plain", plain, "without the residual connections")
        ->default_str("false")
        ->group(network);
    app.add_option("--dropout", dropout, "share dropped behind the stem, each part and the pooling")
        ->check(share_below_one())
        ->group(network);
    app.add_option("--bn-epsilon", bn_epsilon, "added to the variances of batch norm")
        ->check(finite_above_zero())
        ->group(network);
    app.add_option("--bn-momentum", bn_momentum,
                   "the share by which a step moves batch norm's running statistics")
        ->check(CLI::Range(0.0, 1.0))
        ->group(network);
}

void Flags::add_images_to(CLI::App& app) {
    const char* const images = "Images";
    app.add_option("--validation-samples", validation_samples, "images to validate with")
        ->check(at_least(1))
        ->group(images);
    app.add_option("--split", split, "how they are drawn: random, or balanced over the classes")
        ->check(one_of("random", "balanced"))
        ->group(images);
    app.add_option("--pixels", pixels,
                   "unit: in 0 … 1; standard: mean 0 and standard deviation 1 in every channel")
        ->check(one_of("unit", "standard"))
        ->group(images);
    app.add_option(
           "--augment", augment,
           "while training: none, or flip (mirrored or not), crop (moved by up to 4 pixels; crop:N by up "
           "to N) between commas")
        ->check(parses(parse_augmentation))
        ->group(images);
    app.add_flag("--skip-bad-images", skip_bad_images, "go on without images that cannot be read")
        ->group(images);
}

void Flags::add_to(CLI::App& app) {
    add_network_to(app);
    add_images_to(app);
    add_shared_to(app);
    settings.add_to(app);
}

void choose_quick_setting(CLI::App& app, const Flags& flags) {
    default_to(app, "--samples", "2000");
    default_to(app, "--validation-samples", "1000");
    default_to(app, "--parts", "16,32,64");
    default_to(app, "--head", "128,128");
    default_to(app, "--bn-momentum",
               "0.1");  // 8 epochs have too few steps for running statistics at 0.01 per step
    default_to(app, "--batch", "64");
    default_to(app, "--epochs", "8");
    default_to(app, "--lr-schedule", "1e-3:6,1e-4:2");
    default_to(app, "--probe-epochs", "0,1,4,8");
    report(
        "--quick: {} samples, {} epochs, parts of {} channels. The paper's scale is 40000 samples, 80 "
        "epochs, 64,128,256.",
        flags.training.samples, flags.training.epochs, flags.parts);
}

Cifar10Options cifar10_options(const Flags& flags) {
    Cifar10Options options;
    options.data = flags.run.data;
    options.skip_bad_images = flags.skip_bad_images;
    options.notice = report_line;
    options.download.progress = show_download;
    return options;
}

ImageSets load_images(const Cifar10Options& options) {
    ImageSets images = load_cifar10(options);
    report("data: {}", images.source);
    return images;
}

/// What the networks must know about the images; initially the values of CIFAR-10.
struct ImageExtents {
    std::int64_t height = 32, width = 32, channels = 3, classes = 10;
};

Resnet18Params network_params(const Flags& flags, const ImageExtents& images, int variant) {
    return {.height = images.height,
            .width = images.width,
            .channels = images.channels,
            .classes = images.classes,
            .parts = parse_widths(flags.parts),
            .variant = variant,
            .pooling = parse_head_pooling(flags.pool),
            .head = parse_widths(flags.head),
            .activation = parse_activation(flags.activation),
            .residual = !flags.plain,
            .activate_before_sum = flags.block == "before-sum",
            .dropout = flags.dropout,
            .batch_norm = {.epsilon = flags.bn_epsilon, .momentum = flags.bn_momentum}};
}

NetworkPlan plan_network(const Flags& flags, const ImageExtents& images, int variant) {
    const Resnet18Params params = network_params(flags, images, variant);
    resnet18_variant(params);  // reports anything wrong with it now
    return {fmt::format("{}18-{}", flags.plain ? "plain" : "resnet", variant), [params](std::uint64_t seed) {
                Resnet18Params seeded = params;
                seeded.dropout_seed = seed;
                return resnet18_variant(seeded);
            }};
}

Experiment make_experiment(const TrainingApp& app, const Flags& flags, const ImageExtents& images) {
    Experiment experiment = app.experiment();
    const AugmentParams augment = parse_augmentation(flags.augment);
    if (augment.crop >= std::min(images.height, images.width))
        throw InputError("--augment is '{}', expected a crop by less than the images' {} x {} pixels",
                         flags.augment, images.height, images.width);
    experiment.plan.training.trainer.augment = augment;
    for (const std::int64_t variant : parse_widths(flags.variants)) {
        NetworkPlan network = plan_network(flags, images, static_cast<int>(variant));
        if (std::ranges::count(experiment.networks, network.name, &NetworkPlan::name) > 0)
            throw InputError("--variants is '{}', expected each once", flags.variants);
        experiment.networks.push_back(std::move(network));
    }
    experiment.plan.identity.update({{"validation_samples", flags.validation_samples},
                                     {"split", flags.split},
                                     {"pixels", flags.pixels},
                                     {"augment", flags.augment},
                                     {"bn_epsilon", flags.bn_epsilon},
                                     {"bn_momentum", flags.bn_momentum}});
    return experiment;
}

/// The split of one seed, on the device.
std::shared_ptr<const TrainingData> data_of(Backend& backend, const Flags& flags, const ImageSets& images,
                                            std::uint64_t seed) {
    const ScaledSplit split = split_images(images, {.train = flags.training.samples,
                                                    .validation = flags.validation_samples,
                                                    .seed = seed,
                                                    .balanced = flags.split == "balanced",
                                                    .scale = flags.pixels == "standard"});
    auto data = std::make_shared<TrainingData>(backend, split.sets, flags.training.samples);
    data->facts["scaling"] = {{"mean", split.scaling.mean}, {"deviation", split.scaling.deviation}};
    return data;
}

void run(CLI::App& app, Flags& flags, const Command& command) {
    TrainingApp training(app, flags, command);
    training.settle_options([&] { choose_quick_setting(app, flags); }, &flags.settings);
    flags.training.options();  // reports a schedule that ends early before images are read
    Backend& backend = training.open_device();
    const Cifar10Options options = cifar10_options(flags);
    if (!takes_image_folder(options)) training.check(make_experiment(training, flags, ImageExtents{}));
    const ImageSets images = load_images(options);
    const ImageSet& all = images.train;
    const ImageExtents extents{all.height, all.width, all.channels, std::ssize(all.classes)};
    training.run(make_experiment(training, flags, extents),
                 [&](std::uint64_t seed) { return data_of(backend, flags, images, seed); });
}

}  // namespace

int main(int argc, char** argv) {
    return run_app<Flags>(
        app_name,
        "Trains variants of ResNet-18, of which each drops one more convolution part, on CIFAR-10, "
        "and measures\n"
        "what their last hidden layers have to learn: Figures 5, 6 and 7 of Xu & Zhou, AAAI 2021.",
        argc, argv, run);
}
