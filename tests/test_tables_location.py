"""Where a profile keeps its tables: a folder, or a bucket, and never a credential in a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.errors import DefinitionError
from ecluse.model.location import S3Location
from ecluse.project import Project


def find(folder, settings=""):
    (folder / "charter.yaml").touch()
    (folder / "pyproject.toml").write_text(f"[tool.ecluse.profiles.demo]\n{settings}\n")
    return Project.find(folder, "demo")


def test_tables_lie_in_a_local_folder_unless_the_profile_says_otherwise(tmp_path):
    assert find(tmp_path).warehouse == tmp_path / ".ecluse/demo/warehouse"
    assert find(tmp_path, 'warehouse = "tables"').warehouse == tmp_path / "tables"
    assert find(tmp_path, 'warehouse = "/srv/tables"').warehouse.as_posix() == "/srv/tables"


def test_tables_may_lie_in_a_bucket(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKE", "s3://acme-lake/eu/prod/")
    found = find(
        tmp_path,
        'warehouse = "env:LAKE"\n[tool.ecluse.profiles.demo.s3]\nendpoint = "https://s3.example.org"\nregion = "eu-west-3"\n'
        'cache = "2 GiB"\naccess_key_id = "env:LAKE_KEY"\nsecret_access_key = "env:LAKE_SECRET"',
    ).warehouse
    assert found == S3Location(
        "acme-lake",
        "eu/prod",
        tmp_path / ".ecluse/demo/objects",
        2 * 2**30,
        "https://s3.example.org",
        "eu-west-3",
        (("access_key_id", "LAKE_KEY"), ("secret_access_key", "LAKE_SECRET")),
    )
    assert str(found) == "s3://acme-lake/eu/prod"


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ('warehouse = "env:NOT_SET_ANYWHERE"', "project.place"),
        ('warehouse = "gs://bucket/x"', "project.s3_url"),
        ('warehouse = "s3://"', "project.s3_url"),
        ('warehouse = "s3://B/x"', "project.s3_url"),
        ('warehouse = "s3://bucket/a//b"', "project.s3_url"),
        ('warehouse = "s3://bucket/../b"', "project.s3_url"),
        ('warehouse = "s3://bucket"\ns3 = {regoin = "x"}', "project.s3_setting"),
        ('warehouse = "s3://bucket"\ns3 = {cache = "much"}', "project.s3_cache"),
        ('warehouse = "s3://bucket"\ns3 = {secret_access_key = "hunter2hunter2"}', "project.s3_secret"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path, settings, key):
    with pytest.raises(DefinitionError) as caught:
        find(tmp_path, settings)
    assert caught.value.key == key
    assert "hunter2" not in str(caught.value)


@given(st.lists(st.from_regex(r"[\w=-][\w.=-]*", fullmatch=True).filter(lambda p: p not in (".", "..")), max_size=4))
def test_a_location_is_read_back_as_it_is_written(parts):
    location = S3Location.read("/".join(["s3://bucket", *parts]), {}, "local", "demo")
    assert S3Location.read(str(location), {}, "local", "demo") == location
    assert location.prefix == "/".join(parts)
