"""Errors that reach a user: what happened, and what to do next."""


class GroundnetError(Exception):
    """A failure with its cause and the next action, each one short clause.

    The command line prints ``error: cause; action`` and exits with code 1.
    """

    def __init__(self, cause: str, action: str) -> None:
        super().__init__(f"{cause}; {action}")
        self.cause = cause
        self.action = action
