"""The page of commands in the docs is what the commands say of themselves."""

from __future__ import annotations

from pathlib import Path

from ecluse.cli.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"


def test_the_docs_hold_the_help_of_every_command():
    assert PAGE.read_text("utf-8") == page()
