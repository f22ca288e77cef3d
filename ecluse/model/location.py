"""Where tables lie when they don't lie in a local folder: a bucket of an S3-compatible object store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecluse.errors import DefinitionError

_URL = re.compile(r"s3://([a-z0-9][a-z0-9._-]{1,62})(?:/([\w.=/ -]*))?")
_SIZE = re.compile(r"(\d+)\s*(|[KMGT]i?B)")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_SECRETS = ("access_key_id", "secret_access_key", "session_token")
_KNOWN = ("endpoint", "region", "cache", *_SECRETS)
_CACHE = "20 GB"


@dataclass(frozen=True)
class S3Location:
    """A bucket and the prefix of the tables in it.

    ``local`` is the folder for copies on the local disk, which take ``cache_bytes`` at most beside those in use.
    ``endpoint`` is the URL of a server other than Amazon's. ``secrets`` names environment variables, by
    ``access_key_id``, ``secret_access_key`` and ``session_token``: no credential stands in here. What isn't given is
    found as Amazon's own tools find it.
    """

    bucket: str
    prefix: str
    local: Path
    cache_bytes: int
    endpoint: str | None = None
    region: str | None = None
    secrets: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @classmethod
    def read(cls, url: str, settings: Mapping[str, Any], local: Path, profile: str) -> S3Location:
        """A location such as ``s3://bucket/prefix`` with a profile's ``s3`` settings; ``DefinitionError`` otherwise."""
        found = _URL.fullmatch(url)
        if found is None or any(part in ("", ".", "..") for part in (found[2] or "x").rstrip("/").split("/")):
            raise DefinitionError("project.s3_url", url=url, profile=profile)
        for name, value in settings.items():
            if name not in _KNOWN:
                raise DefinitionError("project.s3_setting", name=name, profile=profile, known=", ".join(_KNOWN))
            if name in _SECRETS and not str(value).startswith("env:"):
                raise DefinitionError("project.s3_secret", name=name, profile=profile)
        return cls(
            bucket=found[1],
            prefix=(found[2] or "").rstrip("/"),
            local=local,
            cache_bytes=_bytes(settings.get("cache", _CACHE), profile),
            endpoint=settings.get("endpoint"),
            region=settings.get("region"),
            secrets=tuple((n, str(settings[n]).removeprefix("env:")) for n in _SECRETS if n in settings),
        )


def _bytes(size: object, profile: str) -> int:
    found = _SIZE.fullmatch(str(size))
    if found is None:
        raise DefinitionError("project.s3_cache", size=size, profile=profile)
    return int(found[1]) * _UNITS[found[2].removesuffix("B")]
