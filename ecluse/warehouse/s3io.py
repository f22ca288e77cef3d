"""Iceberg's way to an object store, with its errors as Écluse's own: no bucket, no right, no answer."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import Self, cast

import pyarrow as pa
from pyarrow import fs
from pyiceberg.io import InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from ecluse.errors import DefinitionError, EcluseError, StorageError
from ecluse.model.location import S3Location

_AWS = re.compile(r"AWS Error ([A-Z_]+)(?: \(HTTP status (\d+)\))?")
_NAMED = re.compile(r"Unable to parse ExceptionName: (\w+)")
_DENIED = {
    "ACCESS_DENIED",
    "EXPIRED_TOKEN",
    "INVALID_ACCESS_KEY_ID",
    "INVALID_CLIENT_TOKEN_ID",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "SIGNATURE_DOES_NOT_MATCH",
    "UNRECOGNIZED_CLIENT",
}
_SILENT = {"NETWORK_CONNECTION", "REQUEST_TIMEOUT", "SERVICE_UNAVAILABLE", "SLOW_DOWN", "INTERNAL_FAILURE"}
_CONNECT_S, _REQUEST_S = 5, 30
_METADATA, _SMALL = (".metadata.json", ".avro"), 64 * 2**20


class S3Files:
    """The connection to one object store."""

    def __init__(self, location: S3Location) -> None:
        self._location = location
        self._endpoint = (
            location.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        )
        secrets = {name: _secret(variable, location) for name, variable in location.secrets}
        with self.errors():
            self.filesystem = fs.S3FileSystem(
                access_key=secrets.get("access_key_id"),
                secret_key=secrets.get("secret_access_key"),
                session_token=secrets.get("session_token"),
                endpoint_override=self._endpoint,
                region=location.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
                connect_timeout=_CONNECT_S,
                request_timeout=_REQUEST_S,
                allow_delayed_open=True,
            )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Map what the store answers to ``StorageError``; that a file isn't there stays ``FileNotFoundError``.

        Such an error tells the store's own code and nothing else of its answer, which may repeat a key.
        """
        try:
            yield
        except EcluseError:
            raise
        except FileNotFoundError:
            if not self._bucket_is_there():
                raise StorageError("warehouse.no_bucket", **self._about) from None
            raise
        except (OSError, ValueError, pa.ArrowException) as error:
            key, code = _meaning(error)
            raise StorageError(key, code=code, **self._about) from None

    @property
    def _about(self) -> dict[str, object]:
        # NOTE: an endpoint may hold a user's name and password.
        endpoint = re.sub(r"//[^/@]*@", "//", self._endpoint or "Amazon S3")
        return {"location": str(self._location), "bucket": self._location.bucket, "endpoint": endpoint}

    def _bucket_is_there(self) -> bool:
        try:
            return bool(self.filesystem.get_file_info(self._location.bucket).type != fs.FileType.NotFound)
        except OSError as error:
            key, code = _meaning(error)
            raise StorageError(key, code=code, **self._about) from None


class S3FileIO(PyArrowFileIO):
    """PyIceberg's file IO over a connection that is already made: no credential stands in its properties."""

    def __init__(self, files: S3Files) -> None:
        super().__init__({})
        self._files = files
        self._small: OrderedDict[str, bytes] = OrderedDict()
        self._guard = Lock()

    def new_input(self, location: str) -> PyArrowFile:
        """A file to read; metadata, which never change once written, are asked for once."""
        if not location.endswith(_METADATA):
            return _S3File(location, self._files)
        content = self._small.get(location)
        if content is None:
            with _S3File(location, self._files).open(seekable=False) as stream, self._files.errors():
                content = stream.read()
            # NOTE: PyIceberg reads manifests from several threads.
            with self._guard:
                self._small[location] = content
                while len(self._small) > 1 and sum(map(len, self._small.values())) > _SMALL:
                    self._small.popitem(last=False)
        return _Remembered(location, self._files, content)

    def new_output(self, location: str) -> PyArrowFile:
        """A file to write."""
        return _S3File(location, self._files)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Delete a file."""
        name = location if isinstance(location, str) else location.location
        with self._guard:
            self._small.pop(name, None)
        with self._files.errors():
            self._files.filesystem.delete_file(key_of(name))


def key_of(location: str) -> str:
    """A location as the file system wants it: the bucket, and the key in it."""
    return re.sub(r"^s3[an]?://", "", location)


class _S3File(PyArrowFile):
    def __init__(self, location: str, files: S3Files) -> None:
        super().__init__(location, key_of(location), files.filesystem)
        self._files = files

    def __len__(self) -> int:
        with self._files.errors():
            return super().__len__()

    def exists(self) -> bool:
        with self._files.errors():
            return super().exists()

    def open(self, seekable: bool = True) -> InputStream:  # noqa: FBT001, FBT002 - PyIceberg's own signature
        with self._files.errors():
            return super().open(seekable)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002, FBT001, FBT002 - PyIceberg's
        # NOTE: every name holds a random part, so that asking first whether it is taken would only cost a request.
        with self._files.errors():
            return _S3Stream(super().create(overwrite=True), self._files)


class _Remembered(_S3File):
    """Metadata whose bytes are known."""

    def __init__(self, location: str, files: S3Files, content: bytes) -> None:
        super().__init__(location, files)
        self._content = content

    def __len__(self) -> int:
        return len(self._content)

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002, FBT001, FBT002 - PyIceberg's own signature
        return cast("InputStream", pa.BufferReader(self._content))


class _S3Stream(OutputStream):
    """A stream whose end waits for the store."""

    def __init__(self, stream: OutputStream, files: S3Files) -> None:
        self._stream = stream
        self._files = files

    def write(self, b: bytes) -> int:
        with self._files.errors():
            return self._stream.write(b)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        with self._files.errors():
            self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exctype: type[BaseException] | None, excinst: BaseException | None, exctb: TracebackType | None
    ) -> None:
        self.close()


def _secret(variable: str, location: S3Location) -> str:
    found = os.environ.get(variable)
    if found is None:
        raise DefinitionError("warehouse.no_secret", name=variable, location=str(location))
    return found


def _meaning(error: Exception) -> tuple[str, str]:
    """Which of our errors a foreign one is, and the store's own code for it."""
    text = str(error)
    found = _AWS.search(text)
    if found is None:
        return "warehouse.object_store", type(error).__name__
    named, status = _NAMED.search(text), found[2]
    code = found[1] if named is None else named[1]
    if found[1] == "NO_SUCH_BUCKET" or code == "NoSuchBucket":
        return "warehouse.no_bucket", code
    if found[1] in _DENIED or status in ("401", "403"):
        return "warehouse.store_denied", code
    if found[1] in _SILENT or status in ("500", "502", "503", "504"):
        return "warehouse.store_silent", code
    return "warehouse.object_store", code if status is None else f"{code}, HTTP {status}"
