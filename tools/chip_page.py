"""Writes host/chip_models.md: what each chip model models from which section, what not, what only hardware tells.

The page is made of the models' own docstrings, so that it cannot say otherwise than they do. With --check nothing is
written, and a page that is not what they give is an error.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHIPS = ROOT / "host" / "groundnet" / "sim" / "chips"
PAGE = ROOT / "host" / "chip_models.md"
# A model is a module with all three; others are parts of one.
PROMISES = ("Modelled", "Not modelled", "Only hardware can tell")
_HEAD = """# The chip models: what they promise

Made by `tools/chip_page.py` from the models' own docstrings. A model refuses what the silicon refuses, as far as its
sections are modelled; what is not modelled a test on virtual boards cannot find. `tests/bench/test_chip_contracts.py`
asks the same questions of a model and, with `--bench RIG.toml`, of the chip it stands for: another answer falsifies the
model.

"""


def models() -> dict[str, str]:
    """Docstring of every model by its module's name."""
    found = {}
    for path in sorted(CHIPS.glob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if "Modelled:" in text:
            found[path.stem] = text
    return found


def promise(text: str, word: str) -> str:
    """What a docstring says behind one of PROMISES, up to the next one or the end of its paragraph."""
    flat = re.sub(r"[ \t]*\n(?!\n)", " ", text)
    start = r"(?<!Not )\bModelled:\s" if word == "Modelled" else rf"\b{word}:\s"
    begin = re.search(start, flat)
    if begin is None:
        return ""
    rest = flat[begin.end() :]
    end = min(
        (match.start() for match in re.finditer(r"\n|\b(Not modelled|Only hardware can tell):", rest)),
        default=len(rest),
    )
    return rest[:end].strip()


def page() -> str:
    """The whole page. Raises SystemExit naming a model that does not promise everything."""
    parts = [_HEAD]
    for name, text in models().items():
        title = text.splitlines()[0]
        said = {word: promise(text, word) for word in PROMISES}
        missing = [word for word in PROMISES if not said[word]]
        if missing:
            sys.exit(f"error: the model {name} does not say '{missing[0]}'; add it to its docstring")
        parts.append(f"## {name}\n\n{title}\n\n")
        parts += [f"- **{word}**: {said[word]}\n" for word in PROMISES]
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("error: host/chip_models.md is not what the models say; run tools/chip_page.py")
