"""The report of a run: one HTML file that needs nothing else, and JUnit XML for a test system."""

from collections.abc import Sequence
from xml.etree import ElementTree

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from groundnet.bench.production import plots
from groundnet.bench.production.results import BROKEN, PASSED, UnitResult, statistics, yield_share

_PAGES = Environment(
    loader=PackageLoader("groundnet.bench.production", "pages"), autoescape=True, undefined=StrictUndefined
)
_PAGES.filters["curve"] = lambda drawn: Markup(plots.curve(drawn))  # numbers and escaped names only
_PAGES.filters["histogram"] = lambda spread: Markup(plots.histogram(spread))
_PAGES.filters["number"] = lambda value: "" if value is None else f"{value:.4g}"


def html(title: str, units: Sequence[UnitResult], drifts: Sequence[str] = ()) -> str:
    """Verdicts, numbers against limits, curves of each unit, yield and spread of all."""
    return _PAGES.get_template("report.html").render(
        title=title,
        units=units,
        statistics=statistics(units),
        share=yield_share(units),
        drifts=drifts,
        passed=sum(unit.verdict == PASSED for unit in units),
    )


def junit(title: str, units: Sequence[UnitResult]) -> str:
    """One test suite per unit, one test case per measurement."""
    suites = ElementTree.Element("testsuites", name=title)
    for unit in units:
        failures = sum(not one.passed for one in unit.measured)
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=unit.serial_number,
            tests=str(len(unit.measured) + (unit.verdict == BROKEN)),
            failures=str(failures),
            errors=str(int(unit.verdict == BROKEN)),
            time=f"{unit.duration_s:.3f}",
        )
        for one in unit.measured:
            case = ElementTree.SubElement(suite, "testcase", classname=unit.sequence, name=one.name)
            if not one.passed:
                text = f"{one.value:.4g} {one.unit}, limits {_limit(one.low)} to {_limit(one.high)}"
                ElementTree.SubElement(case, "failure", message=text)
        if unit.verdict == BROKEN:
            case = ElementTree.SubElement(suite, "testcase", classname=unit.sequence, name="test")
            ElementTree.SubElement(case, "error", message=unit.cause)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"
    )


def _limit(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
