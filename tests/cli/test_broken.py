"""A run that was blocked: what it says, and what can be found out about it."""

from __future__ import annotations

from tests.cli.conftest import call_apart


def test_a_blocked_run_ends_with_2_and_says_where_to_ask(broken):
    _, ran = broken
    assert ran.code == 2
    assert "clean.orders: BLOCKED" in ran.out
    assert "ecluse why clean.orders" in ran.out


def test_the_blocked_dataset_is_named_in_the_status(broken, call):
    folder, _ = broken
    found = {s["dataset"]: s["blocked"] for s in call("--project", folder, "status", "--json").json}
    assert found == {"raw.orders": [], "clean.orders": ["all"]}


def test_why_shows_the_reason_three_rows_and_the_next_command(broken):
    folder, _ = broken
    shown = call_apart(folder, "why", "clean.orders").out
    assert "newest run was BLOCKED" in shown
    assert "40.00%" in shown
    rows = shown.split("Rows that broke a promise")[1].split("Try:")[0]
    assert rows.count("column_values_to_be_between__amount") == 3
    assert "-24.9" in rows
    assert "c-17" not in shown
    assert "ecluse candidate show clean.orders/all/" in shown


def test_a_preview_fits_one_screen_and_names_what_would_change(broken):
    folder, _ = broken
    (branch,) = [b["branch"] for b in call_apart(folder, "candidate", "list", "--json").json]
    shown = call_apart(folder, "candidate", "diff", branch)
    assert shown.code == 0, shown.err
    assert len(shown.out.splitlines()) < 24
    assert "by order_id" in shown.out
    assert "column_values_to_be_between__amount" in shown.out
    assert "broken, 4 rows" in shown.out
    assert "-24.9" not in shown.out
    found = call_apart(folder, "candidate", "diff", branch, "--json").json
    assert (found["difference"]["rows_before"], found["difference"]["added"], found["moved"]) == (0, 10, False)


def test_a_candidate_is_published_only_once_its_contract_allows_it(broken):
    folder, _ = broken
    (branch,) = [b["branch"] for b in call_apart(folder, "candidate", "list", "--json").json]
    refused = call_apart(folder, "candidate", "publish", branch)
    assert (refused.code, "40.00%" in refused.out) == (2, True), refused.err
    contract = folder / "expectations/clean/orders/contract.py"
    before = contract.read_text()
    contract.write_text(before.replace("quarantine_at_most=0.2", "quarantine_at_most=0.5"))
    assert contract.read_text() != before
    published = call_apart(folder, "candidate", "publish", branch, "--json")
    contract.write_text(before)
    assert published.code == 0, published.out + published.err
    found = published.json
    assert (found["ending"], found["rows"], found["quarantined"]) == ("published", 6, 4)
    assert call_apart(folder, "candidate", "list", "--json").json == []


def test_quarantined_rows_are_corrected_in_a_file_released_and_dropped(broken, tmp_path):
    folder, _ = broken
    file = tmp_path / "rows.csv"
    shown = call_apart(folder, "quarantine", "show", "clean.orders", "--to", str(file))
    assert shown.code == 0, shown.err
    assert f"ecluse quarantine fix clean.orders {file}" in shown.out
    header, first, second, *others = file.read_text().splitlines()
    assert "customer" not in header.split(",")
    rows = "\n".join([header, first.replace('"-', '"'), second])
    file.write_text(rows + "\n")
    decided = ("--as", "p-1d5c", "--reason", "Typed with the wrong sign.")
    fixed = call_apart(folder, "quarantine", "fix", "clean.orders", str(file), *decided, "--json")
    assert fixed.code == 0, fixed.err
    found = fixed.json
    assert (found["left"], found["stayed"], found["blocks"]) == (1, 1, [])
    name = others[0].split(",")[0].strip('"')
    released = call_apart(folder, "quarantine", "release", "clean.orders", "--row", name, *decided)
    assert (released.code, "They break their checks still" in released.out) == (0, True), released.err
    checked = call_apart(folder, "check", "clean.orders")
    assert "1 rows released from quarantine" in checked.out
    assert "every check holds" not in checked.out
    assert "What doesn't hold: column_values_to_be_between__amount." in checked.out
    assert '"Typed with the wrong sign."' in checked.out
    dropped = call_apart(folder, "quarantine", "drop", "clean.orders", "--all", *decided, "--json")
    assert (dropped.json["left"], dropped.json["move"]) == (2, "dropped")
    (status,) = [s for s in call_apart(folder, "status", "--json").json if s["dataset"] == "clean.orders"]
    assert (status["rows"], status["quarantined"]) == (8, 0)


def test_a_candidate_is_shown_with_its_checks_and_discarded(broken, call):
    folder, _ = broken
    assert call_apart(folder, "run", "clean.orders").code == 2
    listed = call("--project", folder, "candidate", "list", "--json").json
    newest = listed[-1]["branch"]
    shown = call("--project", folder, "candidate", "show", newest, "--json").json
    assert {c["outcome"] for c in shown["checks"] if c["name"] == "column_values_to_be_between__amount"} == {"broken"}
    assert call("--project", folder, "candidate", "discard", newest, "--yes").code == 0
    left = [b["branch"] for b in call("--project", folder, "candidate", "list", "--json").json]
    assert newest not in left
    again = call("--project", folder, "candidate", "show", newest)
    assert (again.code, "ecluse candidate list" in again.err) == (2, True)


def test_a_dry_run_says_what_would_be_and_publishes_nothing(broken, call):
    folder, _ = broken
    before = call("--project", folder, "log", "list", "--json").json
    ran = call_apart(folder, "run", "raw.orders", "--dry-run", "--force", "--json")
    assert [(s["ending"], s["rows"]) for s in ran.json["steps"]] == [("dry_run", 10)]
    assert call("--project", folder, "log", "list", "--json").json == before
