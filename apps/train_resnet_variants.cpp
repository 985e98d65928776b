// Figs. 5, 6, 7: variants of ResNet-18 learn CIFAR-10; accuracy, and RDF of what is left to their last layers
#include <spdlog/spdlog.h>

#include <algorithm>

#include "apps/common/experiment.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "common/error.h"
#include "data/cifar10.h"
#include "data/split.h"
#include "engine/layers/dense.h"
#include "models/mlp.h"
#include "models/resnet18_variants.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "train_resnet_variants";

struct Flags {
    std::string variants = "1,2,3,4";
    std::string parts = "64,128,256,512";
    std::string head = "512";
    std::string pool = "512";
    std::string activation = "relu";
    bool plain = false;
    std::int64_t validation_samples = 10000;
    bool no_scale = false;
    std::string augment = "none";
    bool skip_bad_images = false;
    TrainingFlags training{.loss = "softmax-ce",
                           .initializer = "he",
                           .learning_rate = 1e-3,
                           .schedule = "1e-3:40,1e-4:20,1e-5:20",
                           .samples = 40000,
                           .epochs = 80,
                           .until_loss = 0.0};
    ProbeFlags probes{.epochs = "0,1,2,5,10,20,40,80", .layers = "-3,-3:-1"};
    RunFlags run{.precision = "auto", .data = {}, .out = {}, .resume = {}, .probe_run = {}};

    void add_to(CLI::App& app);
};

void Flags::add_to(CLI::App& app) {
    const char* const network = "Network";
    const auto widths = parses([](const std::string& s) { parse_widths(s); }, "");
    app.add_option("--variants", variants, "which Resnet18-i, as 1,2,3,4: each drops one more part")
        ->check(widths)
        ->group(network);
    app.add_option("--parts", parts, "channels of the convolution parts")->check(widths)->group(network);
    app.add_option("--head", head, "widths of the hidden dense layers")->check(widths)->group(network);
    app.add_option("--pool", pool,
                   "what goes into them: 512 (as many features from every variant: the channels of the last "
                   "part) or global (a mean a channel)")
        ->check(parses([](const std::string& s) { parse_head_pooling(s); }, ""))
        ->group(network);
    app.add_option("--activation", activation, "of all layers but the last: relu, tanh, sigmoid or identity")
        ->check(parses([](const std::string& s) { parse_activation(s); }, ""))
        ->group(network);
    app.add_flag("--plain", plain, "without the residual connections")->group(network);
    const char* const images = "Images";
    app.add_option("--validation-samples", validation_samples, "images to validate with")
        ->check(at_least(1))
        ->group(images);
    app.add_flag("--no-scale", no_scale, "leave pixels in 0 … 1: no scaling per channel")->group(images);
    app.add_option(
           "--augment", augment,
           "while training: none, or flip (mirrored or not), crop (moved by up to 4 pixels; crop:N by up "
           "to N) between commas")
        ->check(parses([](const std::string& s) { parse_augmentation(s); }, ""))
        ->group(images);
    app.add_flag("--skip-bad-images", skip_bad_images, "go on without images that cannot be read")
        ->group(images);
    training.add_to(app);
    probes.add_to(app);
    run.add_to(app);
}

void choose_quick_setting(CLI::App& app, const Flags& flags) {
    default_to(app, "--samples", "2000");
    default_to(app, "--validation-samples", "1000");
    default_to(app, "--parts", "16,32,64,128");
    default_to(app, "--head", "128");
    default_to(app, "--batch", "64");
    default_to(app, "--epochs", "8");
    default_to(app, "--lr-schedule", "1e-3:6,1e-4:2");
    default_to(app, "--probe-epochs", "0,1,4,8");
    spdlog::info(
        "--quick: {} samples, {} epochs, parts of {} channels. The paper's scale is 40000 samples, 80 "
        "epochs, "
        "64,128,256,512.",
        flags.training.samples, flags.training.epochs, flags.parts);
}

Cifar10Options cifar10_options(const Flags& flags) {
    Cifar10Options options;
    options.data = flags.run.data;
    options.skip_bad_images = flags.skip_bad_images;
    options.notice = [](const std::string& line) { spdlog::info(line); };
    options.download.progress = show_download;
    return options;
}

ScaledSplit load_data(const Flags& flags, const Cifar10Options& options) {
    const ImageSets images = load_cifar10(options);
    spdlog::info("data: {}", images.source);
    return split_images(
        images, {flags.training.samples, flags.validation_samples, flags.training.seed, !flags.no_scale});
}

bool is_paper_setting(const Flags& flags, const Dataset& data) {
    const Flags paper;
    const TrainingFlags &found = flags.training, &expected = paper.training;
    return flags.parts == paper.parts && flags.head == paper.head && flags.pool == paper.pool &&
           flags.activation == paper.activation && !flags.plain && !flags.no_scale &&
           flags.augment == paper.augment && flags.validation_samples == paper.validation_samples &&
           found.loss == expected.loss && found.schedule == expected.schedule &&
           found.batch == expected.batch && found.samples == expected.samples &&
           found.until_loss == expected.until_loss && found.initializer == expected.initializer &&
           found.epochs == expected.epochs && data.name == "cifar10";
}

/// What the networks must know of the images, and begins as CIFAR-10 has it.
struct ImageExtents {
    std::int64_t height = 32, width = 32, channels = 3, classes = 10;
};

NetworkPlan make_network(const Flags& flags, const ImageExtents& images, int variant) {
    const Resnet18Params params{.height = images.height,
                                .width = images.width,
                                .channels = images.channels,
                                .classes = images.classes,
                                .parts = parse_widths(flags.parts),
                                .variant = variant,
                                .pooling = parse_head_pooling(flags.pool),
                                .head = parse_widths(flags.head),
                                .sigma = parse_activation(flags.activation),
                                .residual = !flags.plain};
    return {fmt::format("{}18-{}", flags.plain ? "plain" : "resnet", variant), resnet18_variant(params)};
}

Experiment make_experiment(const Flags& flags, const ImageExtents& images) {
    Experiment experiment{app_name, {}, {flags.training, flags.probes, flags.run}};
    const AugmentParams augment = parse_augmentation(flags.augment);
    if (augment.crop >= std::min(images.height, images.width))
        throw InputError("--augment is '{}', expected a crop by less than the images' {} x {} pixels",
                         flags.augment, images.height, images.width);
    experiment.plan.training.augment = augment;
    for (const std::int64_t variant : parse_widths(flags.variants)) {
        NetworkPlan network = make_network(flags, images, static_cast<int>(variant));
        if (std::ranges::count(experiment.networks, network.name, &NetworkPlan::name) > 0)
            throw InputError("--variants is '{}', expected each once", flags.variants);
        experiment.networks.push_back(std::move(network));
    }
    experiment.plan.identity = {{"validation_samples", flags.validation_samples},
                                {"scaled", !flags.no_scale},
                                {"augment", flags.augment}};
    return experiment;
}

Experiment make_experiment(const Flags& flags, const ScaledSplit& data) {
    const Dataset& images = data.sets.train;
    Experiment experiment =
        make_experiment(flags, ImageExtents{images.height, images.width, images.channels, images.classes});
    experiment.facts["paper_setting"] = is_paper_setting(flags, images);
    experiment.facts["scaling"] = {{"mean", data.scaling.mean}, {"deviation", data.scaling.deviation}};
    return experiment;
}

void run(CLI::App& app, Flags& flags, int argc, char** argv) {
    take_options_of_files(app, flags.run);
    if (flags.run.quick) choose_quick_setting(app, flags);
    flags.training.trainer_options();  // a schedule that ends early is said before images are read
    const OpenedKernels device = open_kernels(flags.run.device, parse_precision(flags.run.precision));
    spdlog::info("device: {} ({})", device.kernels->description(), device.reason);
    const Cifar10Options options = cifar10_options(flags);
    if (!takes_image_folder(options))
        check_experiment(make_experiment(flags, ImageExtents{}), *device.kernels);
    const ScaledSplit data = load_data(flags, options);
    run_experiment(app, argc, argv, make_experiment(flags, data), device, data.sets);
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
