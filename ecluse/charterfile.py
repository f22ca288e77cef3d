"""Reads ``charter.yaml``; every mistake is named with its line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ecluse.errors import DefinitionError
from ecluse.model.charter import Charter
from ecluse.model.coherence import Mistake, Place
from ecluse.texts import say

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from ecluse.project import Project


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which leaves dates as text: the charter's own types read them and say where one is wrong.

    As in YAML 1.2, by which editors read the file, only ``true`` and ``false`` are truth values: ``on`` is a word.
    """


_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:timestamp", _BOOLEAN)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


@dataclass(frozen=True)
class Places:
    """Where each part of a charter stands in its file; lines and columns count from 1."""

    path: Path
    _root: yaml.Node = field(repr=False)

    def find(self, place: Place) -> tuple[int, int]:
        """Line and column of a place (``("gates", 0, "phase")``), or of the nearest thing around it."""
        node, mark = self._root, self._root.start_mark
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
        return mark.line + 1, mark.column + 1

    def at(self, place: Place) -> str:
        """The same in the way that editors and terminals open: ``charter.yaml:12:5``."""
        line, column = self.find(place)
        return f"{self.path.name}:{line}:{column}"

    def refuse(self, said: Iterable[tuple[Place, str]]) -> DefinitionError:
        """The error that lists these mistakes, in the order of the file."""
        found = sorted(said, key=lambda one: self.find(one[0]))
        listed = "".join(f"\n  {self.at(place)}: {text}" for place, text in found)
        return DefinitionError("charter.invalid", path=self.path, count=len(found), places=listed)


def load_charter(where: Project | Path) -> Charter:
    """The charter of a project, or of a file.

    Raises ``DefinitionError`` where the file can't be read, isn't YAML, names something twice, or isn't a charter;
    all mistakes of a kind are listed, each with its line and column.
    """
    return load_with_places(where if isinstance(where, Path) else where.root / "charter.yaml")[0]


def load_with_places(path: Path) -> tuple[Charter, Places]:
    """The charter of a file, and where its parts stand there. Raises as ``load_charter`` does."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError("charter.unreadable", path=path, error=error) from error
    return _read(text, path)


def read_charter(text: str, path: Path) -> Charter:
    """The charter that a text holds; ``path`` is what its mistakes are shown under. Raises as ``load_charter`` does."""
    return _read(text, path)[0]


def _read(text: str, path: Path) -> tuple[Charter, Places]:
    from pydantic import TypeAdapter, ValidationError

    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        twice = [] if node is None else list(_repeated(node))
        if twice:
            listed = "".join(f"\n  {_at(path, mark)}: {name}" for mark, name in twice)
            raise DefinitionError("charter.repeated", path=path, places=listed)
        found = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = _at(path, mark) if mark else str(path)
        raise DefinitionError("charter.not_yaml", at=at, problem=error.problem or error.context or "?") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DefinitionError("charter.not_yaml", at=path, problem=" ".join(str(error).split())) from error
    if found is None:
        raise DefinitionError("charter.empty", path=path)
    if not isinstance(found, dict) or node is None:
        raise DefinitionError("charter.no_mapping", path=path, found=type(found).__name__)
    places = Places(path, node)
    try:
        return TypeAdapter(Charter).validate_python(found), places
    except ValidationError as error:
        raise places.refuse(_said(error)) from error


def json_schema() -> dict[str, Any]:
    """The charter's JSON Schema, for editors."""
    from pydantic import TypeAdapter

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(Charter).json_schema(),
        "title": "charter.yaml of Écluse",
    }


def schema_text() -> str:
    """The same as the text of a file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


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


def _said(error: ValidationError) -> Iterator[tuple[Place, str]]:
    """Every mistake that the model found, and its place."""
    for one in error.errors(include_url=False):
        if one["type"] == "incoherent":
            contradictions: tuple[Mistake, ...] = one["ctx"]["mistakes"]
            yield from ((mistake.place, f"{_dotted(mistake.place)}: {mistake.text()}") for mistake in contradictions)
            continue
        name, said = _dotted(one["loc"]), _in_words(one)
        yield one["loc"], f"{name}: {said}" if name else said


#: Kinds of mistakes that pydantic tells apart, and the text that says what is wanted there.
_WANTED = {
    "missing": "missing",
    "unexpected_keyword_argument": "unexpected",
    "string_type": "text",
    "tuple_type": "list",
    "dataclass_type": "entries",
    "literal_error": "one_of",
    "date_type": "day",
    "date_parsing": "day",
    "date_from_datetime_parsing": "day",
    "datetime_type": "day",
    "datetime_parsing": "day",
    "datetime_from_date_parsing": "day",
    "bool_type": "truth",
    "bool_parsing": "truth",
    "int_type": "whole",
    "int_parsing": "whole",
    "int_from_float": "whole",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "number",
}


def _in_words(mistake: ErrorDetails) -> str:
    """What is wanted in a place; what no text of ours says is left in pydantic's words."""
    wanted = _WANTED.get(mistake["type"])
    if wanted is None:
        return str(mistake["msg"]).removeprefix("Value error, ")
    among = str(mistake.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
    found = mistake["input"] if isinstance(mistake["input"], str | int | float) else type(mistake["input"]).__name__
    return say(f"charter.wanted.{wanted}", found=repr(found), among=among)


def _dotted(place: Place) -> str:
    return ".".join(str(part) for part in place)


def _at(path: Path, mark: yaml.Mark) -> str:
    return f"{path.name}:{mark.line + 1}:{mark.column + 1}"
