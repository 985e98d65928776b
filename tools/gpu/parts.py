"""The table of parts that make up a round, the most informative first."""

import dataclasses
import os
import pathlib
import shutil
from collections.abc import Callable

from . import figures

# Test families; tests that belong to none are run as the last part.
FAMILIES = {
    "dense layers": "kernels: *dense*,kernels: db*,kernels: the activations*",
    "convolutions": "kernels: *conv*",
    "images": "kernels: *batch*,kernels: *pool*,kernels: *augment*",
    "spectrum: every shape": "kernels/spectrum: every*",
    "spectrum: edges": "kernels/spectrum:*",
    "spectrum: rows": "kernels/spectrum rows:*,kernels/filter*",
    "engine": "engine/*,models/*,common/*",
    "PyTorch's numbers": "fixtures*",
}
# Tests that take long and say nothing about the GPU, or that are separate parts.
ELSEWHERE = ("agreement*,fault*,app/*,apps*,run:*,paper*,data/*,analysis*,tools/*,docs*,figures*,examples*,cuda/plans*,"
             "cuda/host*,cuda/fragments*,kernels/cuda*,*on the host*")
ROUNDED = "kernels: dense_*agrees with the reference,kernels: conv*reference*"  # products, checked in tf32 and bf16
# By differences; by products, with more near pairs than are listed; listed rows; each pair once.
SPECTRUM_BRANCHES = ("kernels/spectrum: every grid*,kernels/spectrum: *collapsed*,kernels/spectrum rows: every row*,"
                     "kernels/spectrum rows: so many*")
OWN_OPERATIONS = ("mean_squared,softmax,count,adam,gather,random,scale,sum_of,add,first,batch_norm,average,max,"
                  "gaussian,dropout,centre")  # name prefixes of the operations that call no library
# Comparisons of compare_cuda.py, with their duration in seconds.
COMPARISONS = {"lfr": 45, "accuracy": 30, "mlp": 85, "resnet": 60, "mlp-compiled": 40, "resnet-compiled": 80,
               "lfr-400": 20, "operations": 20}
PRECISIONS = {"resnet-compiled": ["--precisions", "tf32", "bf16"]}  # those that were warmed up
# Benchmark name, number of training steps in its shortest run, and precision.
PROFILED = {"MLP": ("mlp_epoch/hidden:5/samples:2560/real_time", 20, "tf32"),
            "ResNet": ("resnet_epoch/variant:1/batch:256/real_time", 8, "tf32"),
            "LFR": ("lfr/(one_hot|general)_d512/40000/100/real_time", 2, "fp32")}


@dataclasses.dataclass(frozen=True)
class Command:
    words: list
    environment: dict = dataclasses.field(default_factory=dict)
    python: bool = False  # runs with the libraries of this machine, not those of the pack


@dataclasses.dataclass(frozen=True)
class Part:
    """One process and its limit. `seconds`: its duration on an H100 or so; it starts only if that is left."""

    name: str
    seconds: float
    command: Callable  # takes a Round; returns a Command, or a string that says why it cannot run here
    figures: Callable = figures.last_line
    alone: bool = False  # measures time, so nothing else runs alongside
    limit: float = 0.0  # in seconds; 0: three times the expected duration
    data: str = ""  # folder of the data it needs

    @property
    def longest(self):
        return self.limit or max(20.0, 3 * self.seconds)


def tests(pattern, without="", precision="fp32", options=()):
    environment = {"DEEPFREQ_TEST_PRECISION": precision, "DEEPFREQ_TEST_ANNOUNCE": "1"}
    return lambda round_: Command([round_.bin / "deepfreq_tests", f"-tc={pattern}", f"-tce={without or 'fault*'}",
                                   "--duration=true", *options], environment)


def on_gpu(command, why):
    """The command; on the CPU, the reason why it cannot run."""
    return lambda round_: f"--device cpu{why}" if round_.trial else command(round_)


def agreement(pattern, without=""):
    return on_gpu(tests(pattern, without), ": nothing to agree with")


def family(name):
    names = list(FAMILIES)
    earlier = [FAMILIES[other] for other in names[:names.index(name)]]
    return tests(FAMILIES[name], ",".join([*earlier, ELSEWHERE]))


def doctor(*options):
    return lambda round_: Command([round_.bin / "doctor", "--device", round_.device, *options])


def sanitizer(check, command, kernels=("--kernel-name", "kernel_substring=run_")):
    """A command under compute-sanitizer, which watches only our own kernels, not those of cuDNN and cuBLAS."""
    def of(round_):
        folders = [*pathlib.Path("/usr/local").glob("cuda*/bin"), *pathlib.Path("/opt/nvidia").glob("*")]
        tool = shutil.which("compute-sanitizer", path=":".join([os.environ["PATH"], *map(str, folders)]))
        if tool is None:
            return "compute-sanitizer is not installed"
        if round_.trial:
            return "--device cpu runs no kernels"
        watched = command(round_)
        return Command([tool, "--tool", check, *kernels, "--report-api-errors", "no", "--error-exitcode", "9",
                        *watched.words], watched.environment)
    return of


def comparison(name):
    def of(round_):
        budget = min(3 * COMPARISONS[name], round_.left()) - 3  # so that it ends by itself and reports what it has
        return Command([round_.python, round_.scripts / "compare_cuda.py", "--build", round_.bin.parent, "--python",
                        round_.python, "--only", name, *PRECISIONS.get(name, []), "--rates",
                        round_.work / "rates.json", "--repetitions", 5, "--epochs", 5, "--min-time", 0.1, "--budget",
                        budget, "--device", round_.device, "--out", round_.work / f"{name}.md",
                        *(["--small"] if round_.trial else [])], python=True)
    return of


def profile(benchmark, steps, precision):
    return on_gpu(lambda round_: Command(
        [round_.python, round_.scripts / "kernel_times.py", round_.bin / "deepfreq_benchmarks", benchmark, "--steps",
         steps, "--precision", precision], python=True), " runs no kernels")


def warm_up(script, *options):
    """Fills the cache of torch.compile, so that later parts do not wait for compilation."""
    return on_gpu(lambda round_: Command(
        [round_.python, round_.scripts / script, "--device", round_.device, *options], python=True),
        " compiles nothing")


def app(name, program, seconds, limit, data, options=()):
    """A program at the paper's scale, with a summary of its results."""
    return Part(name, seconds, lambda round_: Command(
        [round_.bin / program, "--device", round_.device, "--data", round_.data / data, "--out", round_.work / name,
         *options, *(["--quick"] if round_.trial else [])]), figures.training_run, alone=True, limit=limit, data=data)


def measured_again(trained, program, other, options, seconds, limit):
    """Measures the networks saved by a part with the same program again, with other options."""
    return Part(f"{trained.name}-{other}", seconds, lambda round_: Command(
        [round_.bin / program, "--probe-run", round_.work / trained.name, *options, "--device", round_.device,
         "--data", round_.data / trained.data, "--no-figures", "--out", round_.work / f"{trained.name}-{other}"]),
        figures.training_run, alone=True, limit=limit, data=trained.data)


def fig8(setting, scale):
    """Three seeds under one setting; their networks are measured again with other scalings of the features."""
    program = "train_mlp_mnist"
    trained = app(f"fig8-{setting}", program, 45, 120, "mnist",
                  ["--setting", setting, "--seeds", 3, "--keep-checkpoints", "--no-figures"])
    again = [measured_again(trained, program, other, ["--scale", other], 20, 60)
             for other in ("max-abs", "centred", "none") if other != scale]
    return [trained, *again]


def fig5_7(seed):
    """The four variants under the setting of the authors' programs; then the same networks measured as in the text."""
    program = "train_resnet_variants"
    trained = app(f"fig5-7-authors-seed-{seed}", program, 480, 600, "cifar10",
                  ["--setting", "authors", "--seed", seed, "--keep-checkpoints", "--no-figures"])
    return [trained, measured_again(trained, program, "paper", ["--scale", "max-abs", "--inv-delta", "auto"], 60, 120)]


SMOKE = [
    Part("doctor", 8, doctor(), figures.checks),
    *(Part(name, 10, family(name), figures.tests, limit=60) for name in FAMILIES),
    Part("the rest", 10, tests("*", ",".join([*FAMILIES.values(), ELSEWHERE])), figures.tests, limit=60),
    *(Part(f"products in {precision}", 15, tests(ROUNDED, "", precision), figures.tests)
      for precision in ("tf32", "bf16")),
    Part("agreement", 20, agreement("agreement: 20 steps*"), figures.agreement, limit=90),
    Part("rounding and graphs", 20, agreement("agreement: *", "agreement: 20 steps*,agreement: what*"),
         figures.tests),
    *(Part(f"{check} of every operation", 20, sanitizer(check, doctor()), figures.sanitizer)
      for check in ("memcheck", "racecheck", "synccheck")),
    # initcheck takes memory written by kernels that it does not watch for unwritten, so it watches all of them.
    Part("initcheck of our own operations", 30, sanitizer("initcheck", doctor("--only", OWN_OPERATIONS), kernels=()),
         figures.sanitizer),
    *(Part(f"{check} of the spectrum", 40, sanitizer(check, tests(SPECTRUM_BRANCHES)), figures.sanitizer)
      for check in ("memcheck", "racecheck")),
]
BENCH = [
    *(Part(f"warm up: MLP in {precision}", 40, warm_up(
        "mlp_pytorch.py", "--precision", precision, "--samples", 5000, "--epochs", 1, "--variants",
        "torch.compile, fused Adam", "torch.compile reduce-overhead, fused Adam"), figures.compiled, limit=120)
      for precision in ("fp32", "tf32")),
    *(Part(f"warm up: ResNet in {precision}", 60, warm_up(
        "resnet_pytorch.py", "--precision", precision, "--batch", 256, "--epochs", 1, "--variants",
        "channels_last, torch.compile", "channels_last, torch.compile reduce-overhead"), figures.compiled, limit=120)
      for precision in ("tf32", "bf16")),
    *(Part(f"benchmarks: {name}", seconds, comparison(name), figures.comparison, alone=True)
      for name, seconds in COMPARISONS.items()),
    *(Part(f"kernels of {name}", 30, profile(*what), figures.page("kernels-" + name), alone=True)
      for name, what in PROFILED.items()),
]
PAPER = [
    *fig8("paper", "max-abs"), *fig8("authors", "centred"),
    *fig5_7(0), *fig5_7(1),
    # In two parts, so that at least one of them completes in a short lease.
    *(app(f"fig9-{name}", "vanishing_gradient", 150, 300, "mnist",
          ["--residual", residual, "--precision", "tf32", "--no-gradient-norms", "--no-figures"])
      for name, residual in (("residual", "yes"), ("plain", "no")))]
# Deliberate faults that a round must distinguish; they run only if chosen by name.
FAULTS = [Part(f"fault: {name}", 1, tests(f"fault: {name}", "nothing", options=["--no-skip"]), figures.tests, limit=5)
          for name in ("a crash", "a hang", "killed from outside", "a wrong result")]

ROUNDS = {"smoke": (SMOKE, 180), "bench": (BENCH, 300), "paper": (PAPER, 800)}
ALL = SMOKE + BENCH + PAPER
