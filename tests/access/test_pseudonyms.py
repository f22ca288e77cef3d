from __future__ import annotations

import pytest

from ecluse.access import load_pseudonym_key, new_pseudonym_key
from ecluse.errors import DefinitionError
from ecluse.project import Project


def project(tmp_path, *, makes_keys):
    return Project(tmp_path, "p", "demo", "demo", "sqlite://", tmp_path / "state", makes_keys=makes_keys)


def test_a_demo_makes_its_key_once(tmp_path):
    here = project(tmp_path, makes_keys=True)
    key = load_pseudonym_key(here)
    assert len(key) == 32
    assert load_pseudonym_key(here) == key
    assert (here.keys / "pseudonym.key").stat().st_mode & 0o077 == 0
    assert [p.name for p in here.keys.iterdir()] == ["pseudonym.key"]


def test_a_key_that_is_there_stays(tmp_path):
    path = new_pseudonym_key(tmp_path)
    before = path.read_text()
    assert new_pseudonym_key(tmp_path).read_text() == before


def test_elsewhere_a_missing_key_is_an_error(tmp_path):
    with pytest.raises(DefinitionError, match="does not exist"):
        load_pseudonym_key(project(tmp_path, makes_keys=False))


@pytest.mark.parametrize(
    ("content", "mode", "key"),
    [
        (b"00ff", 0o600, "damaged_key"),
        (b"zz" * 32, 0o600, "damaged_key"),
        (b"\xff", 0o600, "damaged_key"),
        (b"00" * 32, 0o644, "open_key"),
    ],
)
def test_a_damaged_or_open_key_is_an_error(tmp_path, content, mode, key):
    here = project(tmp_path, makes_keys=False)
    path = new_pseudonym_key(here.keys)
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(DefinitionError) as caught:
        load_pseudonym_key(here)
    assert caught.value.key == f"access.{key}"
    assert str(caught.value)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DefinitionError, match="can't be written"):
        new_pseudonym_key(tmp_path / "file")
