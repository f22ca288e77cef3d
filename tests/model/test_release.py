"""A manifest is read back as it was written, and one that says less keeps the digest that people approved."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ecluse.model.canonical import digest
from ecluse.model.release import DataFile, Input, Manifest, TableVersion

FILES = st.builds(DataFile, st.text(), st.text(), st.integers(0, 2**40), st.integers(0, 2**40), st.none() | st.text())
TABLES = st.builds(
    TableVersion,
    st.text(),
    st.text(),
    st.integers(0, 2**63 - 1),
    st.lists(FILES, max_size=3).map(tuple),
    st.text(),
    st.text(),
    st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
    st.lists(st.text(), max_size=2).map(tuple),
)
MANIFESTS = st.builds(
    Manifest,
    st.text(),
    st.lists(TABLES, max_size=2).map(tuple),
    st.lists(st.builds(Input, st.text(), st.integers(0, 2**63 - 1), st.text()), max_size=2).map(tuple),
    st.text(),
    st.text(),
    st.text(),
)


@given(MANIFESTS)
def test_a_manifest_is_read_back_equal(manifest):
    again = Manifest.from_json(manifest.to_json())
    assert (again, again.digest) == (manifest, manifest.digest)


def test_a_manifest_from_before_columns_were_stated_keeps_its_digest():
    table = TableVersion("products.a", "t", 5, (DataFile("a/1.parquet", "a" * 64, 2, 10),), "c", "s")
    manifest = Manifest("1.0.0", (table,), (), "pipeline", "shop", "prod")
    file = {"path": "a/1.parquet", "sha256": "a" * 64, "rows": 2, "bytes": 10, "partition": None}
    older = {
        "version": "1.0.0",
        "products": [
            {
                "dataset": "products.a",
                "table_uuid": "t",
                "snapshot_id": "5",
                "files": [file],
                "contract_digest": "c",
                "suite_digest": "s",
            }
        ],
        "inputs": [],
        "producer": "pipeline",
        "project": "shop",
        "environment": "prod",
    }
    assert manifest.to_json() == older
    assert Manifest.from_json(older).digest == manifest.digest == digest(older)
    stated = replace(manifest, products=(replace(table, columns=(("id", "BIGINT"),), code_versions=("v",)),))
    assert stated.digest != manifest.digest
