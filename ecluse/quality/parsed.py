"""Questions about texts that only Python's own readers answer: dates, times and JSON, asked of each distinct text."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ecluse.quality import gx
from ecluse.quality.batch import Batch, Unknown
from ecluse.quality.conditions import condition_sql
from ecluse.quality.distinct import kept_by_python


def strftime(batch: Batch, column: str, values: dict[str, Any]) -> str:
    """SQL that is true where ``strptime`` reads the text in the format."""
    _text(batch, column)

    def parses(text: str) -> bool:
        try:
            datetime.strptime(text, values["strftime_format"])  # noqa: DTZ007 # only whether it parses is asked
        except ValueError:
            return False
        return True

    return kept_by_python(batch, column, parses)


def dateutil(batch: Batch, column: str, _: dict[str, Any]) -> str:
    """SQL that is true where dateutil reads the text as a date or time."""
    _text(batch, column)

    def parses(text: str) -> bool:
        try:
            gx.parse_time(text)
        except (ValueError, OverflowError):
            return False
        return True

    return kept_by_python(batch, column, parses)


def json_text(batch: Batch, column: str, _: dict[str, Any]) -> str:
    """SQL that is true where the text is JSON."""
    _text(batch, column)

    def parses(text: str) -> bool:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True

    return kept_by_python(batch, column, parses)


def json_schema(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> str:
    """SQL that is true where the text is JSON that meets a JSON schema; ``Unknown`` where a text isn't JSON at all."""
    column = domain["column"]
    _text(batch, column)
    asked = condition_sql(batch, domain.get("row_condition"), domain.get("condition_parser")) or "true"
    validators = gx.module("jsonschema.validators")
    kind = validators.validator_for(values["json_schema"])
    kind.check_schema(values["json_schema"])
    validator = kind(values["json_schema"])

    def meets(text: str) -> bool:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unknown("GX refuses the whole column") from error
        return bool(validator.is_valid(found))

    return kept_by_python(batch, column, meets, where=asked)


def _text(batch: Batch, column: str) -> None:
    if batch.kind(column) != "text":
        raise Unknown("GX reads other values as Python writes them")
