"""How the command says no."""


class Fault(Exception):
    """What is asked cannot be done; the message is one line that says what to do."""
