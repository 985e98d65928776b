"""The parts of tools/gpu_round: pack.py, commands.py, parts.py, figures.py, rounds.py."""


class Failure(Exception):
    """One sentence for the user; the exit status is 2."""
