"""Keys on disk: private to their owner, silent about their secret, and every way of failing explained."""

import logging
import pickle
import stat
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.errors import LedgerError
from ecluse.ledger import key_id, list_keys, load_signer, new_key
from ecluse.ledger.keys import signature_holds


def test_a_new_key_signs_and_its_public_half_verifies(tmp_path):
    pair = new_key(tmp_path / "keys", "p-1")
    signer = load_signer(pair)
    assert (signer.party, signer.public, signer.key_id) == ("p-1", pair.public, pair.key_id)
    assert pair.key_id == sha256(bytes.fromhex(pair.public)).hexdigest() == key_id(pair.public)
    signature = signer.sign(b"text")
    assert signature_holds(pair.public, signature, b"text")
    assert not signature_holds(pair.public, signature, b"other")
    assert not signature_holds(pair.public, b"short", b"text")
    assert not signature_holds("not hexadecimal", signature, b"text")


def test_only_the_owner_reads_a_private_key(tmp_path):
    pair = new_key(tmp_path / "keys", "p-1")
    assert stat.S_IMODE(pair.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(pair.path.parent.stat().st_mode) == 0o700
    pair.path.chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        load_signer(pair)


def test_keys_are_listed_without_their_passphrase(tmp_path):
    plain, secret = new_key(tmp_path, "p-2"), new_key(tmp_path, "p.1", "open sesame")
    assert list_keys(tmp_path) == (plain, secret)
    assert (plain.encrypted, secret.encrypted) == (False, True)
    assert list_keys(tmp_path / "nowhere") == ()
    plain.path.unlink()
    assert list_keys(tmp_path) == (secret,)


def test_an_encrypted_key_opens_with_its_passphrase_only(tmp_path):
    pair = new_key(tmp_path, "p-1", "open sesame")
    assert load_signer(pair, "open sesame").key_id == pair.key_id
    for tried, key in ((None, "passphrase_needed"), ("", "passphrase_needed"), ("close sesame", "passphrase_wrong")):
        with pytest.raises(LedgerError) as caught:
            load_signer(pair, tried)
        assert caught.value.key == f"ledger.{key}"


def test_a_passphrase_for_an_unencrypted_key_is_not_needed(tmp_path):
    assert load_signer(new_key(tmp_path, "p-1"), "anything").party == "p-1"


def test_nothing_secret_is_shown_logged_or_pickled(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    pair = new_key(tmp_path, "p-1", "open sesame")
    signer = load_signer(pair, "open sesame")
    with pytest.raises(LedgerError) as caught:
        load_signer(pair, "close sesame")
    shown = f"{pair!r} {signer!r} {caught.value} {caught.value.__cause__} {caplog.text}"
    raw = signer._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    for secret in ("sesame", raw.hex(), raw.hex()[:16]):
        assert secret not in shown
    with pytest.raises(TypeError):
        pickle.dumps(signer)


@pytest.mark.parametrize("party", ["", "../p", "a/b", ".hidden", "a b"])
def test_a_party_that_cannot_name_a_file_is_refused(tmp_path, party):
    with pytest.raises(LedgerError, match="letters, digits"):
        new_key(tmp_path, party)


def test_an_empty_passphrase_is_not_taken_for_none(tmp_path):
    with pytest.raises(LedgerError, match="empty passphrase"):
        new_key(tmp_path, "p-1", "")
    assert not list(tmp_path.iterdir())


def _other_kind(path):
    private = generate_private_key(SECP256R1())
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(
    ("damage", "key"),
    [
        (lambda path: path.unlink(), "key_read"),
        (lambda path: path.write_bytes(b""), "key_format"),
        (lambda path: path.write_bytes(b"\x00\xff"), "key_format"),
        (lambda path: path.write_text(path.read_text()[:60]), "key_format"),
        (_other_kind, "key_format"),
        (lambda path: path.write_bytes(new_key(path.parent / "other", "p-1").path.read_bytes()), "key_mismatch"),
    ],
)
def test_a_damaged_private_key_is_a_clear_error(tmp_path, damage, key):
    pair = new_key(tmp_path, "p-1")
    damage(pair.path)
    with pytest.raises(LedgerError) as caught:
        load_signer(pair)
    assert caught.value.key == f"ledger.{key}"
    assert str(pair.path) in str(caught.value)


def test_a_damaged_or_foreign_public_key_is_a_clear_error(tmp_path):
    pair = new_key(tmp_path, "p-1")
    public = pair.path.with_name(pair.path.name.replace(".pem", ".pub.pem"))
    other = generate_private_key(SECP256R1()).public_key()
    for content in (b"damaged", other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        public.write_bytes(content)
        with pytest.raises(LedgerError, match="Ed25519"):
            list_keys(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="can't be written"):
        new_key(tmp_path / "file", "p-1")


@pytest.mark.parametrize("public", ["", "00", "zz" * 32, "00" * 33])
def test_only_32_bytes_have_a_key_id(public):
    with pytest.raises(ValueError):
        key_id(public)


#: Points of small order and what isn't a point in its one encoding; RFC 8032 lets a verifier take most of them.
WEAK = [
    "01" + "00" * 31,
    "00" * 32,
    "00" * 31 + "80",
    "01" + "00" * 30 + "80",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
    "ee" + "ff" * 31,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "02" + "00" * 31,
]


@pytest.mark.parametrize("public", WEAK)
def test_a_key_with_which_anyone_signs_signs_nothing(public):
    # A signature of nobody: with a key of order one it holds for every message.
    forged = bytes.fromhex("01" + "00" * 31) + bytes(32)
    for n in range(16):
        assert not signature_holds(public, forged, b"%d" % n)
        assert not signature_holds(public, bytes.fromhex(public) + bytes(32), b"%d" % n)


def test_a_signature_has_one_form(tmp_path):
    signer = load_signer(new_key(tmp_path, "p-1"))
    signature = signer.sign(b"text")
    order = 2**252 + 27742317777372353535851937790883648493
    added = int.from_bytes(signature[32:], "little") + order
    other = signature[:32] + added.to_bytes(32, "little")
    assert signature_holds(signer.public, signature, b"text")
    for false in (other, signature[:32] + bytes(32), bytes(64), signature[:-1], signature + b"\0", signature + b"text"):
        assert not signature_holds(signer.public, false, b"text")
    assert not signature_holds(signer.public, signature[:-1], signature[-1:] + b"text")
    assert not signature_holds(signer.public[:-2], signature, b"text")
    assert not signature_holds(signer.public + "00", signature, b"text")


@settings(max_examples=60, deadline=None)
@given(secret=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300), bit=st.integers(0, 64 * 8 - 1))
def test_two_libraries_agree_on_what_a_signature_is(secret, message, bit):
    private = Ed25519PrivateKey.from_private_bytes(secret)
    signature = bytearray(private.sign(message))
    public = private.public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    assert signature_holds(raw, bytes(signature), message)
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        public.verify(bytes(signature), message)
    assert not signature_holds(raw, bytes(signature), message)
