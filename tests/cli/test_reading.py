"""Commands that read a project which published: what they show, to people and to machines."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.conftest import change


def test_status_counts_what_is_published(built, call):
    found = {s["dataset"]: s for s in call("--project", built, "status", "--json").json}
    assert (found["clean.orders"]["rows"], found["clean.orders"]["quarantined"]) == (9, 1)
    assert (found["clean.orders"]["version"], found["clean.orders"]["blocked"]) == ("1.0.0", [])


def test_status_is_a_table_for_people(built, call):
    shown = call("--project", built, "status")
    assert shown.code == 0
    assert "clean.orders" in shown.out
    assert "Quarantined" in shown.out


def test_status_of_a_project_that_never_ran_says_what_to_do(tmp_path, call):
    assert call("init", tmp_path / "new").code == 0
    assert "ecluse run" in call("--project", tmp_path / "new", "status").out


def test_quarantined_rows_are_shown_without_personal_values(built, call):
    (row,) = call("--project", built, "quarantine", "show", "clean.orders", "--json").json
    assert (row["order_id"], row["amount"], row["customer"]) == (1006, -31.0, "•••")
    assert row["_broke"] == "column_values_to_be_between__amount"


def test_quarantine_is_counted_by_check(built, call):
    (found,) = call("--project", built, "quarantine", "list", "clean.orders", "--json").json
    assert (found["check"], found["rows"]) == ("column_values_to_be_between__amount", 1)


def test_rows_that_broke_another_check_are_not_shown(built, call):
    assert call("--project", built, "quarantine", "show", "clean.orders", "--check", "other", "--json").json == []


@pytest.mark.parametrize(
    "command", [("why",), ("report",), ("quarantine", "list"), ("quarantine", "show"), ("release", "list")]
)
def test_a_dataset_that_there_is_not_is_named_with_those_that_there_are(built, tmp_path, call, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    shown = call("--project", built, *command, "clean.ordres")
    assert (shown.code, list(tmp_path.iterdir())) == (2, [])
    assert shown.err.startswith("clean.ordres was asked for.")
    assert "clean.orders, raw.orders" in shown.err


def test_where_nothing_was_released_the_list_says_how_to_begin(built, call):
    shown = call("--project", built, "release", "list", "raw.orders")
    assert (shown.code, "Try: ecluse release create raw.orders" in shown.out) == (0, True)
    assert call("--project", built, "release", "list", "raw.orders", "--json").json == []


def test_a_dataset_that_was_blocked_from_the_first_run_on_is_known(broken, call):
    folder, _ = broken
    assert call("--project", folder, "quarantine", "show", "clean.orders").code == 0


def test_why_gives_every_reason_and_the_next_command(built, call):
    shown = call("--project", built, "why", "clean.orders", "--purpose", "first-look")
    assert shown.code == 3
    assert "REFUSED" in shown.out
    assert "data-valid" in shown.out
    assert "ecluse approve clean.orders --version 1.0.0" in shown.out


def test_why_speaks_french(built, call):
    assert "REFUSÉ" in call("--lang", "fr", "--project", built, "why", "clean.orders", "--purpose", "first-look").out


def test_why_names_a_prohibited_purpose(built, call):
    shown = call("--project", built, "why", "clean.orders", "--purpose", "customer-scoring", "--json")
    assert "purpose_prohibited" in {r["key"] for r in shown.json["purposes"][0]["reasons"]}


def test_why_says_what_load_would_say_of_unreleased_data(at, call):
    asked = (*at, "why", "clean.orders", "--purpose", "first-look", "--phase", "poc")
    closed = call(*asked)
    assert (closed.code, "unreleased: true" in closed.out) == (3, True)
    change(at, "personal: pseudonym}\n", "personal: pseudonym}\n    unreleased: true\n")
    opened = call(*asked)
    assert (opened.code, "clean.orders unreleased for first-look: OPEN" in opened.out) == (0, True)
    assert call(*asked, "--version", "1.0.0").code == 2


def test_why_of_an_unknown_dataset_names_the_known_ones(built, call):
    shown = call("--project", built, "why", "clean.nothing")
    assert shown.code == 2
    assert "clean.orders, raw.orders" in shown.err


def test_a_release_shows_what_it_was_made_from(built, call):
    found = call("--project", built, "release", "show", "clean.orders", "--json").json
    assert [p["dataset"] for p in found["manifest"]["products"]] == ["clean.orders"]
    assert [i["dataset"] for i in found["manifest"]["inputs"]] == ["raw.orders"]
    assert found["decisions"] == []


def test_releases_are_listed(built, call):
    (found,) = call("--project", built, "release", "list", "--json").json
    assert (found["dataset"], found["version"], found["rows"]) == ("clean.orders", "1.0.0", 9)


def test_an_unknown_release_says_where_to_look(built, call):
    shown = call("--project", built, "release", "show", "clean.orders", "--version", "9")
    assert (shown.code, "ecluse release list clean.orders" in shown.err) == (2, True)


def test_lineage_leads_back_to_the_file(built, call):
    found = call("--project", built, "lineage", "upstream", "clean.orders", "--json").json
    assert [n["id"] for n in found["nodes"] if n["kind"] == "table"] == ["clean.orders", "raw.orders"]
    assert any(n["kind"] == "file" for n in found["nodes"])


def test_lineage_of_a_column_leads_to_its_origin(built, call):
    shown = call("--project", built, "lineage", "column", "clean.orders", "day")
    assert "raw.orders.ordered_at" in shown.out
    assert "ordered_at" in shown.out.splitlines()[-1]


def test_a_change_of_a_column_shows_what_it_reaches(built, call):
    found = call("--project", built, "lineage", "column", "raw.orders", "ordered_at", "--impact", "--json").json
    assert {"clean.orders.day", "clean.orders.ordered_at"} <= {f"{r['dataset']}.{r['column']}" for r in found}


def test_events_are_exported_by_day(built, call, tmp_path):
    assert call("--project", built, "lineage", "export", tmp_path / "events").code == 0
    lines = [json.loads(line) for file in (tmp_path / "events").iterdir() for line in file.read_text().splitlines()]
    assert {"START", "COMPLETE"} <= {line["eventType"] for line in lines}


def test_without_a_transport_events_wait(built, call):
    found = call("--project", built, "lineage", "forward", "--json").json
    assert (found["configured"], found["waiting"] > 0) == (False, True)


def test_the_log_holds_and_its_export_does_too(built, call, tmp_path):
    assert call("--project", built, "log", "verify").code == 0
    assert call("--project", built, "log", "export", tmp_path / "log.ndjson").code == 0
    assert call("--project", built, "log", "verify", "--export", tmp_path / "log.ndjson").code == 0


def test_a_log_that_was_cut_off_is_found_by_a_checkpoint(built, call, tmp_path):
    assert call("--project", built, "log", "checkpoint", tmp_path / "kept.json").code == 0
    assert call("--project", built, "log", "verify", "--checkpoint", tmp_path / "kept.json").code == 0
    assert call("--project", built, "log", "export", tmp_path / "log.ndjson").code == 0
    lines = (tmp_path / "log.ndjson").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "log.ndjson").write_text("".join(lines[:-1]), "utf-8")
    cut = call(
        "--project", built, "log", "verify", "--export", tmp_path / "log.ndjson", "--checkpoint", tmp_path / "kept.json"
    )
    assert (cut.code, "Try:" in cut.err) == (2, True)


def test_a_log_is_verified_from_a_checkpoint_on(built, call, tmp_path):
    assert call("--project", built, "log", "checkpoint", tmp_path / "kept.json").code == 0
    shown = call("--project", built, "log", "verify", "--from", tmp_path / "kept.json")
    assert (shown.code, "were not verified again" in shown.out) == (0, True)
    whole = call("--project", built, "log", "verify", "--json").json
    found = call("--project", built, "log", "verify", "--from", tmp_path / "kept.json", "--json").json
    assert whole == {**found, "vouched": 0}
    assert found["vouched"] == found["size"]
    assert call("--project", built, "log", "export", tmp_path / "log.ndjson").code == 0
    exported = call(
        "--project",
        built,
        "log",
        "verify",
        "--export",
        tmp_path / "log.ndjson",
        "--from",
        tmp_path / "kept.json",
        "--json",
    )
    assert exported.json == found


@pytest.mark.parametrize("content", ["", "{}", "[]", "[" * 100_000], ids=["empty", "no envelope", "a list", "deep"])
@pytest.mark.parametrize("option", ["--from", "--checkpoint"])
def test_a_file_that_is_no_checkpoint_is_named(built, call, tmp_path, option, content):
    file = tmp_path / "kept.json"
    file.write_text(content)
    shown = call("--project", built, "log", "verify", option, file)
    assert (shown.code, f"{file} can't be read as a checkpoint" in " ".join(shown.err.split())) == (2, True)


def test_facts_are_listed_by_kind(built, call):
    (found,) = call("--project", built, "log", "list", "--kind", "release", "--json").json
    assert (found["kind"], found["about"], found["signer"]) == ("release", "clean.orders@1.0.0", "s-pipeline")


def test_keys_are_listed_with_whether_they_count(built, call):
    found = call("--project", built, "key", "list", "--json").json
    assert {"s-pipeline", "p-1d5c"} <= {k["party"] for k in found if k["counts"]}


def test_the_doctor_finds_no_fault(built, call):
    shown = call("--project", built, "doctor", "--json")
    assert shown.code == 0
    found = {f["name"]: f["state"] for f in shown.json}
    assert (found["charter"], found["log"], found["keys"]) == ("good",) * 3
    # This process may write the tables and the catalog, so it may go around the door: worth a note.
    assert (found["warehouse"], found["database"]) == ("note", "note")


def test_the_doctor_notes_that_who_can_read_the_files_needs_no_grant(built, call, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: mode == os.R_OK)
    found = {f["name"]: f for f in call("--project", built, "doctor", "--json").json}
    for name in ("raw", "state"):
        assert (found[name]["state"], "go around the door's grants" in found[name]["detail"]) == ("note", True)
