"""Chinese and English texts of the command line."""

import locale
import os

_chosen: str | None = None


def choose(language: str | None) -> None:
    """Fix the language, "zh" or "en"; None goes back to the locale."""
    global _chosen
    _chosen = language


def current() -> str:
    """The language in force: the chosen one, else the locale's, else English."""
    if _chosen:
        return _chosen
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next((name for name in names if name), locale.getlocale()[0] or "")
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def tr(en: str, zh: str) -> str:
    """The text in the language in force."""
    return zh if current() == "zh" else en


def said(text: str) -> str:
    """A text of the library in the language in force, where it brings both."""
    return getattr(text, "zh", text) if current() == "zh" else text
