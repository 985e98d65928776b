class InputError(ValueError):
    """Invalid input. The message is one sentence: what is wrong, what was found and what was expected."""

    __module__ = "deepfreq"
