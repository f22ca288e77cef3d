"""Turns a sheet's data into one HTML file that needs nothing else: no server, no network, no script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse import texts
from ecluse.model.charter import Criterion
from ecluse.model.outcome import Outcome
from ecluse.report.gather import gather_sheet
from ecluse.report.measure import measure_text
from ecluse.report.page import page_environment, write_page
from ecluse.report.sheet import Check, SheetData

#: Promises that are much alike and share a line where all of them held: the text of the line, by type.
_TOGETHER = {
    "expect_column_type_to_be": "types",
    "expect_column_values_to_be_of_type": "types",
    "expect_column_values_to_be_in_type_list": "types",
    "expect_column_to_exist": "exist",
    "expect_column_values_to_not_be_null": "present",
}

if TYPE_CHECKING:
    from jinja2 import Environment

    from ecluse.project import Project


def release_sheet(
    project: Project,
    dataset: str,
    *,
    version: str | None = None,
    as_of: datetime | None = None,
    purpose: str | None = None,
    lang: str = "en",
) -> str:
    """The release sheet of a dataset as HTML: see ``gather_sheet`` for what is asked, and of which records."""
    return render_sheet(gather_sheet(project, dataset, version=version, as_of=as_of, purpose=purpose), lang)


def write_sheet(
    project: Project,
    dataset: str,
    file: Path,
    *,
    version: str | None = None,
    as_of: datetime | None = None,
    purpose: str | None = None,
    lang: str = "en",
) -> SheetData:
    """Write the release sheet to ``file``, whole or not at all; what it says."""
    data = gather_sheet(project, dataset, version=version, as_of=as_of, purpose=purpose)
    write_page(render_sheet(data, lang), file)
    return data


def render_sheet(data: SheetData, lang: str = "en") -> str:
    """A sheet's data as HTML in one of the two languages."""
    from ecluse.step.unreadable import REJECTED

    template = _environment(lang).get_template("sheet.html.j2")
    return template.render(
        d=data,
        q=data.question,
        lang=lang,
        tally=_tally(data),
        by_dataset=_by_dataset(data),
        unreadable=REJECTED,
        collected={s.dataset for s in data.sources},
    )


def _environment(lang: str) -> Environment:
    from ecluse.quality import expectation_text
    from ecluse.report.picture import upstream_svg

    found = page_environment(lang)
    found.globals |= {
        "promise": lambda check: check.said.get(lang) or expectation_text(check.type, dict(check.kwargs), lang=lang),
        "promises": lambda checks: _together(checks, lang),
        "picture": lambda part, dataset: upstream_svg(part, dataset, lang),
    }
    filters: dict[str, Callable[..., Any]] = {
        "bytes": lambda value: _bytes(value, lang),
        "signed": lambda value: f"{'+' if value > 0 else ''}{texts.number(float(value), lang)}",
        "moment": lambda at: f"{at:%Y-%m-%d %H:%M} UTC",
        "day": lambda at: f"{at:%Y-%m-%d}",
        "parts": _parts,
        "grouped": _grouped,
        "harmless": _harmless,
        "places": lambda pairs: _places(pairs, lang),
        "wanted": lambda criterion: _wanted(criterion, lang),
        "measure": lambda criterion: measure_text(criterion, lang),
    }
    found.filters |= filters
    return found


def _bytes(value: int, lang: str) -> str:
    units = {"en": ("bytes", "kB", "MB", "GB", "TB"), "fr": ("octets", "ko", "Mo", "Go", "To")}[lang]
    size, unit = float(value), 0
    while size >= 1000 and unit < len(units) - 1:
        size, unit = size / 1000, unit + 1
    return f"{texts.number(value if not unit else round(size, 1), lang)} {units[unit]}"


def _parts(keys: tuple[str, ...]) -> str:
    """Partition keys, the middle of a long list left out."""
    ordered = sorted(set(keys))
    return ", ".join(ordered) if len(ordered) <= 3 else f"{ordered[0]} … {ordered[-1]} ({len(ordered)})"


def _tally(data: SheetData) -> dict[str, Any]:
    """The numbers at the top of the page; ``None`` is MISSING."""
    aside = [number for s in data.steps for number in (s.rejected, s.quarantined)]
    counting = [d for d in data.decisions if d.counts]
    return {
        "sources": len({s.sha256 for s in data.sources}) or None,
        "held": sum(c.outcome is Outcome.HELD for c in data.checks),
        "checks": len(data.checks) or None,
        "stopping": sum(not _harmless(c) for c in data.checks),
        "aside": None if not aside or None in aside else sum(number for number in aside if number is not None),
        "approvals": len(counting),
        "needed": sum(a.count for a in data.approvals),
        "until": min((d.expires for d in counting if d.expires), default=None),
    }


def _by_dataset(data: SheetData) -> dict[str, list[Check]]:
    """Checks by dataset, the release's own first and its sources last."""
    datasets = dict.fromkeys(c.dataset for c in reversed(data.checks))
    ordered = sorted(datasets, key=lambda name: name != data.question.dataset)
    return {name: [c for c in data.checks if c.dataset == name] for name in ordered}


def _grouped(checks: list[Check]) -> list[list[Check]]:
    """Checks line by line: what did not simply hold stands alone, much alike promises that held share a line."""
    lines: dict[object, list[Check]] = {}
    for check in checks:
        plain = check.outcome is Outcome.HELD and not (check.quarantined or check.messages or check.released)
        kind = _TOGETHER.get(check.type) if plain and not {"mostly", "row_condition"} & set(check.kwargs) else None
        key = (kind, check.severity, tuple(check.parts.items()), check.rechecked) if kind else check.name
        lines.setdefault(key, []).append(check)
    return list(lines.values())


def _harmless(check: Check) -> bool:
    """Whether an answer stands in nobody's way: it held, need not, or what broke it left or was decided upon."""
    if check.outcome is Outcome.BROKEN:
        left = check.quarantined > 0 and check.rechecked is not Outcome.BROKEN
        return check.severity != "critical" or left or check.decided
    return check.outcome is Outcome.HELD


def _together(checks: list[Check], lang: str) -> str:
    """Several much alike promises as one sentence."""
    kind = _TOGETHER[checks[0].type]
    given = [dict(c.kwargs) for c in checks]
    names = (f"{k.get('column')} ({k['type_']})" if "type_" in k else str(k.get("column")) for k in given)
    return texts.say(f"report.together.{kind}", lang=lang, count=len(checks), names=", ".join(names))


def _wanted(criterion: Criterion, lang: str) -> str:
    sign = {"<=": "≤", ">=": "≥", "==": "="}.get(criterion.operator, criterion.operator)
    if criterion.measure == "quarantine.share":
        return f"{sign} {texts.number(criterion.value * 100, lang)} %"
    return f"{sign} {texts.number(criterion.value, lang)}"


def _places(pairs: Sequence[tuple[str, str]], lang: str) -> list[tuple[str, str]]:
    """(datasets or files, columns) line by line: files of which the same columns are meant share a line."""
    columns: dict[str, list[str]] = {}
    for name, column in pairs:
        columns.setdefault(name, []).append(column)
    names: dict[tuple[str, ...], list[str]] = {}
    for name, found in columns.items():
        names.setdefault(tuple(found), []).append(name)
    return [(_range(among, lang), ", ".join(found)) for found, among in names.items()]


def _range(names: Sequence[str], lang: str) -> str:
    if len(names) <= 2:
        return ", ".join(names)
    last = names[-1].rsplit("/", 1)[-1]
    return f"{names[0]} … {last} ({texts.say('report.picture.files', lang=lang, count=len(names))})"
