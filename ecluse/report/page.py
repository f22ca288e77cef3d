"""What all pages share: one HTML file that needs nothing else, with its texts in one of two languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ecluse import texts
from ecluse.errors import StorageError

if TYPE_CHECKING:
    from jinja2 import Environment


def page_environment(lang: str) -> Environment:
    """The templates, with texts (``t``) and numbers in one of the two languages."""
    if lang not in texts.LANGUAGES:
        raise ValueError(f"Language {lang!r} is not one of {', '.join(texts.LANGUAGES)}.")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # NOTE: every template is HTML; nothing that a record or data hold reaches the page unescaped.
    found = Environment(
        loader=PackageLoader("ecluse.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["t"] = lambda key, /, **fields: texts.say(f"report.{key}", lang=lang, **fields)
    found.filters["number"] = lambda value: texts.number(value, lang)
    return found


def write_page(page: str, file: Path) -> None:
    """Write a page, whole or not at all; ``StorageError`` where it can't be."""
    beside = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(page, "utf-8")
        beside.replace(file)
    except OSError as error:
        raise StorageError("report.write", path=file, error=error.strerror or error) from error
