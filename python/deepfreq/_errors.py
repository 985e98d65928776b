class InputError(ValueError):
    """Wrong input: one sentence that names the thing, what was found and what was expected."""

    __module__ = "deepfreq"
