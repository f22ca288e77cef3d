"""Real servers on this machine, for the tests of object stores and databases; and, in CI, no test that is left out."""

from __future__ import annotations

import ctypes
import itertools
import logging
import os
import re
import signal
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from pyarrow import fs

from ecluse import texts
from ecluse.model.location import S3Location

if TYPE_CHECKING:
    from benchmarks.postgresql import Server

# NOTE: what a machine does overnight: ``--hypothesis-profile long``. The walks of ``test_any_order`` then are many.
settings.register_profile("long", deadline=None, derandomize=False)
# NOTE: how long an example takes says how busy the machine is, and nothing about the code. The same code is asked the
# same examples, so that a change is judged by what it changes; the long profile looks for new ones.
settings.register_profile("short", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("short")

# NOTE: tests that a shell started in the background are told to ignore Ctrl-C, and so are their children. Some of them
# are about Ctrl-C, and would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

KEY, SECRET = "AKIAECLUSETESTS00000", "a-secret-that-no-message-may-hold"


@pytest.fixture(autouse=True)
def _environment_of_its_own():
    """A command that runs in this process says where the project is, and in what language; the next test begins without."""
    before = {name: value for name, value in os.environ.items() if name.startswith("ECLUSE_")}
    texts.set_language("en")
    yield
    texts.set_language("en")
    for name in [name for name in os.environ if name.startswith("ECLUSE_")]:
        del os.environ[name]
    os.environ.update(before)


@dataclass
class S3:
    """A server that can be stopped, started again with what it held, and told to let nobody in."""

    port: int
    server: object = None
    names: Iterator[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.WARNING)

        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()
        self.port = self.server.get_host_and_port()[1]

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def deny(self, *, after: float = 0) -> None:
        """Refuse every request without a known key, after this many."""
        request = urllib.request.Request(
            f"{self.url}/moto-api/reset-auth", str(after).encode(), {"Content-Type": "text/plain"}, method="POST"
        )
        urllib.request.urlopen(request).close()

    @cached_property
    def files(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            access_key=KEY,
            secret_key=SECRET,
            endpoint_override=self.url,
            region="us-east-1",
            allow_bucket_creation=True,
        )

    def bucket(self) -> str:
        name = f"bucket-{next(self.names)}"
        self.files.create_dir(name)
        return name

    def location(self, local: Path, **more) -> S3Location:
        return S3Location(
            **{
                "bucket": self.bucket(),
                "prefix": "lake",
                "local": local,
                "endpoint": self.url,
                "cache_bytes": 10**9,
                **more,
            }
        )

    def names_in(self, bucket: str) -> list[str]:
        found = self.files.get_file_info(fs.FileSelector(bucket, recursive=True))
        return sorted(one.path for one in found if one.type == fs.FileType.File)

    def read(self, path: str) -> bytes:
        with self.files.open_input_file(path) as file:
            return file.read()

    def write(self, path: str, content: bytes) -> None:
        with self.files.open_output_stream(path) as file:
            file.write(content)


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[S3]:
    pytest.importorskip("moto", reason="pip install 'moto[s3]' flask flask-cors")
    server = S3(0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(_s3_server, monkeypatch) -> Iterator[S3]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    yield _s3_server
    if _s3_server.server is None:
        _s3_server.start()
    _s3_server.deny(after=10**9)


@pytest.fixture
def signing(monkeypatch):
    """Whoever signs finds a SQLite database free for others: a token or an agent may ask its owner for minutes."""
    from ecluse.ledger import Signer

    sign, signed = Signer.sign, []

    def watch(path):
        def seen(signer, message):
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as another:
                another.execute("BEGIN IMMEDIATE")
            signed.append(signer.party)
            return sign(signer, message)

        monkeypatch.setattr(Signer, "sign", seen)
        return signed

    return watch


@dataclass(frozen=True)
class Kms:
    """The key service of that server."""

    server: S3
    client: object

    def key(self, spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY") -> str:
        """A new key, as the URI by which Écluse names it."""
        return f"awskms:{self.client.create_key(KeySpec=spec, KeyUsage=usage)['KeyMetadata']['KeyId']}"


@pytest.fixture
def kms(s3, monkeypatch) -> Kms:
    """AWS KMS. Its client is the default one of a process, so that each test begins without."""
    boto3 = pytest.importorskip("boto3", reason="pip install boto3")
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256
    from moto.kms.responses import KmsResponse
    from moto.kms.utils import ECDSAPrivateKey

    answer = KmsResponse.sign

    def of_a_digest(request):
        assert request._get_param("MessageType") == "DIGEST"
        return answer(request)

    # NOTE: AWS signs a digest as it is given. moto takes it for a message, and signs the digest of the digest.
    monkeypatch.setattr(KmsResponse, "sign", of_a_digest)
    monkeypatch.setattr(
        ECDSAPrivateKey, "sign", lambda key, digest, _: key.private_key.sign(digest, ECDSA(Prehashed(SHA256())))
    )
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", s3.url)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return Kms(s3, boto3.Session().client("kms"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL of our own on a socket in a temporary folder."""
    from benchmarks import postgresql

    if not postgresql.installed():
        pytest.skip(postgresql.MISSING)
    with postgresql.server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql) -> str:
    return postgresql.database()


_OVERRIDE, _SEARCH, _VERSION = 1, 2, 0x20080522


@pytest.fixture
def ordinary_user():
    """A block in which this thread has no more rights to files than an ordinary user: containers run tests as root."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)

    def call(name, words):
        if getattr(libc, name)(header, words):
            raise OSError(ctypes.get_errno(), name)

    @contextmanager
    def without_rights():
        if os.geteuid() != 0:
            yield
            return
        # NOTE: Linux's capabilities, as (effective, permitted, inheritable) twice; what is permitted can come back.
        kept, fewer = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
        call("capget", kept)
        fewer[:] = kept[:]
        fewer[0] &= ~(1 << _OVERRIDE | 1 << _SEARCH)
        call("capset", fewer)
        try:
            yield
        finally:
            call("capset", kept)

    return without_rights


def pytest_addoption(parser):
    parser.addoption("--may-skip", metavar="REGEX", help="fail where a test is skipped whose id doesn't match")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """CI installs what tests need, so that a test which is left out there is a fault."""
    allowed = session.config.getoption("--may-skip")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if allowed is None or reporter is None:
        return
    if wrong := [r.nodeid for r in reporter.stats.get("skipped", ()) if not re.search(allowed, r.nodeid)]:
        reporter.write_line(f"left out, and may not be: {', '.join(wrong)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
