"""``ecluse profile`` from outside: files, folders, datasets, the page, and what is kept of it."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.parquet"
    pq.write_table(pa.table({"id": range(40), "state": ["open", "paid"] * 20, "size": [None, *range(39)]}), path)
    return path


def test_a_profile_is_a_table_for_people(orders, call):
    shown = call("profile", orders)
    assert shown.code == 0
    for part in ("orders: 40 rows", "state", "open 50", "97.5", "Keys: id."):
        assert part in shown.out


def test_a_profile_is_json_for_machines(orders, call):
    (table,) = call("profile", orders, "--json").json["tables"]
    assert (table["rows"], table["keys"], table["columns"][2]["present"]) == (40, [["id"]], 39)
    assert table["columns"][0]["remarks"][0]["key"] == "key"


def test_the_page_is_in_the_language_that_was_asked_for(orders, call, tmp_path):
    page = tmp_path / "profile.html"
    assert call("profile", orders, "-o", page, "--lang", "fr").code == 0
    assert "Colonne par colonne" in page.read_text("utf-8")


def test_a_folder_of_files_is_one_table(orders, call, tmp_path):
    folder = tmp_path / "months"
    folder.mkdir()
    for month in ("01", "02"):
        shutil.copy(orders, folder / f"{month}.parquet")
    (table,) = call("profile", folder, "--json").json["tables"]
    assert (table["name"], table["rows"], table["duplicates"]) == ("months", 80, 40)


def test_files_are_looked_at_together(orders, call, tmp_path):
    lines = tmp_path / "lines.csv"
    lines.write_text("line,orders_id\n" + "".join(f"{i},{i % 30}\n" for i in range(90)))
    (found,) = call("profile", orders, lines, "--json").json["references"]
    assert (found["table"], found["column"], found["to_table"], found["to_column"]) == (
        "lines",
        "orders_id",
        "orders",
        "id",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.parquet"], "no file at nowhere.parquet"),
        (["{folder}"], "holds no data file"),
        (["{file}", "--record"], "orders was to be kept as evidence"),
        (["{file}", "--memory-limit", "much"], "memory_limit"),
    ],
)
def test_mistakes_say_what_to_try(orders, call, tmp_path, arguments, told):
    (tmp_path / "empty").mkdir()
    filled = [a.format(folder=tmp_path / "empty", file=orders) for a in arguments]
    ended = call("profile", *filled)
    assert ended.code == 2
    assert told in ended.err


def test_what_is_recorded_of_a_dataset_are_counts_and_public_values(built, call, tmp_path):
    project = tmp_path / "orders"
    shutil.copytree(built, project)
    done = call("--project", project, "profile", "clean.orders", "--record", "--json")
    assert done.code == 0, done.err
    columns = {c["name"]: c for c in done.json["tables"][0]["columns"]}
    assert (columns["customer"]["withheld"], columns["customer"]["present"]) == (True, 9)
    assert "_origin" not in columns
    exported = tmp_path / "log.ndjson"
    assert call("--project", project, "log", "export", exported).code == 0
    (kept,) = [line for line in exported.read_text("utf-8").splitlines() if _about(line) == "profile"]
    said = _statement(kept)["predicate"]
    assert (said["dataset"], said["rows"], said["keys"]) == ("clean.orders", 9, [["order_id"], ["ordered_at"]])
    assert all("minimum" not in column for column in said["columns"] if column["classification"] != "public")
    assert call("--project", project, "log", "verify").code == 0


def _statement(line):
    import base64

    envelope = json.loads(line)
    envelope = envelope.get("envelope", envelope)
    return json.loads(base64.b64decode(envelope["payload"]))


def _about(line):
    return _statement(line)["predicate"].get("about")
