"""Envelopes: canonical, in the field's format, and exact there and back."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.errors import LedgerError
from ecluse.ledger import canonical, sign
from ecluse.ledger.envelope import STATEMENT_TYPE, open_envelope, open_written, pae
from ecluse.ledger.jcs import parse_canonical
from ecluse.ledger.keys import signature_holds
from ecluse.ledger.statement import statement

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_a_time_without_a_zone_is_not_signed(fact, service):
    with pytest.raises(LedgerError, match="without a zone"):
        sign(fact(at=datetime(2026, 1, 1)), service)  # noqa: DTZ001 - the case


def test_the_signed_bytes_are_those_of_dsse(fact, service):
    envelope = sign(fact("run", "set.a", n=1), service)
    (signature,) = envelope["signatures"]
    payload = base64.b64decode(envelope["payload"])
    assert signature["keyid"] == service.key_id
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    assert pae(STATEMENT_TYPE, payload) == message
    assert signature_holds(service.public, base64.b64decode(signature["sig"]), message)
    statement = json.loads(payload)
    assert (statement["_type"], statement["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://ecluse.dev/fact/run/v1",
    )
    assert statement["subject"][0]["name"] == "set.a"


def test_an_in_toto_tool_reads_and_verifies_the_envelope(fact, service):
    dsse = pytest.importorskip("securesystemslib.dsse", reason="pip install securesystemslib")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.signer import SSlibKey

    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(service.public))
    key = SSlibKey.from_crypto(public, keyid=service.key_id)
    envelope = dsse.Envelope.from_dict(sign(fact(n=1), service))
    assert set(envelope.verify([key], threshold=1)) == {service.key_id}


@pytest.mark.parametrize(
    "damage",
    [
        {"payload": "not base64!"},
        {"payload": None},
        {"payloadType": "text/plain"},
        {"signatures": []},
        {"signatures": None},
        {"signatures": [{"keyid": "a"}]},
        {"signatures": [{"keyid": "a", "sig": "AA=="}, {"keyid": "a", "sig": "AA=="}]},
        {"more": 1},
    ],
)
def test_what_is_no_envelope_is_refused(damage, fact, service):
    with pytest.raises((ValueError, TypeError)):
        open_envelope({**sign(fact(), service), **damage}, STATEMENT_TYPE)


def _read(text):
    """What the long way says: parsed, canonical, and taken apart."""
    try:
        return open_envelope(parse_canonical(text), STATEMENT_TYPE)
    except (ValueError, TypeError):
        return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=JSON,
    place=st.integers(0, 500),
    put=st.sampled_from(["", " ", "=", "A", '"', "}", "\\", "\n", "é", '","more":"']),
    cut=st.integers(0, 2),
)
def test_the_short_way_to_an_envelope_says_what_the_long_one_says(value, place, put, cut, fact, service):
    text = canonical(sign(fact(value=value), service))
    assert open_written(text) is not None
    assert open_written(text) == _read(text)
    damaged = text[: place % len(text)] + put.encode() + text[place % len(text) + cut :]
    assert open_written(damaged) in (None, _read(damaged))


def test_times_in_other_zones_come_back_as_they_were_signed(fact):
    at = datetime.fromisoformat("2026-03-01T12:00:00.000001+05:30")
    assert statement(fact(at=at))["predicate"]["at"] == "2026-03-01T12:00:00.000001+05:30"
    assert at.astimezone(UTC) == at
