"""A charter is changed where it stands: one entry more, and every other byte as it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.charteredit import revoke_key
from ecluse.charterfile import load_charter
from ecluse.errors import DefinitionError

ONE, OTHER = "11" * 32, "ab" * 32
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEAD = """\
# Who may do what, and why.
project: shop
problem: "Which orders come back?"   # asked in March
phase: proof
phases: [proof]
purposes: []
gates: [{phase: proof}]
parties:
"""


def written(folder, parties: str):
    path = folder / "charter.yaml"
    path.write_text(HEAD + parties, "utf-8", newline="")
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"  - {{id: p-1, keys: [{{public: '{ONE}', since: 2026-01-01}}]}}  # hers\n",
            f"  - {{id: p-1, keys: [{{public: '{ONE}', since: 2026-01-01, revoked: 2026-11-20T12:00:00+00:00}}]}}  # hers\n",
        ),
        (
            f"  - id: p-1\n    keys:\n      - public: '{ONE}'\n        since: 2026-01-01  # the old one\n  - id: p-2\n",
            (
                f"  - id: p-1\n    keys:\n      - public: '{ONE}'\n        since: 2026-01-01  # the old one\n"
                "        revoked: 2026-11-20T12:00:00+00:00\n  - id: p-2\n"
            ),
        ),
        (
            f"  - id: p-1\n    keys:\n    - since: 2026-01-01\n      public: '{ONE}'",
            (
                f"  - id: p-1\n    keys:\n    - since: 2026-01-01\n      public: '{ONE}'"
                "\n      revoked: 2026-11-20T12:00:00+00:00"
            ),
        ),
        (
            f"  - id: p-1\r\n    keys:\r\n      - public: '{ONE}'\r\n        since: 2026-01-01\r\n  - id: p-2\r\n",
            (
                f"  - id: p-1\r\n    keys:\r\n      - public: '{ONE}'\r\n        since: 2026-01-01\r\n"
                "        revoked: 2026-11-20T12:00:00+00:00\r\n  - id: p-2\r\n"
            ),
        ),
    ],
    ids=["in one line", "in lines with a comment", "at the file's end", "with the line ends of another system"],
)
def test_one_entry_is_added_and_nothing_else_changes(tmp_path, before, after):
    path = written(tmp_path, before)
    path.chmod(0o640)
    charter = revoke_key(path, ONE, AT)
    assert path.read_bytes() == (HEAD + after).encode()
    assert charter.parties[0].keys[0].revoked == AT
    assert charter == load_charter(path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["charter.yaml"]


@given(comments=st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])), min_size=3, max_size=3))
def test_no_comment_is_lost_or_moved(tmp_path_factory, comments):
    one, two, three = ("# " + comment for comment in comments)
    parties = f"  - id: p-1  {one}\n    keys:\n      - public: '{ONE}'  {two}\n        since: 2026-01-01  {three}\n"
    path = written(tmp_path_factory.mktemp("charter"), parties)
    revoke_key(path, ONE, AT)
    assert path.read_text("utf-8") == HEAD + parties + "        revoked: 2026-11-20T12:00:00+00:00\n"


@pytest.mark.parametrize(
    ("parties", "key"),
    [
        (f"  - {{id: p-1, keys: [{{public: '{OTHER}', since: 2026-01-01}}]}}", "key_not_listed"),
        (f"  - {{id: p-1, keys: [{{public: '{ONE}', since: 2026-01-01, revoked: 2026-02-01}}]}}", "key_revoked"),
        (
            (
                f"  - id: p-1\n    keys: [&k {{public: '{ONE}', since: &t 2026-01-01}}]\n    roles: [{{name: a, since: *t}}]\n"
                f"  - id: p-2\n    keys: [{{<<: *k, public: '{OTHER}'}}]"
            ),
            "not_editable",
        ),
    ],
)
def test_what_cannot_be_revoked_is_explained_and_left_as_it_is(tmp_path, parties, key):
    path = written(tmp_path, parties)
    before = path.read_bytes()
    with pytest.raises(DefinitionError) as caught:
        revoke_key(path, ONE, AT)
    assert caught.value.key == f"charter.{key}"
    assert path.read_bytes() == before
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path):
    path = written(tmp_path, f"  - {{id: p-1, keys: [{{public: '{ONE}', since: 2026-01-01}}]}}")
    (tmp_path / ".charter.yaml.new").mkdir()
    with pytest.raises(DefinitionError, match="can't be written"):
        revoke_key(path, ONE, AT)
