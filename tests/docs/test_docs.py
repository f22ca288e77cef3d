"""The documentation says what the code does: generated pages are fresh, commands exist, links resolve, examples compile."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from ecluse.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
#: Values that are read as dates and choices; a capital word is a placeholder for one.
CHECKED_TYPES = (click.Choice, click.DateTime, type(click.INT), type(click.FLOAT))

#: Where a command ends: at two spaces, a comment, a pipe and the like, but not inside of quotes.
END = re.compile(r'(?: {2,}| # | \| | > | && )(?=(?:[^"]*"[^"]*")*[^"]*$)')


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """(language, text) of every fenced block."""
    for found in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        yield found[2], textwrap.dedent(found[3])


def block_commands() -> list[tuple[str, str]]:
    """Every ``ecluse …`` line of a fenced block, its continuation lines joined and its trailing words of prose cut."""
    found = []
    for page in PAGES:
        for _, text in blocks(page):
            for line in re.sub(r"\\\n\s*", "", text).splitlines():
                asked = re.match(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(ecluse .*)$", line)
                if asked:
                    found.append((name(page), END.split(asked[1])[0]))
    return found


def inline_commands() -> list[tuple[str, str]]:
    """Every `ecluse …` of running text."""
    return [
        (name(page), found)
        for page in PAGES
        for found in re.findall(
            r"`(ecluse [a-z-][^`\n]*)`", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        )
    ]


def parse(line: str, *, whole: bool) -> None:
    """Resolve a command line through click; ``UsageError`` where a command, option or value doesn't exist."""
    rest = [a for a in shlex.split(line)[1:] if a not in ("--json", "--debug")]
    command: click.Command = app
    # NOTE: click remembers a command's help option from the first context that asks, so it has to be the real one.
    context = click.Context(app, info_name="ecluse", **app.context_settings)
    while True:
        given, left, _ = command.make_parser(context).parse_args(list(rest))
        if not isinstance(command, click.Group):
            break
        if not left:
            return
        found = command.get_command(context, left[0])
        if found is None:
            raise click.UsageError(f"no command {left[0]}", context)
        command, rest, context = found, left[1:], click.Context(found, parent=context, info_name=left[0])
    if left:
        raise click.UsageError(f"unexpected {left}", context)
    for parameter in command.params:
        value = given.get(parameter.name)
        if value in (None, ()) or type(value).__name__ == "Sentinel":
            if whole and parameter.required and "--help" not in line:
                raise click.MissingParameter(ctx=context, param=parameter)
        elif (
            isinstance(parameter.type, CHECKED_TYPES)
            and isinstance(value, str)
            and not re.fullmatch(r"[A-Z_-]+", value)
        ):
            parameter.type.convert(value, parameter, context)


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)}


def test_the_generated_pages_are_what_the_code_says():
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_commands_to_look_at():
    assert len(block_commands()) > 30


@pytest.mark.parametrize(("page", "line"), sorted(set(block_commands())))
def test_every_command_of_a_block_exists_with_its_options(page, line):
    parse(line, whole=True)


@pytest.mark.parametrize(("page", "line"), sorted(set(inline_commands())))
def test_every_command_of_the_text_exists_with_its_options(page, line):
    parse(line, whole=False)


@pytest.mark.parametrize(
    "line", ["ecluse wy clean.orders", "ecluse why", "ecluse why a --pupose b", "ecluse approve a b"]
)
def test_a_command_that_does_not_exist_is_found(line):
    with pytest.raises(click.UsageError):
        parse(line, whole=True)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_resolves(page):
    lost = []
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"^[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_example_can_be_read_in_its_language(page):
    for language, text in blocks(page):
        match language:
            case "python":
                compile(text, name(page), "exec")
            case "yaml":
                list(yaml.safe_load_all(text))
            case "toml":
                tomllib.loads(text)


def test_every_page_is_reached_from_the_index():
    reached, waiting = set(), [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        waiting += [p for link in links if (p := (page.parent / link).resolve()).is_file()]
    assert {name(p) for p in PAGES if p.is_relative_to(ROOT / "docs")} - {name(p) for p in reached} == set()
