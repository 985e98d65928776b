"""Makes a folder with everything needed on a machine that has a GPU and little else."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

from . import Failure

LARGEST = 60  # MiB
NOT_PACKED = "__pycache__"
DRAWING = "python/deepfreq/drawing"

# Present wherever programs can start; a foreign copy of these breaks them.
GLIBC = re.compile(r"(ld-linux.*|lib(c|m|mvec|dl|rt|pthread|resolv|util|nsl|anl|BrokenLocale|nss_.*))\.so.*")
CUDA = re.compile(r"lib(cuda|cublas|cudnn|nvrtc|nvJitLink|nvidia).*")

# Files that the programs look for beside themselves if there is no source tree.
BESIDE_THE_PROGRAMS = ["analysis/figures.py", "analysis/spectrum_figures.py", "analysis/plain_matplotlib.py",
                       "tests/fixtures/mlp_pytorch.json", "tests/fixtures/resnet_pytorch.json",
                       "tests/fixtures/resnet_programs_pytorch.json"]


def libraries_of(binary):
    """{soname: path, or None if the loader finds none} for all libraries it needs, directly or indirectly."""
    output = subprocess.run(["ldd", str(binary)], capture_output=True, text=True).stdout
    found = re.findall(r"^\s*(\S+) => (not found|\S+)", output, re.MULTILINE)
    return {name: None if path == "not found" else pathlib.Path(path) for name, path in found}


def loader_path(binary, packed):
    """LD_LIBRARY_PATH for one of our binaries: first the packed libraries; then, for each CUDA library, the one from
    PyTorch's packages, so that both compute with the same one; then the toolkit's."""
    folders = [packed] if packed else []
    # Where the Python packages nvidia-* keep their libraries: nvidia/cublas/lib, nvidia/cu13/lib …
    places = [folder for place in filter(None, sys.path) for folder in sorted(pathlib.Path(place).glob("nvidia/*/lib"))]
    places += [pathlib.Path("/usr/local/cuda/lib64"), *pathlib.Path("/usr/local").glob("cuda-*/lib64")]
    needed = {name: path for name, path in libraries_of(binary).items() if CUDA.match(name)}
    for name, path in needed.items():
        found = [place for place in places if (place / name).exists()][:1]
        if not found and path is None:
            raise Failure(f"{name} is not found, expected it in a CUDA toolkit in /usr/local or PyTorch's packages")
        folders += found
    # cuDNN loads its sub-libraries by name, from its own folder or from this path. dict: each folder once.
    words = [*map(str, dict.fromkeys(folders)), os.environ.get("LD_LIBRARY_PATH")]
    return ":".join(filter(None, words))


def warn_of_native(build):
    cache = build / "CMakeCache.txt"
    if cache.exists() and re.search(r"^DEEPFREQ_NATIVE:BOOL=(ON|TRUE|1)$", cache.read_text(), re.MULTILINE):
        print("gpu_round: built for this processor (DEEPFREQ_NATIVE=ON): another one may end it with "
              "'illegal instruction'; build with DEEPFREQ_BUILD_FLAGS='-DDEEPFREQ_NATIVE=OFF "
              "-DCMAKE_CXX_FLAGS=-march=x86-64-v3'", file=sys.stderr)


def programs_of(build):
    programs = (build / "bin").glob("*")
    binaries = sorted(path for path in programs if os.access(path, os.X_OK) and path.is_file())
    if not binaries:
        raise Failure(f"{build}/bin has no programs, expected those of ./run --backend cuda build")
    return binaries


def add_programs(binaries, folder):
    """Copies programs and their libraries, compressed; returns the number of libraries."""
    libraries = {}
    for binary in binaries:
        target = shutil.copy2(binary, folder / "bin")
        if shutil.which("strip"):
            subprocess.run(["strip", "--strip-unneeded", target], capture_output=True)
        libraries |= {name: path for name, path in libraries_of(binary).items()
                      if not GLIBC.fullmatch(name) and not CUDA.match(name)}
    for name, path in libraries.items():
        if path is None:
            raise Failure(f"{name} is not found here, expected every library but CUDA's")
    with tarfile.open(folder / "programs.tar.xz", "w:xz", preset=9) as archive:
        archive.add(folder / "bin", arcname="bin")
        for name, path in sorted(libraries.items()):
            archive.add(path.resolve(), arcname=f"lib/{name}")
    shutil.rmtree(folder / "bin")
    return len(libraries)


def unpack(folder):
    """Unpacks bin/, lib/ and data/ of a pack, each once: completely or not at all."""
    for archive, names in (("programs.tar.xz", ("bin", "lib")), ("data.tar.xz", ("data",))):
        if not (folder / archive).exists() or (folder / names[-1]).exists():
            continue
        aside = folder / "unpacking"
        with tarfile.open(folder / archive) as packed:
            packed.extractall(aside)
        for name in names:
            (aside / name).mkdir(exist_ok=True)  # programs may need no library
            shutil.rmtree(folder / name, ignore_errors=True)
            (aside / name).rename(folder / name)
        aside.rmdir()


def add_data(folders, folder):
    """Writes data.tar.xz from {name: folder}, each folder under its name."""
    with tarfile.open(folder / "data.tar.xz", "w:xz", preset=1) as archive:
        for name, source in folders.items():
            archive.add(source, arcname=f"data/{name}")


def pack(root, folder, build, data):
    """Makes the pack. data: {"mnist": folder, "cifar10": folder}, either of them, or none."""
    binaries = programs_of(build)
    warn_of_native(build)
    if folder.exists() and any(folder.iterdir()) and not (folder / "gpu_round").exists():
        raise Failure(f"{folder} holds other things, expected an empty folder or an earlier pack")
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "benchmarks", "gpu"):
        (folder / name).mkdir(parents=True)
    for name in BESIDE_THE_PROGRAMS:
        shutil.copy2(root / name, folder / "bin")
    # Without the extension: drawing figures does not need it.
    package = folder / "bin" / "deepfreq"
    shutil.copytree(root / DRAWING, package / "drawing", ignore=shutil.ignore_patterns(NOT_PACKED))
    for name in ("__init__.py", "_errors.py"):
        shutil.copy2(root / DRAWING / ".." / name, package)
    for source in ("benchmarks", "tools/gpu"):
        for script in (root / source).glob("*.py"):
            shutil.copy2(script, folder / pathlib.Path(source).name)
    shutil.copy2(root / "tools" / "gpu_round", folder / "gpu_round")
    libraries = add_programs(binaries, folder)
    if data:
        add_data(data, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / (1 << 20)
    print(f"{folder}: {size:.1f} MiB, {len(binaries)} programs, {libraries} libraries"
          + f", {' and '.join(data) or 'no'} data")
    if size > LARGEST:
        raise Failure(f"{folder} has {size:.1f} MiB, expected at most {LARGEST}")
    return 0
