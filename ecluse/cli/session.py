"""What every command is given: the options that stand before its name, and the project they point to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ecluse.project import Project

if TYPE_CHECKING:
    from ecluse.cli.reading import Reading
    from ecluse.step.services import Services


@dataclass(frozen=True)
class Session:
    """The global options of one call."""

    folder: str | None = None
    profile: str | None = None
    json: bool = False

    def project(self) -> Project:
        """The project that the options name, or that this folder belongs to."""
        return Project.find(self.folder, self.profile)

    @contextmanager
    def reading(self, *, writable: bool = False) -> Iterator[Reading]:
        """The project opened for reading, or also to change what isn't signed."""
        from ecluse.cli.reading import reading

        with reading(self.project(), writable=writable) as opened:
            yield opened

    @contextmanager
    def services(self, party: str | None = None, passphrase: str | None = None) -> Iterator[Services]:
        """The project opened for writing: the key of its service is at hand, or that of the party who signs."""
        from ecluse.step.services import open_services

        services = open_services(self.project(), party=party, passphrase=passphrase)
        try:
            yield services
        finally:
            services.close()


#: Hands the session to a command as its first argument.
pass_session = click.make_pass_decorator(Session, ensure=True)
