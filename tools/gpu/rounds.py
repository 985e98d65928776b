"""A round: runs its parts one after the other or side by side, and saves results from the first part on."""

import concurrent.futures
import dataclasses
import datetime
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

from . import Failure, figures, pack
from .commands import Runner

NOT_KEPT = ("checkpoint", "*.npy", "checkpoints", "__pycache__")  # large, and useless elsewhere


@dataclasses.dataclass
class Result:
    status: str  # ok, failed, skipped or left out
    words: str  # numbers, or a reason
    seconds: float = 0.0


def device_and_driver():
    tool = shutil.which("nvidia-smi") or "/usr/local/nvidia/bin/nvidia-smi"
    try:
        output = subprocess.run([tool, "--query-gpu=name,driver_version", "--format=csv,noheader"],
                                capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        output = ""
    words = [word.strip() for word in output.strip().split("\n")[0].split(",")]
    return (words[0], words[1]) if len(words) == 2 else ("no GPU", "none")


class Round:
    """What the parts (parts.py) build their commands from, and where results go."""

    def __init__(self, args, root, packed, chosen):
        self.bin = (root if packed else args.build) / "bin"
        self.scripts = root / "benchmarks"
        self.data = args.data or (root / "data" if packed else None)
        self.python = args.python
        self.device = args.device
        self.trial = args.device == "cpu"
        if not (self.bin / "doctor").exists():
            raise Failure(f"{self.bin} has no programs, expected those of ./run --backend cuda build, or a pack")
        libraries = pack.loader_path(self.bin / "doctor", root / "lib" if packed else None)
        self.environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "LD_LIBRARY_PATH": libraries}
        # Python has its own libraries, and must not see ours.
        self.python_environment = {**os.environ, "PYTHONUNBUFFERED": "1", "DEEPFREQ_LIBRARY_PATH": libraries}
        self.name, self.driver = ("a trial on the CPU", "none") if self.trial else device_and_driver()
        if not self.trial:
            self.require_cuda()
        slug = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        self.out = args.out or (root / "results" if packed else root / "benchmarks" / "results") / slug
        self.out.mkdir(parents=True, exist_ok=True)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="gpu_round-"))
        self.begun = time.monotonic()
        self.end = self.begun + args.budget if args.budget else float("inf")
        self.started = datetime.datetime.now(datetime.timezone.utc)
        self.results = {part.name: None for part in chosen}  # a Result once the part has ended
        self.keeping = threading.Lock()
        self.runner = Runner(open(self.out / "log.txt", "w", encoding="utf-8"))

    def require_cuda(self):
        """Fails if there is no GPU, the driver is too old, or the build excludes this GPU; the doctor says which."""
        done = subprocess.run([self.bin / "doctor", "--device", self.device, "--only", "copy"], env=self.environment,
                              capture_output=True, text=True, timeout=120)
        missing = re.search(r"cuda cannot be used: (.*)", done.stdout)
        if missing or done.returncode == 2:
            raise Failure(missing[1] if missing else done.stderr.strip().removeprefix("error: "))

    def lacks_data(self, part):
        return part.data and not (self.data and (self.data / part.data).is_dir())

    def left(self):
        return self.end - time.monotonic()

    def run(self, part):
        left = self.left()
        if left < part.seconds:
            return Result("left out", f"takes about {part.seconds:.0f} s, and {max(0.0, left):.0f} s were left")
        if self.lacks_data(part):
            return Result("skipped", f"no data of {part.data}")
        command = part.command(self)
        if isinstance(command, str):
            return Result("skipped", command)
        base = self.python_environment if command.python else self.environment
        ended = self.runner(command.words, min(part.longest, left), {**base, **command.environment})
        if not ended.well:
            wrong = "; ".join(figures.wrong_tests(ended.output)) if ended.status == 1 else ""
            return Result("failed", wrong or ended.complaint(), ended.seconds)
        try:
            return Result("ok", part.figures(ended, self), ended.seconds)
        except ValueError as error:
            return Result("failed", str(error), ended.seconds)

    def run_and_keep(self, part):
        say(f"{part.name} …")
        try:
            result = self.run(part)
        except Exception as error:  # the other parts run whatever happens in this one
            result = Result("failed", f"{type(error).__name__}: {error}")
        say(f"{part.name}: {result.status}: {result.words}")
        with self.keeping:
            self.results[part.name] = result
            self.keep()

    def keep(self):
        """Saves all results so far, in at most four files."""
        write(self.out / "summary.md", self.summary())
        pages = [page.read_text(encoding="utf-8") for page in sorted(self.work.glob("*.md"))]
        if pages:
            write(self.out / "benchmarks.md", "\n\n".join(pages))
        runs = [path for path in sorted(self.work.iterdir()) if path.is_dir()]
        if runs:
            with tarfile.open(self.work / "runs.tar.gz", "w:gz") as archive:
                for run in runs:
                    archive.add(run, arcname=run.name, filter=kept)
            shutil.move(self.work / "runs.tar.gz", self.out / "runs.tar.gz")

    def summary(self):
        words = shlex.join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]])
        lines = [f"# {self.name}", "",
                 f"- driver {self.driver}, {self.started:%Y-%m-%d %H:%M} UTC, "
                 f"{time.monotonic() - self.begun:.0f} s in all",
                 f"- `{words}`; output in log.txt", "",
                 "| part | result | seconds | figures |", "| --- | --- | --- | --- |"]
        for name, result in self.results.items():
            if result is None:
                lines.append(f"| {name} | not yet | | |")
                continue
            figures_ = result.words.replace("|", "\\|")
            lines.append(f"| {name} | {result.status} | {result.seconds:.1f} | {figures_} |")
        return "\n".join([*lines, ""])


def say(text):
    print(f"gpu_round: {text}", file=sys.stderr, flush=True)


def write(path, text):
    """Writes a file atomically: complete or not at all, even if interrupted."""
    aside = path.with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def kept(entry):
    name = pathlib.PurePath(entry.name)
    return None if any(name.match(pattern) for pattern in NOT_KEPT) else entry


def require_data(round_, parts):
    for part in parts:
        if round_.lacks_data(part):
            raise Failure(f"{part.name} needs {part.data}/ in the folder of --data ({round_.data or 'none'}), and it "
                          f"is not there: pack with --{part.data} DIR, or choose other parts by --only")


def run(round_, parts, jobs):
    """Runs the parts; returns the exit status: 1 if a part failed."""
    if all(time.monotonic() + part.seconds > round_.end for part in parts):
        least = min(part.seconds for part in parts)
        raise Failure(f"--budget is {round_.end - round_.begun:.0f}, expected at least {least:.0f}: what the quickest "
                      "part takes")
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        list(pool.map(round_.run_and_keep, [part for part in parts if not part.alone]))
        for part in parts:
            if part.alone:
                round_.run_and_keep(part)
    except KeyboardInterrupt:
        round_.end = 0.0  # start no further parts
        round_.runner.end_all()
        pool.shutdown(cancel_futures=True)
        say(f"interrupted; what was done is in {round_.out}")
        return 130
    finally:
        shutil.rmtree(round_.work, ignore_errors=True)
    print((round_.out / "summary.md").read_text(encoding="utf-8"))
    return 1 if any(result and result.status == "failed" for result in round_.results.values()) else 0
