"""What tools/gpu_round is made of: pack.py, commands.py, parts.py, figures.py, rounds.py."""


class Failure(Exception):
    """One sentence for the user; the exit status is 2."""
