"""Keys from the command line: made, listed, revoked from a time on, and silent about their secret."""

from __future__ import annotations

import base64
import logging
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ecluse.cli.init import scaffold
from ecluse.ledger import list_keys, load_signer, new_key, public_at
from ecluse.ledger.keys import P256
from tests.cli.conftest import change


@pytest.fixture
def team(tmp_path, call):
    """A project in a profile where only the charter's keys count, with one person's key in the charter."""
    folder = tmp_path / "shop"
    scaffold(folder)
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8") + '\n[tool.ecluse.profiles.team]\nenvironment = "team"\n')
    made = call("--project", folder, "--profile", "team", "key", "new", "p-1d5c", "--no-passphrase", "--json").json
    charter = folder / "charter.yaml"
    person = "  - id: p-1d5c\n"
    key = f"    keys: [{{public: '{made['public']}', since: 2026-01-01}}]\n"
    charter.write_text(charter.read_text("utf-8").replace(person, person + key))

    def run(*arguments):
        return call("--project", folder, "--profile", "team", *arguments)

    return folder, made, run


def test_a_key_that_the_charter_does_not_list_cannot_be_revoked_there(team):
    _, _, run = team
    refused = run("key", "revoke", "s-pipeline")
    assert refused.code == 2
    assert refused.err.startswith("The charter lists no key of s-pipeline.")


def test_a_key_of_the_charter_counts_until_it_is_revoked(team):
    folder, made, run = team
    (before,) = run("key", "list", "--json").json
    assert (before["party"], before["here"], before["counts"], before["until"]) == ("p-1d5c", True, True, None)
    told = run("key", "revoke", "p-1d5c", made["key_id"][:8], "--at", "2026-11-20")
    assert told.code == 0, told.err
    assert "2026-11-20 00:00:00+00:00" in told.out
    (after,) = run("key", "list", "--json").json
    assert (after["counts"], after["until"]) == (False, "2026-11-20T00:00:00+00:00")
    assert "revoked: 2026-11-20T00:00:00+00:00" in (folder / "charter.yaml").read_text("utf-8")


def test_a_key_that_lies_elsewhere_is_listed_too(team):
    folder, _, run = team
    for file in (folder / ".ecluse/team/keys").iterdir():
        file.unlink()
    assert "not here" in run("key", "list").out
    assert run("key", "list", "--json").json[0]["here"] is False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("p-none",), "was named as a party"),
        (("p-1d5c", "ffff0000"), "0 keys of p-1d5c were meant"),
        (("p-1d5c", "--at", "tomorrow"), "Invalid value"),
    ],
)
def test_a_key_that_is_not_there_is_not_revoked(team, arguments, said):
    folder, _, run = team
    before = (folder / "charter.yaml").read_bytes()
    shown = run("key", "revoke", *arguments)
    assert (shown.code, said in shown.err) == (2, True)
    assert (folder / "charter.yaml").read_bytes() == before


def test_of_two_keys_one_is_named(team):
    folder, made, run = team
    more = run("key", "new", "p-1d5c", "--no-passphrase", "--json").json
    charter = folder / "charter.yaml"
    listed = f"{{public: '{made['public']}', since: 2026-01-01}}"
    both = f"{listed}, {{public: '{more['public']}', since: 2026-02-01}}"
    charter.write_text(charter.read_text("utf-8").replace(listed, both))
    shown = run("key", "revoke", "p-1d5c")
    assert (shown.code, "p-1d5c has 2 keys that could be meant" in shown.err) == (2, True)
    assert run("key", "revoke", "p-1d5c", made["key_id"][:8]).code == 0
    assert run("key", "revoke", "p-1d5c").code == 0
    assert not any(found["counts"] for found in run("key", "list", "--json").json)


def test_a_key_is_revoked_once(team):
    _, _, run = team
    assert run("key", "revoke", "p-1d5c").code == 0
    shown = run("key", "revoke", "p-1d5c")
    assert (shown.code, "is revoked in" in shown.err) == (2, True)


def test_no_secret_is_in_git_log_events_errors_or_anything_that_is_written(tmp_path, call, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    folder, passphrase = tmp_path / "shop", "an open sesame that nobody guesses"
    scaffold(folder)
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8") + '\n[tool.ecluse.profiles.team]\nenvironment = "team"\n')
    pair = new_key(folder / ".ecluse/team/keys", "s-pipeline", passphrase)
    charter, service = folder / "charter.yaml", "  - id: s-pipeline\n"
    listed = f"    keys: [{{public: '{pair.public}', since: 2026-01-01}}]\n"
    charter.write_text(charter.read_text("utf-8").replace(service, service + listed))
    said = []
    for given, commands in (
        (passphrase, (["log", "checkpoint", folder / "kept.json"], ["key", "list"], ["log", "verify"], ["doctor"])),
        (
            "close sesame that nobody guesses",
            (["log", "checkpoint", folder / "other.json"], ["--debug", "key", "list"]),
        ),
    ):
        monkeypatch.setenv("ECLUSE_PASSPHRASE", given)
        for command in commands:
            shown = call("--project", folder, "--profile", "team", *command)
            said += [shown.out, shown.err]
    assert "The passphrase doesn't open" in "".join(said)
    raw = load_signer(pair, passphrase)._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    secrets = [b"sesame that nobody guesses", raw, raw.hex().encode(), base64.b64encode(raw)]
    written = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(path.name == "ecluse.db" for path in written)
    spoken = {"output": "".join(said).encode(), "logging": caplog.text.encode()}
    found = [where for where, content in {**written, **spoken}.items() if any(s in content for s in secrets)]
    assert found == []
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "-A"], check=True)
    kept = subprocess.run(["git", "-C", folder, "ls-files"], check=True, capture_output=True, text=True).stdout
    assert "charter.yaml" in kept
    assert ".pem" not in kept
    assert ".ecluse" not in kept


def test_the_key_of_a_place_is_printed_as_charter_and_profile_need_it(team, kms):
    uri = kms.key()
    _, _, run = team
    told = run("key", "external", "s-pipeline", uri)
    made = run("key", "external", "s-pipeline", uri, "--json").json
    assert f"public: {made['public']}\n    scheme: ecdsa-sha2-nistp256" in told.out
    assert f'[tool.ecluse.profiles.team.signers]\n  s-pipeline = "{uri}"' in told.out


def test_an_approval_that_aws_kms_signed_opens_the_gate(alone, call, kms):
    at, uri = alone, kms.key()
    for pair in list_keys(at[1] / ".ecluse/mine/keys"):
        change(at, f"keys: [{{public: {pair.public}, ", f"keys: [{{public: {public_at(uri)}, scheme: {P256}, ")
        pair.path.unlink()
    with (at[1] / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'signers = {{ p-1d5c = "{uri}" }}\n')
    until = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%d}"
    given = ("clean.orders", "--as", "p-1d5c", "--question", "data-valid", "--reason", "counted", "--until", until)
    kms.server.stop()
    away = call(*at, "approve", *given, "--yes")
    assert away.code == 2
    assert "AWS KMS didn't answer" in away.err
    assert "Traceback" not in away.err
    kms.server.start()
    signed = call(*at, "approve", *given, "--yes", "--json")
    assert (signed.json["verdict"], signed.json["met"]) == ("approved", True), signed.err
    assert call(*at, "log", "verify").code == 0
    assert [found["state"] for found in call(*at, "doctor", "--json").json if uri in found["detail"]] == ["note"]
