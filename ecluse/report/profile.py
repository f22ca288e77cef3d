"""The profile page: what is in data, and what to know before it is used, on one page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ecluse.report.page import page_environment, write_page

if TYPE_CHECKING:
    from ecluse.quality.profiling import Profile, TableProfile


def write_profile(profile: Profile, file: Path, *, lang: str = "en") -> None:
    """Write a profile's page to ``file``, whole or not at all."""
    write_page(render_profile(profile, lang), file)


def render_profile(profile: Profile, lang: str = "en", *, made_at: datetime | None = None) -> str:
    """A profile as HTML in one of the two languages."""
    from ecluse.quality.profiling import distinct_text, percent, shown, values_text

    environment = page_environment(lang)
    environment.filters |= {
        "percent": lambda share: percent(share, lang),
        "shown": lambda value: shown(value, lang),
        "values": lambda column: values_text(column, lang),
        "distinct": lambda column: distinct_text(column, lang),
        "moment": lambda at: f"{at:%Y-%m-%d %H:%M} UTC",
    }
    template = environment.get_template("profile.html.j2")
    tallies = {table.name: _tally(table) for table in profile.tables}
    return template.render(p=profile, lang=lang, tallies=tallies, made_at=made_at or datetime.now(UTC))


def _tally(table: TableProfile) -> dict[str, int | float | None]:
    """The numbers at the top of a table's part."""
    cells = [column.share for column in table.columns if column.share is not None]
    return {
        "filled": sum(cells) / len(cells) if cells else None,
        "doubtful": sum(any(r.doubtful for r in column.remarks) for column in table.columns),
        "withheld": sum(column.withheld for column in table.columns),
    }
