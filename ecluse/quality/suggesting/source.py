"""A suggestion as files: a suite as JSON, or as the Python of a project, with the skeleton of a contract."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from ecluse.errors import DefinitionError, StorageError
from ecluse.quality.profiling.found import ColumnProfile
from ecluse.quality.suggesting.proposal import Proposal, Suggestion

_WIDTH = 120


def write_suggestion(suggestion: Suggestion, to: Path, lang: str | None = None) -> list[Path]:
    """Write a suggestion to ``to``, and give the files written.

    A path that ends in ``.json`` gets the whole suite; any other is a folder, as in ``expectations/``, which gets
    ``contract.py`` and ``suite.py``. ``DefinitionError`` where a file is there already: nothing is overwritten.
    """
    if to.suffix.lower() == ".json":
        files = {to: json_source(suggestion, lang)}
    else:
        files = {
            to / "__init__.py": f'"""Contract and suite of ``{_title(suggestion)}``."""\n',
            to / "contract.py": contract_source(suggestion),
            to / "suite.py": suite_source(suggestion, lang),
        }
    confirm_new(to)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        if len(files) > 1:
            to.mkdir(exist_ok=True)
        written = [file for file in files if not file.exists()]
        for file in written:
            file.write_text(files[file], "utf-8")
    except OSError as error:
        raise StorageError("quality.suggestion_unwritten", path=to, error=error.strerror or error) from error
    return written


def confirm_new(to: Path) -> None:
    """``DefinitionError`` where a suggestion written to ``to`` would overwrite a file."""
    files = [to] if to.suffix.lower() == ".json" else [to / "contract.py", to / "suite.py"]
    if there := [file for file in files if file.exists()]:
        raise DefinitionError("quality.suggestion_there", path=there[0])


def json_source(suggestion: Suggestion, lang: str | None = None) -> str:
    """The whole suite as Great Expectations stores it."""
    return json.dumps(suggestion.suite(lang).to_json_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def suite_source(suggestion: Suggestion, lang: str | None = None) -> str:
    """``suite.py``: what the contract doesn't promise already."""
    proposals = suggestion.beside_contract()
    times = any(isinstance(value, date) for p in proposals for value in p.kwargs.values())
    rows = f"{suggestion.table.rows:,} rows"
    head = [f'"""What must hold of {_title(suggestion)}, as proposed from {rows}: keep what is meant."""']
    imports = [*(["import datetime", ""] if times else []), "import great_expectations as gx"]
    imports += ["import great_expectations.expectations as gxe"] if proposals else []
    body = ["suite = gx.ExpectationSuite(", f"    {_literal(suggestion.name)},"]
    if proposals:
        body += ["    expectations=[", *(line for p in proposals for line in _call(p, lang)), "    ],"]
    return "\n".join([*head, "", *imports, "", *body, ")", ""])


def contract_source(suggestion: Suggestion) -> str:
    """``contract.py``: columns, types, gaps and key; what people answer for is left to them."""
    classified = any(map(_classification, suggestion.columns))
    imports = (
        "from ecluse import Classification, Column, Contract" if classified else "from ecluse import Column, Contract"
    )
    key = suggestion.key
    rows = f"{suggestion.table.rows:,} rows"
    lines = [
        f'"""What {_title(suggestion)} promises, as proposed from {rows}: people fill in each TODO."""',
        "",
        imports,
        "",
        "contract = Contract(",
        '    description="TODO: what one row is, and where it comes from",',
        "    columns=(",
        *(f"        {_column(column)}," for column in suggestion.columns),
        "    ),",
        '    owner="TODO: who answers for it",',
        '    licence="TODO: under which terms it is used",',
        *([f"    key=({', '.join(map(_literal, key))}{',' if len(key) == 1 else ''}),"] if key else []),
        ")",
        "",
    ]
    return "\n".join(lines)


def _title(suggestion: Suggestion) -> str:
    """The name as it can stand in a docstring."""
    return "".join(c for c in suggestion.name if c.isprintable() and c not in '"\\')


def _column(column: ColumnProfile) -> str:
    parts = [_literal(column.name), _literal(column.type)]
    if column.filled:
        parts.append("nullable=False")
    if (classification := _classification(column)) is not None:
        parts.append(f"classification=Classification.{classification.upper()}")
    return f"Column({', '.join(parts)})"


def _classification(column: ColumnProfile) -> str | None:
    """How a column is classified where that isn't the default; what looks like people's is personal."""
    found = column.classification or ("personal" if column.withheld else None)
    return None if found == "internal" else found


def _call(proposal: Proposal, lang: str | None) -> Iterator[str]:
    """An expectation in the lines of a formatter."""
    given = {**proposal.kwargs, **({"severity": proposal.severity} if proposal.severity != "critical" else {})}
    yield f"        gxe.{proposal.class_name}("
    for name, value in given.items():
        yield from _argument(name, value)
    yield from _note(proposal.why(lang))
    yield "        ),"


def _argument(name: str, value: Any) -> Iterator[str]:
    line = f"            {name}={_literal(value)},"
    if len(line) <= _WIDTH or not isinstance(value, list):
        yield line
        return
    yield f"            {name}=["
    yield from (f"                {_literal(one)}," for one in value)
    yield "            ],"


def _note(text: str) -> Iterator[str]:
    line = f"            notes={_literal(text)},"
    if len(line) <= _WIDTH:
        yield line
        return
    parts = textwrap.wrap(text, 90, drop_whitespace=False, break_long_words=False, break_on_hyphens=False)
    yield "            notes=("
    yield from (f"                {_literal(part)}" for part in parts)
    yield "            ),"


def _literal(value: Any) -> str:
    """``value`` as Python source, texts in double quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        plain = '"' not in value and value.isprintable() and not value.endswith("\\")
        # NOTE: JSON's escapes are Python's too.
        return f'r"{value}"' if "\\" in value and plain else json.dumps(value, ensure_ascii=False)
    return repr(value)
