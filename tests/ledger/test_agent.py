"""Keys in an SSH agent: that of OpenSSH, started for each test, with keys made by ssh-keygen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ecluse.cli import app
from ecluse.errors import LedgerError
from ecluse.ledger import public_at, scheme_of, service_signer, signer_for
from ecluse.ledger.keys import ED25519, P256, signature_holds
from ecluse.model.charter import Key, Party
from tests.ledger.conftest import SINCE

HOW = "apt-get install openssh-client; pip install paramiko"
pytest.importorskip("paramiko", reason=HOW)


@dataclass
class Agent:
    """A running agent."""

    folder: Path
    process: subprocess.Popen[bytes]

    def add(self, comment: str, kind: str = "ed25519", *options: str) -> None:
        """Make a key and hand it over."""
        file = self.folder / f"{len(list(self.folder.iterdir()))}"
        made = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(file)]
        subprocess.run(made, check=True, capture_output=True)
        subprocess.run(["ssh-add", "-q", *options, str(file)], check=True, capture_output=True)

    def take_all(self) -> None:
        """Let the agent forget its keys."""
        subprocess.run(["ssh-add", "-q", "-D"], check=True, capture_output=True)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture
def agent(monkeypatch):
    if not all(map(shutil.which, ("ssh-agent", "ssh-add", "ssh-keygen"))):
        pytest.skip(HOW)
    # NOTE: not in pytest's own folder: the path of a socket has at most 108 characters.
    with tempfile.TemporaryDirectory(prefix="agent-") as folder:
        socket = Path(folder) / "socket"
        # NOTE: what asks its owner whether a key may be used says no.
        asks = {**os.environ, "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL, env=asks)
        while not socket.exists():
            assert process.poll() is None
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        found = Agent(Path(folder), process)
        yield found
        found.stop()


@pytest.fixture(params=["ed25519", "ecdsa"])
def uri(agent, request):
    agent.add("ada@laptop", request.param)
    return "ssh-agent:ada@laptop"


def refused(action, key):
    with pytest.raises(LedgerError) as caught:
        action()
    assert caught.value.key == f"ledger.{key}"
    return str(caught.value)


def test_an_agent_signs_facts_that_the_log_counts(project, team, counts):
    counts(service_signer(project, team), "long" * 20_000)


def test_a_signature_counts_in_the_scheme_of_its_key_only(project, team, uri):
    public = public_at(uri)
    signature = signer_for(project, team, "svc-pipeline").sign(b"text")
    assert signature_holds(public, signature, b"text", scheme_of(public))
    assert not signature_holds(public, signature, b"other", scheme_of(public))
    assert not signature_holds(public, signature, b"text", ED25519 if scheme_of(public) == P256 else P256)


def test_a_key_is_named_by_its_comment_or_its_fingerprint_and_need_not_be_where_it_is_alone(agent, uri):
    listed = subprocess.run(["ssh-add", "-l"], check=True, capture_output=True, text=True).stdout
    fingerprint = listed.split()[1]
    agent.add("of another kind", "rsa")
    assert public_at("ssh-agent:") == public_at(f"ssh-agent:{fingerprint}") == public_at(uri)
    agent.add("another")
    assert fingerprint in refused(lambda: public_at("ssh-agent:"), "agent_which")
    assert "ada@laptop" in refused(lambda: public_at("ssh-agent:nobody"), "agent_which")
    refused(lambda: public_at("ssh-agent:of another kind"), "agent_which")


@pytest.mark.parametrize("place", ["ssh-agent:", "ssh-agent"])
def test_where_a_key_is_found_it_also_signs(project, team, uri, place):
    here = replace(project, signers=(("svc-pipeline", place),))
    assert signer_for(here, team, "svc-pipeline").public == public_at(place) == public_at(uri)


def test_of_several_keys_the_newest_signs_that_the_agent_holds(agent, project, charter_of):
    for name in ("desk", "laptop"):
        agent.add(name)
    keys = [public_at(f"ssh-agent:{name}") for name in ("desk", "laptop")]
    elsewhere = "ab" * 32
    listed = [Key(public, SINCE.replace(month=month)) for month, public in enumerate([*keys, elsewhere], 1)]
    attests = ("run", "publication", "evidence")
    team = charter_of(Party("svc-pipeline", keys=tuple(listed[::-1]), attests=attests))
    here = replace(project, signers=(("svc-pipeline", "ssh-agent:"),))
    assert signer_for(here, team, "svc-pipeline").public == keys[1]


def test_an_agent_without_the_charters_key_signs_nothing(agent, project, team):
    signer = signer_for(project, team, "svc-pipeline")
    for act in (lambda: signer.sign(b"text"), lambda: signer_for(project, team, "svc-pipeline")):
        agent.take_all()
        refused(act, "agent_none")
        agent.add("another")
        assert "(another)" in refused(act, "agent_other")


def test_what_its_owner_does_not_confirm_is_not_signed(agent, project, charter_of):
    agent.add("asked", "ed25519", "-c")
    team = charter_of(Party("svc-pipeline", keys=(Key(public_at("ssh-agent:asked"), SINCE),), attests=("run",)))
    refused(lambda: signer_for(project, team, "svc-pipeline").sign(b"text"), "agent")


def test_an_agent_signs_no_more_than_it_takes(project, team):
    signer = signer_for(project, team, "svc-pipeline")
    signer.sign(b"x" * 250_000)
    assert "256 kB" in refused(lambda: signer.sign(b"x" * 300_000), "agent")


# NOTE: paramiko leaves a socket to the collector on which nobody answered.
@pytest.mark.filterwarnings("ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_an_agent_that_is_gone_signs_nothing(agent, project, team, uri, monkeypatch):
    signer = signer_for(project, team, "svc-pipeline")
    agent.stop()
    refused(lambda: signer.sign(b"text"), "agent_none")
    refused(lambda: signer_for(project, team, "svc-pipeline"), "agent_none")
    monkeypatch.delenv("SSH_AUTH_SOCK")
    assert "SSH_AUTH_SOCK" in refused(lambda: public_at(uri), "agent_none")


def test_without_its_package_the_extra_is_named(project, team, uri, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "paramiko"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    assert "ecluse[agent]" in refused(lambda: public_at(uri), "agent_package")
    refused(lambda: signer_for(project, team, "svc-pipeline"), "agent_package")


def test_the_command_prints_what_the_charter_and_the_profile_need(uri, tmp_path, capsys):
    assert app.call(["init", str(tmp_path / "shop")]) == 0
    capsys.readouterr()
    assert app.call(["--project", str(tmp_path / "shop"), "key", "external", "p-owner", uri]) == 0
    told = capsys.readouterr().out
    assert f"public: {public_at(uri)}\n    scheme: {scheme_of(public_at(uri))}" in told
    assert f'p-owner = "{uri}"' in told
