"""Where deliveries arrive: ``inbox/`` of the project, ignored by Git."""

from pathlib import Path

from ecluse.project import Project


def inbox(*parts: str) -> Path:
    """A file or folder of the inbox."""
    return Project.find().root.joinpath("inbox", *parts)
