"""Reads ``charter.yaml``; every mistake is named with its line and column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ecluse.errors import DefinitionError
from ecluse.model.charter import Charter

if TYPE_CHECKING:
    from ecluse.project import Project


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which leaves dates as text: the charter's own types read them and say where one is wrong."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_charter(where: Project | Path) -> Charter:
    """The charter of a project, or of a file.

    Raises ``DefinitionError`` where the file can't be read, isn't YAML, names something twice, or isn't a charter;
    all mistakes of a kind are listed, each with its line and column.
    """
    path = where if isinstance(where, Path) else where.root / "charter.yaml"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError("charter.unreadable", path=path, error=error) from error
    return read_charter(text, path)


def read_charter(text: str, path: Path) -> Charter:
    """The charter that a text holds; ``path`` is what its mistakes are shown under. Raises as ``load_charter`` does."""
    from pydantic import TypeAdapter, ValidationError

    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        twice = [] if node is None else list(_repeated(node))
        if twice:
            raise DefinitionError("charter.repeated", path=path, places=_list(path, twice))
        found = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = _at(path, mark) if mark else str(path)
        raise DefinitionError("charter.not_yaml", at=at, problem=error.problem or error.context or "?") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DefinitionError("charter.not_yaml", at=path, problem=" ".join(str(error).split())) from error
    if not isinstance(found, dict) or node is None:
        raise DefinitionError("charter.no_mapping", path=path, found=type(found).__name__)
    try:
        return TypeAdapter(Charter).validate_python(found)
    except ValidationError as error:
        places = [(_find(node, e["loc"]), _said(e)) for e in error.errors(include_url=False)]
        raise DefinitionError("charter.invalid", path=path, count=len(places), places=_list(path, places)) from error


def json_schema() -> dict[str, Any]:
    """The charter's JSON Schema, for editors."""
    from pydantic import TypeAdapter

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(Charter).json_schema(),
        "title": "charter.yaml of Écluse",
    }


def _repeated(node: yaml.Node) -> Iterator[tuple[yaml.Mark, str]]:
    """Keys that stand twice in one mapping: YAML readers silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else id(key)
            if name in seen:
                yield key.start_mark, str(name)
            seen.add(name)
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)


def _find(node: yaml.Node, place: tuple[int | str, ...]) -> yaml.Mark:
    """Where a place of the charter (``("gates", 0, "phase")``) stands in the file, or the nearest thing around it."""
    mark = node.start_mark
    for part in place:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == part), None)
            if entry is None:
                break
            mark, node = entry[0].start_mark, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        else:
            break
    return mark


def _said(error: Any) -> str:
    """What pydantic says of one mistake, after the name of its place."""
    name = ".".join(str(part) for part in error["loc"])
    said = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] in ("string_type", "int_parsing", "date_from_datetime_parsing", "literal_error"):
        said += f", not {error['input']!r}"
    return f"{name}: {said}" if name else said


def _list(path: Path, places: list[tuple[yaml.Mark, str]]) -> str:
    return "".join(f"\n  {_at(path, mark)}: {said}" for mark, said in places)


def _at(path: Path, mark: yaml.Mark) -> str:
    return f"{path.name}:{mark.line + 1}:{mark.column + 1}"
