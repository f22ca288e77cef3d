"""A key that never leaves its token, on a real PKCS #11 token in software: SoftHSM."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from ecluse.cli import app
from ecluse.errors import DefinitionError, LedgerError
from ecluse.ledger import public_at, service_signer, signer_for, trust_of
from ecluse.ledger.keys import P256, hex_of, key_id, signature_holds
from ecluse.model.charter import Key, Party
from tests.ledger.conftest import SINCE

PIN, LABEL = "648219", "ecluse test"
URI, OTHER, LARGER = (f"hsm:{number}?label=ecluse+test" for number in (2, 3, 4))
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
HOW = "apt-get install softhsm2; pip install python-pkcs11"


@pytest.fixture(scope="session")
def token(tmp_path_factory):
    """A token with three keys; its library is started once in a process, so it is the same for all tests."""
    module = next((path for path in MODULES if Path(path).is_file()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip(HOW)
    pkcs11 = pytest.importorskip("pkcs11", reason=HOW)
    from pkcs11.util.ec import encode_named_curve_parameters

    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as here:
        here.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        here.setenv("PYKCS11LIB", module)
        made = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "00000000"]
        subprocess.run(made, check=True, capture_output=True)
        with pkcs11.lib(module).get_token(token_label=LABEL).open(rw=True, user_pin=PIN) as session:
            for number, curve in ((2, "secp256r1"), (3, "secp256r1"), (4, "secp384r1")):
                parameters = session.create_domain_parameters(
                    pkcs11.KeyType.EC,
                    {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)},
                    local=True,
                )
                parameters.generate_keypair(id=bytes([number]), label=f"key {number}", store=True)
        yield folder


@pytest.fixture
def uri(token):
    return URI


@pytest.fixture
def public(uri):
    return public_at(uri)


def test_a_token_signs_facts_that_the_log_counts(project, team, counts):
    counts(service_signer(project, team, PIN))


def test_a_signature_counts_in_the_scheme_of_its_key_only(project, team, public):
    signer = signer_for(project, team, "svc-pipeline", PIN)
    signature = signer.sign(b"text")
    assert signature_holds(public, signature, b"text", P256)
    assert not signature_holds(public, signature, b"other", P256)
    assert not signature_holds(public, signature, b"text")
    assert not signature_holds(public_at(OTHER), signature, b"text", P256)
    assert not signature_holds(public, b"no signature", b"text", P256)


def test_another_key_than_the_charters_signs_nothing(project, team):
    wrong = replace(project, signers=(("svc-pipeline", OTHER),))
    with pytest.raises(LedgerError) as caught:
        signer_for(wrong, team, "svc-pipeline", PIN).sign(b"text")
    assert caught.value.key == "ledger.place_other_key"


@pytest.mark.parametrize(
    ("place", "pin", "key"),
    [
        (URI, "111111", "token"),
        (URI, None, "token_pin"),
        ("hsm:9?label=ecluse+test", PIN, "token"),
        ("hsm:2?label=another", PIN, "token"),
        ("hsm:two", PIN, "token"),
        ("vault:ecluse", PIN, "place_uri"),
    ],
    ids=["wrong PIN", "no PIN", "no such key", "no such token", "no number", "another kind of place"],
)
def test_what_a_token_does_not_do_is_a_clear_error_without_the_pin(project, team, place, pin, key):
    with pytest.raises(LedgerError) as caught:
        signer_for(replace(project, signers=(("svc-pipeline", place),)), team, "svc-pipeline", pin).sign(b"text")
    assert caught.value.key == f"ledger.{key}"
    shown = f"{caught.value} {caught.value.__cause__} {signer_for(project, team, 'svc-pipeline', PIN)!r}"
    assert place in str(caught.value)
    for secret in (PIN, "111111"):
        assert secret not in shown


def test_a_key_that_is_not_on_p256_is_not_taken(token):
    with pytest.raises(LedgerError, match="nistp384"):
        public_at(LARGER)


def test_without_its_library_a_token_is_not_reached(project, team, monkeypatch):
    monkeypatch.delenv("PYKCS11LIB")
    with pytest.raises(LedgerError, match="PYKCS11LIB"):
        signer_for(project, team, "svc-pipeline", PIN).sign(b"text")


def test_a_key_that_ended_is_not_signed_with(project, team, public):
    ended = replace(team.parties[0], keys=(Key(public, SINCE, until=SINCE.replace(month=2), scheme=P256),))
    with pytest.raises(LedgerError) as caught:
        signer_for(project, replace(team, parties=(ended, team.parties[1])), "svc-pipeline", PIN)
    assert caught.value.key == "ledger.no_key"


def test_the_command_prints_what_the_charter_and_the_profile_need(token, public, tmp_path, capsys):
    assert app.call(["init", str(tmp_path / "shop")]) == 0
    capsys.readouterr()
    assert app.call(["--project", str(tmp_path / "shop"), "key", "external", "s-pipeline", URI]) == 0
    told = capsys.readouterr().out
    assert f"public: {public}\n    scheme: {P256}" in told
    assert f's-pipeline = "{URI}"' in told


POINT = hex_of(generate_private_key(SECP256R1()).public_key())


@pytest.mark.parametrize(
    ("public", "scheme"),
    [(POINT, "ed25519"), ("00" * 32, P256), (f"04{'11' * 64}", P256), (f"02{POINT[2:66]}", P256)],
    ids=["a point as Ed25519", "too short", "not on the curve", "compressed"],
)
def test_a_public_key_of_another_scheme_is_none(charter_of, public, scheme):
    with pytest.raises(DefinitionError, match="130 of a point"):
        trust_of(charter_of(Party("p", keys=(Key(public, SINCE, scheme=scheme),))))


def test_the_id_of_a_point_is_that_of_its_bytes():
    assert key_id(POINT, P256) == __import__("hashlib").sha256(bytes.fromhex(POINT)).hexdigest()


def test_nothing_of_the_environment_is_left(token):
    assert os.environ["SOFTHSM2_CONF"].startswith(str(token))
