# ruff: noqa: INP001 - a script beside the pages that it writes
"""Writes the reference pages from the code; with ``--check`` it only says which of them are out of date."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import enum
import inspect
import re
import string
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference"
PACKAGE = ROOT / "ecluse"
# A checkout documents itself, installed or not.
sys.path.insert(0, str(ROOT))

_MADE = "Made from the code by `python docs/generate.py`; a test holds this page to it.\n"

_CHARTER_HEAD = """\
The charter is one YAML file in the project's root. A field that isn't listed here is refused, with its line and column.
[charter.schema.json](charter.schema.json) says the same to editors.
What stands in it decides what the door opens; [the threat model](../threat-model.md) says how far that reaches.
"""

_ERRORS_HEAD = """\
An error says three things: what was received, what is allowed, what to try. Its key is the same in every language;
`--json` prints it. Words in braces are filled in when the error is shown. Every exception is an
`ecluse.errors.EcluseError`; the tree stands in [the Python API](api.md#ecluseerrors).
"""

_REASONS_HEAD = """## Reasons of a refusal

Why a release isn't open for somebody, and what is worth knowing about one that is.
"""

_EXPECTATIONS_HEAD = """\
Great Expectations judges every expectation; what it judges by is measured in one of two ways. Most measures are SQL on
DuckDB, which reads files as they are and keeps within memory. The others are computed by GX on pandas, which holds all
rows in memory: above five million rows they could not be computed, which never reads as held. Each result tells the way
in `meta["ecluse"]["executed_by"]`: `ecluse`, `ecluse (merged)` where files were measured before, or `gx`.
"""

_EXPECTATIONS_FOOT = """\
GX also computes, whatever the expectation: a class of your own with metrics of its own, a `row_condition` in the
language of pandas, columns of mixed Python objects, and the bins that `expect_column_kl_divergence_to_be_less_than`
chooses itself where it is given no partition. The two expectations that compare with other data need a data source of
GX, and could otherwise not be computed.

## Where a result differs from that of GX on pandas

Each is held by a test.

- LIKE patterns and `unexpected_rows_expectation` are answered; GX on pandas has none. Brackets in a pattern stand for
  themselves, as in standard SQL: they are classes of characters in SQL Server alone.
- Times with a zone are compared as moments and shown in UTC, because Parquet keeps the moment and no zone of a value.
- A bound is held against whole numbers as they are. GX on pandas rounds those beyond 2^53 to the nearest float
  first, and lets a largest value pass that is above its bound by one.
- What could not be computed says so in Écluse's words: a column that is missing is named with those that are there.
- A DATE column can increase or decrease; GX on pandas raises.
- Increasing and decreasing compare values. GX subtracts them, which overflows in columns of small or unsigned integers:
  it takes 3, 1 in an unsigned column to be increasing.
- Types go by the names of SQL, and by those of Python and pandas too.
"""

#: What public functions give back, beside the public names themselves: module and name.
RETURNED = (
    ("ecluse.door.loaded", "Loaded"),
    ("ecluse.door.verify", "Verified"),
    ("ecluse.model.accounting", "RowAccounting"),
)

#: Where a signature no longer stands on one line.
WIDTH = 100

#: The charter's parts, from the whole to the details.
CHARTER = (
    "Charter",
    "Purpose",
    "Gate",
    "Criterion",
    "Approval",
    "Party",
    "Role",
    "Key",
    "Trained",
    "Training",
    "Rule",
    "Grant",
    "Kpi",
    "Kill",
    "Risk",
)


# ---- the pages


def commands() -> str:
    """Every command's own help."""
    from ecluse.cli.reference import page

    return page()


def api() -> str:
    """Every public name of ``ecluse``: signature, docstring, members."""
    from importlib import import_module

    import ecluse

    parts = [f"# Python API\n\n{_MADE}\nEvery name below is public: `import ecluse`, then `ecluse.<name>`.\n"]
    parts += [_described(f"ecluse.{name}", getattr(ecluse, name), "##") for name in ecluse.__all__]
    parts.append("## What functions return\n\nThese are made by Écluse; you read them.\n")
    parts += [_described(name, getattr(import_module(module), name), "###") for module, name in RETURNED]
    return "\n".join(parts)


def charter() -> str:
    """Every field of ``charter.yaml``."""
    from ecluse.model import charter as model

    parts = [
        f"# charter.yaml\n\n{_MADE}\n{_CHARTER_HEAD}",
    ]
    for name in CHARTER:
        found = getattr(model, name)
        rows = "\n".join(_field_row(field) for field in dataclasses.fields(found))
        table = f"| Field | Type | Default |\n|---|---|---|\n{rows}"
        parts.append(f"## {name}\n\n{_markdown(inspect.getdoc(found) or '')}\n\n{table}\n")
    example = (PACKAGE / "cli" / "scaffold" / "files" / "charter.yaml").read_text("utf-8").replace("@name@", "orders")
    parts.append(f"## A whole charter\n\nThe one that `ecluse init` writes:\n\n```yaml\n{example}```\n")
    return "\n".join(parts)


def charter_schema() -> str:
    """What editors complete and check ``charter.yaml`` by."""
    from ecluse.charterfile import schema_text

    return schema_text()


def errors() -> str:
    """Every error and every reason that a person can meet."""
    raised = _raised()
    parts = [
        f"# Errors and reasons\n\n{_MADE}\n{_ERRORS_HEAD}",
    ]
    for path in sorted((PACKAGE / "texts" / "en").glob("*.toml")):
        found = list(_entries(tomllib.loads(path.read_text("utf-8")), path.stem))
        if found:
            parts.append(f"## {path.stem}\n")
        for key, entry in found:
            parts.append(
                f"### `{key}`\n\n{_kinds(raised.get(key))}{_shown(entry['received'])}\n\n"
                f"- **Allowed:** {_shown(entry['allowed'])}\n- **Try:** {_shown(entry['hint'])}\n"
            )
    step = tomllib.loads((PACKAGE / "texts" / "en" / "step.toml").read_text("utf-8"))["blocks"]
    parts += [_REASONS_HEAD, _refusals()]
    parts.append("## Reasons of a blocked step\n\nWhy a step published nothing.\n")
    parts.append(_reasons(step))
    return "\n".join(parts)


def expectations() -> str:
    """Who measures each expectation that GX ships."""
    from ecluse.quality.coverage import measured_by_ecluse

    found = measured_by_ecluse()
    rows = "\n".join(f"| `{name}` | {'Écluse' if ours else 'GX'} |" for name, ours in found.items())
    return (
        f"# Expectations\n\n{_MADE}\n{_EXPECTATIONS_HEAD}\n"
        f"Of the {len(found)} expectations that GX registers, Écluse measures {sum(found.values())}.\n\n"
        f"| Expectation | Measured by |\n|---|---|\n{rows}\n\n{_EXPECTATIONS_FOOT}"
    )


#: The pages by file name.
WRITERS: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "api.md": api,
    "charter.md": charter,
    "charter.schema.json": charter_schema,
    "errors.md": errors,
    "expectations.md": expectations,
}


# ---- names, signatures and docstrings


def _described(name: str, found: Any, heading: str) -> str:
    doc = _markdown(inspect.getdoc(found) or "")
    if isinstance(found, ModuleType):
        public = getattr(found, "__all__", None) or [
            n for n, v in vars(found).items() if isinstance(v, type) and v.__module__ == found.__name__
        ]
        parts = [f"{heading} {name}\n\n{doc}\n"]
        parts += [_described(f"{name}.{n}", getattr(found, n), f"{heading}#") for n in public]
        return "\n".join(parts)
    if inspect.isclass(found) and issubclass(found, enum.Enum):
        values = "\n".join(f"- `{found.__name__}.{m.name}`: `{m.value!r}`" for m in found)
        return f"{heading} {name}\n\n{doc}\n\n{values}\n"
    shown = f"{heading} {name}\n\n"
    if not (inspect.isclass(found) and issubclass(found, BaseException)):
        # NOTE: what a reader writes is a class's call, which with its types is no Python.
        shown += f"```{'text' if inspect.isclass(found) else 'python'}\n{_signature(name, found)}\n```\n\n"
    shown += f"{doc}\n"
    members = list(_members(found)) if inspect.isclass(found) else []
    return shown + ("\n" + "\n".join(members) + "\n" if members else "")


def _members(found: type) -> Iterator[str]:
    """One line for each public method and property that the class itself defines and describes."""
    for name, member in vars(found).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            yield f"- `.{name}`: {_first(member)}"
        elif isinstance(member, classmethod):
            yield f"- `{found.__name__}.{name}{_parameters(getattr(found, name))}`: {_first(getattr(found, name))}"
        elif inspect.isfunction(member) and inspect.getdoc(member) and member.__module__.startswith("ecluse"):
            yield f"- `.{name}{_parameters(member, bound=True)}`: {_first(member)}"


def _first(found: Any) -> str:
    return " ".join(_markdown(inspect.getdoc(found) or "").split())


def _signature(name: str, found: Any) -> str:
    prefix = "class " if inspect.isclass(found) else "def "
    short = name.rsplit(".", maxsplit=1)[-1]
    signature = inspect.signature(found)
    given = None if inspect.isclass(found) else signature.return_annotation
    back = "" if given in (None, inspect.Signature.empty) else f" -> {_annotation(given)}"
    end = ": ..."
    one = f"{prefix}{short}({', '.join(_parameter_list(signature))}){back}{end}"
    if inspect.isclass(found):
        one = f"{short}({', '.join(_parameter_list(signature))})"
        back = end = ""
        prefix = ""
    if len(one) <= WIDTH:
        return one
    lines = "".join(f"    {parameter},\n" for parameter in _parameter_list(signature))
    return f"{prefix}{short}(\n{lines}){back}{end}"


def _parameters(found: Any, *, bound: bool = False) -> str:
    listed = _parameter_list(inspect.signature(found))
    return f"({', '.join(listed[1:] if bound else listed)})"


def _parameter_list(signature: inspect.Signature) -> list[str]:
    listed: list[str] = []
    starred = False
    for parameter in signature.parameters.values():
        # NOTE: fields with an underscore are filled in by Écluse, and are nobody's to give.
        if parameter.name.startswith("_"):
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = True
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            listed.append("*")
            starred = True
        mark = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        mark = "**" if parameter.kind is parameter.VAR_KEYWORD else mark
        text = f"{mark}{parameter.name}"
        if parameter.annotation is not parameter.empty:
            text += f": {_annotation(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {_default(parameter.default)}"
        listed.append(text)
    return listed


def _annotation(found: Any) -> str:
    text = found if isinstance(found, str) else inspect.formatannotation(found)
    text = text.replace("'", '"')
    return re.sub(r"\b(?:typing|collections\.abc|datetime|pathlib|ecluse(?:\.\w+)*)\.(?=\w)", "", text)


def _default(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    return "{}" if type(value).__name__ == "_HAS_DEFAULT_FACTORY_CLASS" else repr(value).replace("'", '"')


def _markdown(doc: str) -> str:
    """A docstring (reStructuredText as far as ours goes) as Markdown."""
    doc = re.sub(r"``([^`]+)``", r"`\1`", doc)
    return re.sub(
        r"\.\. code-block:: (\w+)\n\n((?:    .*(?:\n|$)|\n)+)",
        lambda found: f"```{found[1]}\n{textwrap.dedent(found[2]).strip()}\n```\n\n",
        doc,
    ).strip()


# ---- the charter

_WORDS = {
    "str": "text",
    "bool": "true or false",
    "float": "number",
    "Number": "number",
    "int": "whole number",
    "datetime": "time with zone",
}


def _field_row(field: dataclasses.Field[Any]) -> str:
    default = field.default
    if type(default).__name__ == "FieldInfo":
        default = () if default.default_factory else default.default  # type: ignore[union-attr]
    if default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        shown = "needed"
    else:
        shown = "empty" if default in ((), "", dataclasses.MISSING) else str(default).lower()
    return f"| `{field.name}` | {_type(str(field.type))} | {shown} |"


def _type(text: str) -> str:
    """A field's annotation in words, parts of the charter as links."""
    optional = text.endswith(" | None")
    text = text.removesuffix(" | None")
    several = re.fullmatch(r"tuple\[(.+), \.\.\.\]", text)
    literal = re.fullmatch(r"Literal\[(.+)\]", text)
    mapping = re.fullmatch(r"dict\[str, Literal\[(.+)\]\]", text)
    named = _named_values().get(text)
    if several:
        found = f"list of {_type(several[1])}"
    elif literal:
        found = "one of " + _values(literal[1])
    elif named:
        found = "one of " + ", ".join(f"`{value}`" for value in named)
    elif text == "dict[str, str]":
        found = "name → dataset"
    elif mapping:
        found = "classification → one of " + _values(mapping[1])
    elif text in CHARTER:
        found = f"[{text}](#{text.lower()})"
    else:
        found = _WORDS.get(text, text)
    return f"{found} (optional)" if optional else found


def _named_values() -> dict[str, tuple[str, ...]]:
    """The choices that the charter's module gives a name of their own."""
    from ecluse.model.charter import AUTONOMY, Operator

    return {"Autonomy": AUTONOMY, "Operator": get_args(Operator)}


def _values(text: str) -> str:
    return ", ".join(f"`{value.strip(chr(39) + chr(34) + ' ')}`" for value in text.split(","))


# ---- errors


def _entries(found: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    for key, value in found.items():
        if isinstance(value, dict):
            if value.keys() >= {"received", "allowed", "hint"}:
                yield f"{prefix}.{key}", value
            else:
                yield from _entries(value, f"{prefix}.{key}")


def _refusals() -> str:
    """The reasons of a refusal, each with what changes it."""
    from ecluse.cli.ways import WAYS

    texts = PACKAGE / "texts" / "en"
    reasons = tomllib.loads((texts / "gate.toml").read_text("utf-8"))["reasons"]
    ways = tomllib.loads((texts / "deciding.toml").read_text("utf-8"))["next"]
    # NOTE: what the command line asks first: the measure of a criterion, who may answer, what a phase still wants.
    asked = {"KPI": "kpi", "PHASE": "phase", "QUESTION": "approval"}
    rows = []
    for key, text in reasons.items():
        measure = key.removeprefix("unmet_").removeprefix("not_computed_")
        way = ways[measure if WAYS[key] == "CRITERION" else asked.get(WAYS[key], WAYS[key])]
        rows.append(f"| `{key}` | {_shown(text)} | {_shown(way.removeprefix('Try: '))} |\n")
    return f"| Key | Text | Try |\n|---|---|---|\n{''.join(rows)}"


def _reasons(found: dict[str, str]) -> str:
    rows = "\n".join(f"| `{key}` | {_shown(text)} |" for key, text in found.items())
    return f"| Key | Text |\n|---|---|\n{rows}\n"


def _shown(text: str) -> str:
    """A text as it is read, its fields as words in braces."""
    parts = []
    for literal, field, _, _ in string.Formatter().parse(text):
        parts.append(literal)
        if field is not None:
            parts.append(f"{{{field}}}")
    return "".join(parts).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _kinds(kinds: set[str] | None) -> str:
    return f"*{' or '.join(sorted(kinds))}.* " if kinds else ""


def _raised() -> dict[str, set[str]]:
    """The exceptions that the code raises with each key."""
    from ecluse import errors as tree

    names = {n for n, kind in vars(tree).items() if isinstance(kind, type) and issubclass(kind, tree.EcluseError)}
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in names and isinstance(node.args[0].value, str):
                    found.setdefault(node.args[0].value, set()).add(name)
    return found


def main() -> int:
    """Write the pages, or with ``--check`` name those that are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where a page is out of date")
    check = parser.parse_args().check
    stale = []
    for name, writer in WRITERS.items():
        path, page = PAGES / name, writer()
        if path.is_file() and path.read_text("utf-8") == page:
            continue
        stale.append(name)
        if not check:
            path.write_text(page, "utf-8")
    for name in stale:
        sys.stdout.write(f"docs/reference/{name} {'is out of date: python docs/generate.py' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
