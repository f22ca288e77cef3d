"""A key that never leaves AWS KMS, on a server of its own on this machine, which is asked by AWS's own library."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace

import pytest

from ecluse.errors import LedgerError
from ecluse.ledger import public_at, service_signer, signer_for
from ecluse.ledger.keys import P256, signature_holds
from tests.conftest import SECRET

boto3 = pytest.importorskip("boto3", reason="pip install boto3")

TOKEN = "a-session-token-that-no-message-may-hold"
UNKNOWN = "awskms:12345678-1234-1234-1234-123456789012"


@pytest.fixture
def uri(kms):
    return kms.key()


@pytest.fixture
def refused(capsys, caplog):
    """What is raised, once it was shown that neither error nor log says a secret, or what AWS says of the caller."""
    caplog.set_level(logging.INFO)

    def caught(action, key):
        with pytest.raises(LedgerError) as found:
            action()
        assert found.value.key == f"ledger.{key}"
        assert found.value.__cause__ is None or key == "kms_package"
        shown = [str(found.value), str(found.value.fields), caplog.text, *capsys.readouterr()]
        for secret in (SECRET, TOKEN, "arn:aws:iam", "securesystemslib.signer"):
            assert all(secret not in said for said in shown)
        return found.value

    return caught


def test_a_key_in_aws_kms_signs_facts_that_the_log_counts(project, team, counts):
    counts(service_signer(project, team), "long" * 2000)


def test_a_key_is_named_by_its_id_its_arn_or_an_alias(kms, project, team, uri):
    id = uri.partition(":")[2]
    kms.client.create_alias(AliasName=f"alias/{id}", TargetKeyId=id)
    arn = kms.client.describe_key(KeyId=id)["KeyMetadata"]["Arn"]
    for name in (f"awskms:alias/{id}", f"awskms:{arn}"):
        assert public_at(name) == public_at(uri)
        signer = signer_for(replace(project, signers=(("svc-pipeline", name),)), team, "svc-pipeline")
        assert signature_holds(public_at(uri), signer.sign(b"text"), b"text", P256)


def test_another_key_than_the_charters_signs_nothing(kms, project, team, refused):
    wrong = replace(project, signers=(("svc-pipeline", kms.key()),))
    refused(lambda: signer_for(wrong, team, "svc-pipeline").sign(b"text"), "place_other_key")


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("ECC_NIST_P384", "SIGN_VERIFY"),
        ("ECC_SECG_P256K1", "SIGN_VERIFY"),
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "KEY_AGREEMENT"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ],
)
def test_a_key_of_another_kind_is_not_taken(kms, refused, spec, usage):
    made = kms.key(spec, usage)
    error = refused(lambda: public_at(made), "kms_kind")
    assert f"{made} is of another kind: {spec}, {usage}" in str(error)


@pytest.mark.parametrize("name", [UNKNOWN, "awskms:alias/nobody-made-it", "awskms:no id", "awskms:"])
def test_a_key_that_is_not_there_is_said(project, team, refused, name):
    wrong = replace(project, signers=(("svc-pipeline", name),))
    for action in (lambda: public_at(name), lambda: signer_for(wrong, team, "svc-pipeline").sign(b"text")):
        assert name in str(refused(action, "kms_no_key"))


def test_who_may_not_use_a_key_is_told_so_and_not_who_they_are(kms, project, team, uri, refused, monkeypatch):
    iam = boto3.Session().client("iam", endpoint_url=kms.server.url)
    iam.create_user(UserName="without-rights")
    made = iam.create_access_key(UserName="without-rights")["AccessKey"]
    kms.server.deny()
    known, unknown = (made["AccessKeyId"], made["SecretAccessKey"], ""), ("AKIAUNKNOWN000000000", SECRET, TOKEN)
    for id, secret, token in (known, unknown):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        refused(lambda: public_at(uri), "kms_denied")
        error = refused(lambda: signer_for(project, team, "svc-pipeline").sign(b"text"), "kms_denied")
        assert secret not in str(error)
        assert "without-rights" not in str(error)


def test_a_service_that_is_away_signs_nothing(kms, project, team, uri, refused):
    kms.server.stop()
    refused(lambda: public_at(uri), "kms_unreachable")
    refused(lambda: signer_for(project, team, "svc-pipeline").sign(b"text"), "kms_unreachable")


@pytest.mark.parametrize("missing", [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_DEFAULT_REGION",)], ids=str)
def test_without_credentials_or_region_the_settings_are_named(project, team, uri, refused, monkeypatch, missing):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in missing:
        monkeypatch.delenv(name)
    refused(lambda: public_at(uri), "kms_settings")
    refused(lambda: signer_for(project, team, "svc-pipeline").sign(b"text"), "kms_settings")


def test_another_server_at_the_address_of_aws_is_no_traceback(project, team, uri, refused, monkeypatch):
    from moto.kms.responses import KmsResponse

    monkeypatch.setattr(KmsResponse, "sign", lambda _: "{}")
    monkeypatch.setattr(KmsResponse, "get_public_key", lambda _: "<html>")
    refused(lambda: public_at(uri), "kms")
    refused(lambda: signer_for(project, team, "svc-pipeline").sign(b"text"), "kms")


@pytest.mark.parametrize("package", ["boto3", "securesystemslib"])
def test_without_its_packages_the_extra_is_named(project, team, refused, monkeypatch, package):
    for name in [name for name in sys.modules if name.partition(".")[0] == "securesystemslib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    error = refused(lambda: signer_for(project, team, "svc-pipeline").sign(b"text"), "kms_package")
    assert "ecluse[kms]" in str(error)
