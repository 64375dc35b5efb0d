"""How containers say no."""


class NoContainers(Exception):
    """Containers cannot be used here; the message is one line that says what to do."""
