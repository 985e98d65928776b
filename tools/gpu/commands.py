"""Runs a command with a time limit, and says in words how it ended."""

import dataclasses
import os
import re
import shlex
import signal
import subprocess
import threading
import time

LONGEST_OUTPUT = 200_000  # characters kept at each end of a command's output


@dataclasses.dataclass
class Ended:
    """How a command ended: `status` is None if it was stopped at its time limit, and negative after a signal."""

    words: list
    status: int | None
    output: str
    seconds: float
    limit: float

    @property
    def well(self):
        return self.status == 0

    def complaint(self):
        """What went wrong; names a test that crashed or did not end."""
        running = re.findall(r"^running: (.*)", self.output, re.MULTILINE)
        where = f" in '{running[-1]}'" if running else ""
        if self.status is None:
            return f"did not end within {self.limit:.0f} s{where}"
        if self.status < 0:
            return f"ended by {signal.Signals(-self.status).name}{where}"
        return f"{last_line(self.output)} (status {self.status})"


def last_line(output):
    return (output.strip() or "no output").splitlines()[-1].strip()


def shortened(output):
    if len(output) <= 2 * LONGEST_OUTPUT:
        return output
    left_out = len(output) - 2 * LONGEST_OUTPUT
    return f"{output[:LONGEST_OUTPUT]}\n[… {left_out} characters left out …]\n{output[-LONGEST_OUTPUT:]}"


class Runner:
    """Runs any number of commands at a time, and writes each to the log when it has ended."""

    def __init__(self, log):
        self.log = log
        self.lock = threading.Lock()
        self.processes = set()

    def __call__(self, words, limit, environment):
        words = [str(word) for word in words]
        start = time.monotonic()
        try:
            # In its own process group, so that ending a command also ends what it started.
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       errors="replace", start_new_session=True, env=environment)
        except OSError as error:
            return self.ended(words, 127, f"{words[0]} does not start: {error.strerror}", start, limit)
        with self.lock:
            self.processes.add(process)
        try:
            output, _ = process.communicate(timeout=max(1.0, limit))
            status = process.returncode
        except subprocess.TimeoutExpired:
            end_group(process)
            output, _ = process.communicate()
            status = None
        with self.lock:
            self.processes.discard(process)
        return self.ended(words, status, output, start, limit)

    def ended(self, words, status, output, start, limit):
        ended = Ended(words, status, shortened(output), time.monotonic() - start, limit)
        how = f"[{'status ' + str(status) if ended.well else ended.complaint()}, {ended.seconds:.1f} s]"
        with self.lock:
            print(f"$ {shlex.join(words)}\n{ended.output.rstrip()}\n{how}\n", file=self.log, flush=True)
        return ended

    def end_all(self):
        with self.lock:
            for process in self.processes:
                end_group(process)


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
