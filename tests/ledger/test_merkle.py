"""The Merkle tree against the RFC's own definition, and its proofs against every way of being wrong."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.ledger import merkle

SIZES = st.integers(1, 70)


def inclusion_proof(position, leaves):
    return [merkle.root(leaves[start:end]) for start, end in merkle.inclusion_path(position, len(leaves))]


def consistency_proof(old_size, leaves):
    return [merkle.root(leaves[start:end]) for start, end in merkle.consistency_path(old_size, len(leaves))]


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(n).encode()) for n in range(size)]


def by_definition(leaves: list[bytes]) -> bytes:
    """Section 2.1 of the RFC, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(40))
def test_root_is_what_the_rfc_defines(size):
    assert merkle.root(leaves_of(size)) == by_definition(leaves_of(size))


def test_known_roots_of_certificate_transparency():
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in entries]
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(SIZES, st.data())
def test_every_leaf_is_proven_and_no_other_place_or_leaf_is(size, data):
    leaves = leaves_of(size)
    position = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != position)) if size > 1 else size
    proof = inclusion_proof(position, leaves)
    root = merkle.root(leaves)
    assert len(proof) <= size.bit_length()
    assert merkle.verify_inclusion(leaves[position], position, size, proof, root)
    assert not merkle.verify_inclusion(leaves[position], other, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), position, size, proof, root)
    assert not merkle.verify_inclusion(leaves[position], position, size, [*proof, root], root)
    if proof:
        assert not merkle.verify_inclusion(leaves[position], position, size, proof[:-1], root)


@given(SIZES, st.data())
def test_a_log_that_grew_is_proven_consistent_and_a_rewritten_one_is_not(size, data):
    leaves = leaves_of(size)
    old_size = data.draw(st.integers(1, size))
    altered = data.draw(st.integers(0, old_size - 1))
    rewritten = [*leaves[:altered], merkle.leaf_hash(b"other"), *leaves[altered + 1 :]]
    old_root, root = merkle.root(leaves[:old_size]), merkle.root(leaves)
    proof = consistency_proof(old_size, leaves)
    assert merkle.verify_consistency(old_size, size, proof, old_root, root)
    forged = consistency_proof(old_size, rewritten)
    assert not merkle.verify_consistency(old_size, size, forged, old_root, merkle.root(rewritten))
    assert not merkle.verify_consistency(old_size, size, [*proof, root], old_root, root)
    if proof:
        assert not merkle.verify_consistency(old_size, size, proof[:-1], old_root, root)


def _altered(leaves, at, other):
    return [*leaves[:at], merkle.leaf_hash(b"other"), *leaves[at + 1 :]]


def _removed(leaves, at, other):
    return [*leaves[:at], *leaves[at + 1 :]]


def _swapped(leaves, at, other):
    found = list(leaves)
    found[at], found[other] = found[other], found[at]
    return found


def _put_between(leaves, at, other):
    return [*leaves[:at], merkle.leaf_hash(b"other"), *leaves[at:]]


@given(st.integers(2, 70), st.sampled_from([_altered, _removed, _swapped, _put_between]), st.data())
def test_a_log_whose_past_is_another_extends_nothing(size, change, data):
    leaves = leaves_of(size)
    old_size = data.draw(st.integers(1, size - 1))
    at = data.draw(st.integers(0, old_size - 1))
    later = change(leaves, at, data.draw(st.integers(at + 1, size - 1)))
    kept, root = merkle.root(leaves[:old_size]), merkle.root(later)
    honest, forged = consistency_proof(old_size, leaves), consistency_proof(old_size, later)
    for proof in (honest, forged, [kept, *forged], [*forged, kept], honest[::-1]):
        assert not merkle.verify_consistency(old_size, len(later), proof, kept, root)
    assert merkle.verify_consistency(old_size, size, honest, kept, merkle.root(leaves))


@given(SIZES)
def test_the_frontier_knows_the_root_after_every_leaf(size):
    frontier = merkle.Frontier()
    for count, leaf in enumerate(leaves_of(size), 1):
        frontier.append(leaf)
        assert (frontier.size, frontier.root()) == (count, merkle.root(leaves_of(count)))


@pytest.mark.parametrize(
    ("call", "at"),
    [
        (inclusion_proof, -1),
        (inclusion_proof, 3),
        (consistency_proof, 0),
        (consistency_proof, 4),
    ],
)
def test_proofs_outside_the_tree_are_refused(call, at):
    with pytest.raises(ValueError):
        call(at, leaves_of(3))


@pytest.mark.parametrize(("position", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_holds_outside_the_tree(position, size):
    assert not merkle.verify_inclusion(leaves_of(1)[0], position, size, [], leaves_of(1)[0])


@pytest.mark.parametrize(("old_size", "size"), [(0, 3), (4, 3), (-1, 3), (3, 4)])
def test_no_empty_proof_shows_growth(old_size, size):
    assert not merkle.verify_consistency(old_size, size, [], merkle.EMPTY, merkle.root(leaves_of(3)))


@given(start=st.integers(0, 12), size=st.integers(0, 64))
def test_a_part_is_made_of_the_complete_subtrees_that_fill_it(start, size):
    # A path's parts begin where a subtree of at least their own size begins.
    start *= 64
    parts = merkle.complete_subtrees((start, start + size))
    leaves = leaves_of(size)
    begins = [end - (1 << level) for end, level in parts]
    assert begins == [start, *(end for end, _ in parts[:-1])][: len(parts)]
    assert sum(1 << level for _, level in parts) == size
    peaks = [merkle.root(leaves[end - (1 << level) - start : end - start]) for end, level in parts]
    assert merkle.folded(peaks) == merkle.root(leaves)
