"""What became of each board of a tray: for people, as JSON, and as JUnit XML for a test system."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from xml.etree import ElementTree

PASSED, FAILED, REFUSED = "passed", "failed", "refused"


@dataclass
class BoardResult:
    """One board. ``verdict`` is PASSED, FAILED, or REFUSED: nothing was written to it.

    ``mac``, ``device_id``, ``firmware`` and ``micropython`` are what the device said of itself. ``steps`` are
    names with seconds, of every try.
    """

    port: str
    usb_serial: str = ""
    mac: str = ""
    device_id: str = ""
    chip: str = ""
    board: str = ""
    role: str = ""
    firmware: str = ""
    micropython: str = ""
    verdict: str = FAILED
    cause: str = ""
    action: str = ""
    tries: int = 0
    duration_s: float = 0.0
    steps: list[tuple[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class TrayReport:
    """All boards of one call, in the order in which their ports were named."""

    role: str
    board: str
    version: str
    boards: Sequence[BoardResult]
    duration_s: float

    @property
    def passed(self) -> bool:
        return bool(self.boards) and all(one.verdict == PASSED for one in self.boards)

    def as_json(self) -> str:
        return json.dumps(asdict(self) | {"passed": self.passed}, ensure_ascii=False)

    def as_junit(self) -> str:
        """One test case per board, named by what the device calls itself."""
        failures = [one for one in self.boards if one.verdict == FAILED]
        refused = [one for one in self.boards if one.verdict == REFUSED]
        suite = ElementTree.Element(
            "testsuite",
            name=f"groundnet flash {self.role} {self.version}",
            tests=str(len(self.boards)),
            failures=str(len(failures)),
            errors=str(len(refused)),
            time=f"{self.duration_s:.3f}",
        )
        for one in self.boards:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=f"{self.role}.{self.board}",
                name=one.mac or one.usb_serial or one.port,
                time=f"{one.duration_s:.3f}",
            )
            if one.verdict != PASSED:
                kind = "failure" if one.verdict == FAILED else "error"
                ElementTree.SubElement(case, kind, message=f"{one.cause}; {one.action}", type=one.verdict)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            + ElementTree.tostring(suite, encoding="unicode")
            + "\n"
        )
