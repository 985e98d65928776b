"""Every experiment of the paper: its app, options, figures and their claims. Part of paper.py."""

import dataclasses

import claims


@dataclasses.dataclass
class Figure:
    title: str
    pictures: list  # in the folder of the experiment
    judge: object  # returns the claims, judged from that folder


@dataclasses.dataclass
class Experiment:
    """One run of one app."""

    name: str  # name of its folder
    app: str
    arguments: list
    figures: list
    data: str = ""  # the option that gives the path of its data
    device: bool = True  # whether it takes --device and --precision
    settings: bool = False  # whether it takes --setting
    seeds: bool = False  # whether it takes --seeds
    setting: str = ""  # the setting of the run


@dataclasses.dataclass
class Trial:
    """An app with the user's options and nothing to train: options that it rejects are rejected at once."""

    app: str
    arguments: list
    data: str = ""  # the option that it checks; if empty, --device and --precision


EXPERIMENTS = [
    Experiment("fig3", "lfr", [], [
        Figure("Figure 3: LFR and RDF of sin(kπx)", ["figures/spectrum.png"], claims.figure_3)],
        device=False),
    Experiment("fig1", "fit_functions", [], [
        Figure("Figure 1: epochs until a designated loss", ["figures/fig1a.png", "figures/fig1b.png"], claims.figure_1)],
        device=False),
    Experiment("fig8", "train_mlp_mnist", [], [
        Figure("Figure 8: RDF of the hidden layers of one network", ["figures/rdf.png"], claims.figure_8)], "mnist",
        settings=True, seeds=True),
    Experiment("fig9", "vanishing_gradient", ["--residual", "both"], [
        Figure("Figure 9: very deep networks, plain and with residual connections",
               ["figures/metrics.png", "figures/rdf-layer-3.png", "figures/gradients.png"], claims.figure_9)], "mnist",
        seeds=True),
    Experiment("fig5-7", "train_resnet_variants", [], [
        Figure("Figure 5: accuracy of variants of ResNet-18", ["figures/metrics.png"], claims.figure_5),
        Figure("Figure 6: RDF of S[-3]", ["figures/rdf-layer-3.png"], claims.figure_6),
        Figure("Figure 7: RDF of (f[-3], f[-1])", ["figures/rdf-layer-3_softmax.png"], claims.figure_7)], "cifar10",
        settings=True, seeds=True),
]

SETTINGS = {"paper": "the text's setting", "authors": "the programs' setting"}


def experiments_of(setting):
    """The experiments under one setting, or under both; in that case each has its own folder."""
    chosen = list(SETTINGS) if setting == "both" else [setting]
    made = []
    for e in EXPERIMENTS:
        for s in chosen if e.settings else [""]:
            name = f"{e.name}-{s}" if e.settings and setting == "both" else e.name
            arguments = e.arguments + (["--setting", s] if s else [])
            made.append(dataclasses.replace(e, name=name, arguments=arguments, setting=s))
    return made


UNTRAINED = ["--epochs", "0", "--probe-epochs", "none"]
TRIALS = [
    Trial("fit_functions", ["--function", "fig1b", "--k", "1", "--width", "1", "--seeds", "1",
                            "--max-epochs", "1"]),
    Trial("train_mlp_mnist", ["--hidden", "1", *UNTRAINED], "mnist"),
    Trial("train_resnet_variants", ["--variants", "1", "--parts", "1", "--head", "1",
                                    "--pool", "global", *UNTRAINED], "cifar10"),
]
