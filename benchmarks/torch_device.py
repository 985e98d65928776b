"""Shared by the PyTorch peers: the device they run on, and how time is measured on it."""

import os
import sys
import time

import torch


def add_arguments(parser):
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "tf32", "bf16"],
                        help="of products; tf32 on CUDA only")
    parser.add_argument("--threads", type=int, default=2)


def set_precision(precision):
    """fp32 or tf32 for products and convolutions on CUDA; with bf16, tf32 wherever autocast leaves float32."""
    torch.set_float32_matmul_precision("highest" if precision == "fp32" else "high")
    torch.backends.cudnn.allow_tf32 = precision != "fp32"


def autocast(args):
    """A context in which products and convolutions of a forward pass are in bf16 if requested."""
    return torch.autocast(torch.device(args.device).type, torch.bfloat16, enabled=args.precision == "bf16")


def prepare(args):
    """Sets threads, denormals and precision as requested; returns whether denormals are flushed on the CPU."""
    torch.set_num_threads(args.threads)
    flushes = torch.set_flush_denormal(True)
    if args.device != "cpu":
        set_precision(args.precision)
        torch.zeros(1, device=args.device)
    torch.manual_seed(0)
    return flushes


def captured(step, sizes, device):
    """Returns step(index) as the replay of a CUDA graph, one graph per size of index."""
    graphs = {}
    for size in sizes:
        index = torch.zeros(size, dtype=torch.long, device=device)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):
                step(index)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step(index)
        graphs[size] = (index, graph)

    def replay(index):
        static_index, graph = graphs[len(index)]
        static_index.copy_(index)
        graph.replay()
    return replay


def measure_variants(names, measure):
    """({name: measure(name)}, {name: reason for failure}): this PyTorch or this device may lack a variant."""
    variants, failed = {}, {}
    for name in names:
        try:
            variants[name] = measure(name)
        except (TypeError, RuntimeError, AttributeError) as error:
            failed[name] = (str(error).strip().splitlines() or [repr(error)])[0]
    if not variants:
        sys.exit(f"{os.path.basename(sys.argv[0])}: no variant ran: {failed}")
    return variants, failed


def synchronize(device):
    if device != "cpu":
        torch.cuda.synchronize()


def seconds_of(work, device):
    """Time of work(), by CUDA events on a GPU: from an idle device until it is idle again."""
    synchronize(device)
    if device == "cpu":
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    work()
    end.record()
    end.synchronize()
    return 1e-3 * start.elapsed_time(end)
