"""Errors that reach a user: what happened, and what to do next."""


class Text(str):
    """An English text that brings its Chinese one; the command line prints the one that the user reads."""

    zh: str

    def __new__(cls, en: str, zh: str = "") -> "Text":
        text = super().__new__(cls, en)
        text.zh = zh or en
        return text


class GroundnetError(Exception):
    """A failure with its cause and the next action, each one short clause, a `Text` where Chinese is known.

    The command line prints ``error: cause; action`` and exits with code 1.
    """

    def __init__(self, cause: str, action: str) -> None:
        super().__init__(f"{cause}; {action}")
        self.cause = cause
        self.action = action
