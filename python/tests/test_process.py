"""The package in a process with others: Ctrl-C, forks, threads, OpenMP, processors, import."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import deepfreq
import pytest
from conftest import run_python

LARGE = """
import signal, numpy as np, deepfreq as df
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background a shell has it ignored
rng = np.random.default_rng(0)
x, y = rng.standard_normal((100_000, 300), np.float32), rng.integers(0, 10, 100_000)
df.lfr(x[:500], y[:500])  # what is imported late is imported now
"""


def test_ctrl_c_ends_a_large_measurement_within_a_second():
    code = LARGE + """
print("begun", flush=True)
try:
    df.lfr(x, y)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    df.lfr(x[:500], y[:500])
    print("measured", flush=True)
"""
    for seconds in (0.3, 2.0):  # while the features are looked at, and while they are measured
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "begun\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert child.stdout.readline() == "interrupted\n"
        assert time.monotonic() - begun < 1.0
        assert child.stdout.read() == "measured\n"
        assert child.wait() == 0


def test_a_signal_handler_that_does_not_raise_lets_the_measurement_go_on():
    out = run_python("""
        import os, signal, threading, numpy as np, deepfreq as df
        signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((6000, 100), np.float32), rng.integers(0, 10, 6000)
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        df.lfr(x, y, "0.1:5:2000")
        print("measured")
    """)
    assert out.splitlines() == ["handled", "measured"]


def test_the_gil_is_released_and_threads_measure_side_by_side():
    out = run_python("""
        import threading, numpy as np, deepfreq as df
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((3000, 100), np.float32), rng.integers(0, 10, 3000)
        alone = df.lfr(x, y).lfr.tolist()
        found, ticks, done = [], [0], threading.Event()
        def count():
            while not done.wait(0.001):
                ticks[0] += 1
        counting = threading.Thread(target=count)
        counting.start()
        threads = [threading.Thread(target=lambda: found.append(df.lfr(x, y).lfr.tolist())) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        done.set(); counting.join()
        print(found == [alone] * 3, ticks[0] > 5)
    """)
    assert out == "True True"


def test_a_forked_child_is_refused_rather_than_left_waiting():
    out = run_python("""
        import os, numpy as np, deepfreq as df
        x, y = np.random.default_rng(0).standard_normal((500, 5)), np.arange(500) % 2
        df.lfr(x, y)
        pid = os.fork()
        if pid == 0:
            try:
                df.lfr(x, y)
            except df.InputError as error:
                print(error, flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
    """)
    assert "was used before this process was forked" in out and "'spawn'" in out


def test_a_child_forked_before_the_first_measurement_measures():
    out = run_python("""
        import os, numpy as np, deepfreq as df
        x, y = np.random.default_rng(0).standard_normal((500, 5)), np.arange(500) % 2
        pid = os.fork()
        os.write(1, b"%d\\n" % df.lfr(x, y).n)  # at once, as two processes write
        if pid == 0: os._exit(0)
        os.waitpid(pid, 0)
    """)
    assert out.split() == ["500", "500"]


@pytest.mark.parametrize("processor", ["x86_64_v2", "x86_64_v3", "x86_64_v4"])
def test_the_kernels_of_every_processor_agree_with_double(processor):
    from deepfreq._native import GENERATIONS, processor_flags

    if not GENERATIONS[processor] <= processor_flags():
        pytest.skip(f"this processor is no {processor}")
    out = run_python("import deepfreq as df; r = df.doctor(); print(r.generation, r.error < 1e-5)",
                     DEEPFREQ_PROCESSOR=processor)
    assert out == f"{processor} True"


def test_a_processor_that_this_one_is_not_is_refused():
    ended = subprocess.run([sys.executable, "-c", "from deepfreq import lfr"], capture_output=True, text=True,
                           env={**os.environ, "DEEPFREQ_PROCESSOR": "x86_64_v9"})
    assert "DEEPFREQ_PROCESSOR is 'x86_64_v9', expected one that this processor is: " in ended.stderr


def test_importing_is_quick():
    # Of the processor, for others may be using it.
    code = "import time; t = time.process_time(); import deepfreq; deepfreq.lfr; print(time.process_time() - t)"
    assert min(float(run_python(code)) for _ in range(5)) < 0.3


@pytest.mark.parametrize("order", ["import torch, deepfreq", "import deepfreq; deepfreq.lfr; import torch"])
def test_one_openmp_beside_torch_in_both_orders_of_import(order):
    pytest.importorskip("torch")
    out = run_python(f"""
        {order}
        import numpy as np
        from deepfreq._doctor import openmp_runtimes
        torch.set_num_threads(1)
        deepfreq.lfr(np.random.default_rng(0).standard_normal((500, 5)), np.arange(500) % 2)
        torch.ones(300, 300) @ torch.ones(300, 300)
        print(len(openmp_runtimes()), torch.get_num_threads(), "1 threads" in deepfreq.doctor().device)
    """)
    assert out == "1 1 True"


def test_the_extension_needs_openmp_and_the_language_libraries_alone():
    if shutil.which("readelf") is None:
        pytest.skip("readelf (binutils) is not installed")
    modules = list(Path(deepfreq.__file__).parent.glob("_core_*.so"))
    assert modules
    for module in modules:
        dynamic = subprocess.run(["readelf", "-d", module], check=True, capture_output=True, text=True).stdout
        needed = {name.partition(".so")[0] for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)}
        assert needed <= {"libgomp", "libstdc++", "libgcc_s", "libm", "libc", "ld-linux-x86-64"}


def test_the_doctor_says_what_there_is():
    import deepfreq as df

    report = df.doctor()
    text = str(report)
    for word in ("deepfreq ", "device: cpu: ", "kernels: for ", "OpenMP: ", "GPU: ", "self-check: passed"):
        assert word in text
    assert report.error <= 1e-5
    printed = subprocess.run([sys.executable, "-m", "deepfreq"], capture_output=True, text=True)
    assert "self-check: passed" in printed.stdout and printed.returncode == 0
