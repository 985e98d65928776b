#!/usr/bin/env python3
"""Reproduces every figure of the paper, one after the other, in one folder with one page: index.html.

    ./run paper [--quick] [--setting paper|authors|both] [--seeds SEEDS] [--out FOLDER] [--mnist FOLDER]
                [--cifar10 FOLDER] [--device DEVICE] [--precision PRECISION]

--setting: Figures 5 to 8 as described in the paper's text, as in its authors' programs, or both, side by side.
--seeds, a number or a list, gives Figures 5 to 9 error bars.

The page shows each figure next to what the paper says about it, and a yes or no computed from the CSV files of the run.
After an interruption, the same command continues where it stopped.
Options that an app would reject are rejected before any app starts.
"""

import argparse
import datetime
import html
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

import claims
from paper_experiments import EXPERIMENTS, SETTINGS, TRIALS, Experiment, experiments_of

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failure(Exception):
    """One sentence for the user, and an exit status."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


def write_whole(path, text):
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def as_options(setting, names):
    """Part of a setting, written as command-line options."""
    words = []
    for name in names:
        value = setting[name]
        if name == "scale":
            words.append("--quick" if value == "--quick" else "no --quick")
        else:
            words.append(f"--{name} {value}" if value else f"no --{name}")
    return " and ".join(words)


class Caller:
    """Calls one app after the other until a signal stops it."""

    def __init__(self):
        self.interrupted = False
        self.untold = False  # whether we still have to pass the signal on to the app
        self.child = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # ignored under nohup
                signal.signal(number, self.stop)

    def stop(self, number, _frame):
        """Ctrl-C also reaches the running app, which saves its state; a signal sent to us alone is passed on."""
        self.interrupted = True
        self.untold = number == signal.SIGTERM or self.child is None
        self.hand_on()

    def hand_on(self):
        if self.child and self.untold:
            self.untold = False  # a second signal would end the app before its state is saved
            self.child.terminate()

    def call(self, command, **streams):
        """Runs an app to its end; returns its status, and what it wrote to stderr if that is a pipe."""
        self.child = subprocess.Popen(command, **streams)
        self.hand_on()  # a signal that arrived while it was starting
        errors = self.child.communicate()[1]
        status = self.child.returncode
        self.child = None
        return status, errors


class Paper:
    """The output folder; progress.json records what is done."""

    def __init__(self, args, caller):
        self.args = args
        self.caller = caller
        self.folder = args.out
        self.setting = {"scale": "--quick" if args.quick else "the paper's", "setting": args.setting,
                        "seeds": args.seeds, "mnist": args.mnist, "cifar10": args.cifar10, "device": args.device,
                        "precision": args.precision}
        self.experiments = experiments_of(args.setting)
        self.done = {}  # name: {"seconds", "failure"}

    def open(self):
        """Resumes what an earlier call left in the folder; rejects any other content."""
        record = self.folder / "progress.json"
        try:
            if record.exists():
                self.take_up(record)
            elif self.folder.exists() and any(self.folder.iterdir()):
                raise Failure(f"{self.folder}: holds other files, expected a new folder or one that this began", 2)
        except (AttributeError, ValueError, KeyError, TypeError):
            raise Failure(f"{record}: cannot be read, expected as an earlier ./run paper wrote it: choose "
                          "another --out", 2) from None
        except OSError as error:
            raise Failure(f"--out: {error.filename}: {error.strerror}", 2) from None

    def take_up(self, record):
        found = json.loads(record.read_text(encoding="utf-8"))
        begun = found["setting"]
        other = [name for name in self.setting if begun[name] != self.setting[name]]
        if other:
            raise Failure(f"{record}: begun with {as_options(begun, other)}, but found "
                          f"{as_options(self.setting, other)}: choose another --out", 2)
        self.done = {name: fact for name, fact in found["done"].items() if not fact["failure"]}

    def check(self):
        """Rejects options that an app would reject, before the first app has run for hours."""
        programs = self.args.build / "bin"
        missing = [e.app for e in EXPERIMENTS if not os.access(programs / e.app, os.X_OK)]
        if missing:
            raise Failure(f"--build is '{self.args.build}', expected a folder whose bin/ has every app: "
                          f"there is no {', no '.join(missing)}", 2)
        ahead = [experiment for experiment in self.experiments if experiment.name not in self.done]
        given = {e.data for e in ahead if e.data and self.setting[e.data]}
        for trial in TRIALS:
            if not self.caller.interrupted and (trial.data in given if trial.data else ahead):
                self.attempt(trial)

    def attempt(self, trial):
        if trial.data:  # reading it may take seconds
            print(f"looking at --{trial.data} first", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            command = [self.args.build / "bin" / trial.app, *trial.arguments, *self.options(trial),
                       "--no-figures", "--out", f"{folder}/run"]
            status, errors = self.caller.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                              encoding="utf-8", errors="replace")
        if status == 0 or self.caller.interrupted:
            return
        last_line = errors.strip().rpartition("\n")[2]
        sentence = last_line.removeprefix("error: ") or f"{trial.app} ended with status {status}"
        sentence = re.sub(r" \(\w+ --help lists the options\)$", "", sentence)  # refers to the app's help, not ours
        raise Failure(f"--{trial.data}: {sentence}" if trial.data else sentence, 2 if status == 2 else 1)

    def save(self):
        write_whole(self.folder / "progress.json", json.dumps({"setting": self.setting, "done": self.done}, indent=2))
        write_whole(self.folder / "index.html", self.page())

    def options(self, task, device=True):
        """The options passed on to the app of an experiment or a trial."""
        options = []
        if self.args.quick and task.app != "lfr":  # lfr takes only seconds anyway
            options.append("--quick")
        if self.args.seeds and isinstance(task, Experiment) and task.seeds:
            options += ["--seeds", self.args.seeds]
        if task.data and self.setting[task.data]:
            options += ["--data", self.setting[task.data]]
        if device:
            options += ["--device", self.args.device]
            if self.args.precision:
                options += ["--precision", self.args.precision]
        return options

    def command(self, experiment):
        """Runs the app of the experiment at the requested scale; continues an existing run if there is one."""
        folder = self.folder / experiment.name
        program = self.args.build / "bin" / experiment.app
        if (folder / "config.toml").exists():
            return [program, "--resume", folder]
        shutil.rmtree(folder, ignore_errors=True)  # left by an app and cannot be continued
        return [program, *experiment.arguments, "--out", folder, *self.options(experiment, experiment.device)]

    def begin(self):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.save()
        except OSError as error:
            raise Failure(f"--out: {error.filename}: {error.strerror}", 2) from None

    def run(self):
        for place, experiment in enumerate(self.experiments, start=1):
            if self.caller.interrupted:
                return
            if experiment.name in self.done:
                print(f"{experiment.name}: done before", flush=True)
                continue
            command = [str(part) for part in self.command(experiment)]
            print(f"\n[{place} of {len(self.experiments)}] {experiment.name}: {shlex.join(command)}", flush=True)
            begin = time.monotonic()
            status, _ = self.caller.call(command)
            if self.caller.interrupted:
                return
            failure = f"{experiment.app} ended with status {status}" if status else ""
            self.done[experiment.name] = {"seconds": round(time.monotonic() - begin, 1), "failure": failure}
            self.save()

    def page(self):
        parts = [PAGE_HEAD, f"<p>Scale: {self.setting['scale']}. {datetime.date.today().isoformat()}. Paper: Xu &amp; "
                            "Zhou, <i>Deep Frequency Principle Towards Understanding Why Deeper Learning Is Faster</i>, "
                            "AAAI 2021.</p>"]
        parts += self.comparison()
        figures = [(figure, experiment) for experiment in self.experiments for figure in experiment.figures]
        for figure, experiment in sorted(figures, key=lambda pair: pair[0].title):
            parts += self.section(figure, experiment)
        return "\n".join([*parts, "</body></html>", ""])

    def section(self, figure, experiment):
        under = f", {SETTINGS[experiment.setting]}" if experiment.setting else ""
        title = f"<h2>{html.escape(figure.title + under)}</h2>"
        fact = self.done.get(experiment.name)
        if fact is None:
            return [title, "<p>Not yet.</p>"]
        if fact["failure"]:
            return [title, f"<p class=no>{html.escape(fact['failure'])}</p>"]
        command = shlex.join(["./run", experiment.app, *experiment.arguments,
                              *(["--quick"] if self.args.quick and experiment.app != "lfr" else [])])
        parts = [title, f"<p><code>{html.escape(command)}</code>, {fact['seconds']:.0f} s"
                        f"{html.escape(self.circumstances(experiment))}</p>"]
        for picture in figure.pictures:
            place = f"{experiment.name}/{picture}"
            if (self.folder / place).exists():
                parts.append(f'<img src="{place}" alt="{html.escape(figure.title)}">')
        parts.append("<table><tr><th>The paper says</th><th>Holds here</th><th>Numbers</th></tr>")
        for claim in self.judge(figure, experiment):
            word = claim.word
            parts.append(f"<tr><td>{html.escape(claim.text)}</td><td class={word.split()[0]}>{word}</td>"
                         f"<td>{html.escape(claim.found)}</td></tr>")
        return [*parts, "</table>"]

    def circumstances(self, experiment):
        """The data and the device of a run, from its manifest: synthetic data must be visible here."""
        try:
            manifest = json.loads((self.folder / experiment.name / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        data = manifest.get("data")
        source = data.get("source") if isinstance(data, dict) else None
        if isinstance(source, dict):  # a path that is not UTF-8
            source = urllib.parse.unquote(source.get("percent-encoded", ""), errors="replace")
        facts = [source, manifest.get("device"), *self.differences(manifest.get("setting"))]
        return "".join(f"; {fact}" for fact in facts if fact)

    @staticmethod
    def differences(setting):
        """Where a run departed from the setting that its manifest names, in words."""
        differs = setting.get("differs") if isinstance(setting, dict) else None
        return [f"but --{name} {value}" for name, value in differs.items()] if isinstance(differs, dict) else []

    def comparison(self):
        """For the figures that exist in both settings: what the paper says, and the result under each setting."""
        lines = {}
        for experiment in self.experiments:
            fact = self.done.get(experiment.name)
            if not experiment.setting or fact is None or fact["failure"]:
                continue
            for figure in experiment.figures:
                for place, claim in enumerate(self.judge(figure, experiment)):
                    line = lines.setdefault((figure.title.split(":")[0], place), {"text": claim.text})
                    line[experiment.setting] = claim.word
        if not lines:
            return []
        parts = ["<table><tr><th>Figure</th><th>The paper says</th>",
                 *(f"<th>{name}</th>" for name in SETTINGS.values()), "</tr>"]
        for (title, _), line in sorted(lines.items()):
            words = [line.get(setting, "not run") for setting in SETTINGS]
            parts.append(f"<tr><td>{title}</td><td>{html.escape(line['text'])}</td>"
                         + "".join(f"<td class={word.split()[0]}>{word}</td>" for word in words) + "</tr>")
        return [*parts, "</table>"]

    def judge(self, figure, experiment):
        try:
            return figure.judge(self.folder / experiment.name)
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}"
        except KeyError as error:
            reason = f"there is no {error}"
        except (ValueError, IndexError, TypeError) as error:
            reason = error
        return [claims.Claim("(its numbers)", None, f"cannot be read: {reason}")]

    def verdicts(self):
        lines = []
        for experiment in self.experiments:
            fact = self.done[experiment.name]
            if fact["failure"]:
                lines.append(f"{experiment.name}: {fact['failure']}")
                continue
            for figure in experiment.figures:
                for claim in self.judge(figure, experiment):
                    word = {"yes": "yes", "no": "no ", "tie": "tie"}.get(claim.word, "?  ")
                    under = f" ({experiment.setting})" if self.args.setting == "both" and experiment.setting else ""
                    lines.append(f"{word}  {figure.title.split(':')[0]}{under}: {claim.text}")
        return lines


PAGE_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The figures of the paper</title><style>
body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
img { max-width: 100%; display: block; margin: 0.5em 0; }
table { border-collapse: collapse; } td, th { border: 1px solid #ccc; padding: 0.3em 0.6em; text-align: left; }
.yes { color: #00724f; font-weight: bold; } .no, .tie { color: #b33c00; font-weight: bold; }
</style></head><body>
<h1>The figures of the paper</h1>"""


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     prog="./run paper")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "cpu", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="small scales: all of it in minutes, on two cores")
    parser.add_argument("--setting", choices=[*SETTINGS, "both"], default="paper",
                        help="of Figures 5 to 8: the text's, the authors' programs', or both (paper)")
    parser.add_argument("--seeds", default="", help="of Figures 5 to 9: how many, or which as 0,1,5 (one: 0)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for all of it (runs/paper, or runs/paper-quick)")
    parser.add_argument("--mnist", default="", metavar="FOLDER", help="where MNIST is (default: as train_mlp_mnist)")
    parser.add_argument("--cifar10", default="", metavar="FOLDER", help="CIFAR-10 (default: as train_resnet_variants)")
    parser.add_argument("--device", default="auto", help="of the networks: auto, cpu, cuda or cuda:N")
    parser.add_argument("--precision", default="", help="fp32, tf32, bf16 or auto (default: each app's own)")
    args = parser.parse_args(arguments)
    name = "-".join(["paper", *(["quick"] if args.quick else []), *([args.setting] if args.setting != "paper" else [])])
    args.out = args.out or pathlib.Path("runs") / name
    return args


def main():
    caller = Caller()
    paper = Paper(parse(sys.argv[1:]), caller)
    try:
        paper.open()
        paper.check()
        paper.begin()
        paper.run()
        if caller.interrupted:
            print("interrupted: the same command goes on from here")
            return 0
    except Failure as failure:
        print(f"./run paper: {failure}", file=sys.stderr)
        return failure.status
    except OSError as error:
        print(f"./run paper: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    print("", *paper.verdicts(), f"written: {paper.folder / 'index.html'}", sep="\n")
    return 1 if any(fact["failure"] for fact in paper.done.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
