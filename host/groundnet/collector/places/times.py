"""Times as text."""

from datetime import UTC, datetime


def iso_time(time_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds, of Unix milliseconds."""
    return (
        datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
