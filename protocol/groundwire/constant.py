"""`const` on every interpreter: MicroPython's compiler folds it away, CPython needs a name to call."""

try:
    from micropython import const  # pyright: ignore - its stub's parameter is positional-only
except ImportError:

    def const(value):  # type: ignore[misc] - the same name on another interpreter
        """Give `value` back unchanged."""
        return value
