#!/usr/bin/env python3
"""The peer of the residual networks' benchmark: the same training steps of Resnet18-i in PyTorch.

Row gather, forward, cross_entropy, backward, Adam (fused if this PyTorch has it); images as NCHW and as channels_last;
eager, compiled, and on a GPU also with the whole step captured as a CUDA graph. Denormals are flushed. Prints one line
of JSON.
"""

import argparse
import json
import resource
import statistics

import torch

import torch_device

GRAPH = "channels_last, CUDA graph"
COMPILED = {"channels_last, torch.compile": "default",
            "channels_last, torch.compile reduce-overhead": "reduce-overhead",
            "channels_last, torch.compile max-autotune": "max-autotune"}
VARIANTS = ["NCHW", "channels_last", GRAPH, *COMPILED]
PARTS = [64, 128, 256, 512]


class Block(torch.nn.Module):
    """The basic block of ResNet-18."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = torch.nn.BatchNorm2d(outputs)
        self.second = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = torch.nn.BatchNorm2d(outputs)
        self.shortcut = torch.nn.Identity() if stride == 1 and inputs == outputs else torch.nn.Sequential(
            torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False), torch.nn.BatchNorm2d(outputs))

    def forward(self, x):
        a = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(a)) + self.shortcut(x))


def resnet18(variant):
    """A 3×3 stem, the stages that the variant keeps, averaging to 512 features, then dense 512-512-10."""
    layers = [torch.nn.Conv2d(3, PARTS[0], 3, 1, 1, bias=False), torch.nn.BatchNorm2d(PARTS[0]), torch.nn.ReLU()]
    width = PARTS[0]
    for part, channels in enumerate(PARTS[:5 - variant]):
        layers += [Block(width, channels, 1 if part == 0 else 2), Block(channels, channels, 1)]
        width = channels
    grid = {512: (1, 1), 256: (1, 2), 128: (2, 2), 64: (2, 4)}[width]
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(grid), torch.nn.Flatten(),
                               torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))


def seconds_per_step(name, args, x, labels):
    memory_format = torch.contiguous_format if name == "NCHW" else torch.channels_last
    network = resnet18(args.variant).to(args.device, memory_format=memory_format)
    fused = args.device != "cpu" or [int(part) for part in torch.__version__.split(".")[:2]] >= [2, 4]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=fused, capturable=name == GRAPH)
    forward = torch.compile(network, mode=COMPILED[name]) if name in COMPILED else network
    images = x.to(memory_format=memory_format)

    def step(index):
        with torch_device.autocast(args):
            loss = torch.nn.functional.cross_entropy(forward(images[index]), labels[index])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    if name == GRAPH:
        step = torch_device.captured(step, [args.batch], args.device)

    def epoch():
        for index in torch.randperm(len(images), device=args.device).split(args.batch):
            step(index)

    for _ in range(3 if args.device != "cpu" else 1):
        epoch()
    return statistics.median(torch_device.seconds_of(epoch, args.device) for _ in range(args.epochs)) / 4


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    torch_device.add_arguments(parser)
    parser.add_argument("--variant", type=int, default=1, choices=[1, 2, 3, 4])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3, help="of four steps, timed; the median is reported")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS[:2])
    args = parser.parse_args()

    torch_device.prepare(args)
    x = torch.rand(4 * args.batch, 3, 32, 32, device=args.device)
    labels = torch.randint(10, (4 * args.batch,), device=args.device)
    variants, failed = torch_device.measure_variants(
        args.variants, lambda name: seconds_per_step(name, args, x, labels))
    best = min(variants, key=variants.get)
    print(json.dumps({"torch": torch.__version__, "variants": variants, "failed": failed, "best": best,
                      "seconds": variants[best],
                      "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    main()
