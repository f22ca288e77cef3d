from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import ecluse.gate
from ecluse import texts
from ecluse.model.charter import Approval, Gate, Grant, Key, Purpose, Role
from ecluse.model.release import DataFile, TableVersion
from tests.gate.world import (
    CHARTER,
    FILES,
    MANIFEST,
    NOW,
    PRODUCT,
    World,
    decision,
    key,
    kpi,
    public,
    publication,
    release_subjects,
    released,
    report,
)


def changed(party_id: str, **fields):
    parties = tuple(replace(p, **fields) if p.id == party_id else p for p in CHARTER.parties)
    return replace(CHARTER, parties=parties)


def test_opens_when_nothing_speaks_against_it():
    found = World.open().judge()
    assert found.reasons == ()
    assert found.opens
    assert found.approvals == (5, 6)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"purpose": "advertising"}, ["purpose_unknown", "reader_without_grant"]),
        ({"purpose": "surveillance"}, ["purpose_prohibited"]),
        ({"purpose": "maintenance"}, ["purpose_other_dataset", "reader_without_grant"]),
        ({"release": None, "version": None}, ["release_apart"]),
        ({"release": None, "version": None, "dataset": "products.weather"}, ["release_none"]),
        ({"release": None}, ["release_apart"]),
        ({"release": None, "version": ""}, ["release_missing"]),
        ({"release": None, "version": "9.0.0"}, ["release_missing"]),
        ({"release": "0" * 64}, ["release_missing"]),
        ({"version": "2.0.0"}, ["release_other_version"]),
        ({"dataset": "products.other"}, ["release_without_dataset"]),
        ({"reader": None}, ["reader_unknown"]),
        ({"reader": "eve"}, ["reader_unknown"]),
        ({"reader": "guest"}, ["reader_without_grant"]),
    ],
)
def test_refuses_what_the_request_may_not_ask(change, expected):
    assert World.open().ask(**change).reasons() == expected


def test_refuses_a_phase_that_nobody_gated():
    assert World.open().ask(phase="holiday").reasons() == ["gate_unknown"]


def test_refuses_a_phase_beyond_the_current_one():
    assert World.open().ask(phase="business").reasons() == ["phase_ahead"]


def test_lists_every_reason_at_once():
    world = World.open().add(report("broken")).add(kpi(0.5)).ask(purpose="advertising", reader="guest")
    world.now = datetime(2026, 7, 1, tzinfo=UTC)
    assert [k for k in world.reasons() if not k.startswith(("check_", "freshness_"))] == [
        "purpose_unknown",
        "unmet_checks_broken",
        "unmet_freshness_broken",
        "unmet_kpi",
        "approval_missing",
        "approval_expired",
        "approval_missing",
        "approval_expired",
        "reader_without_grant",
    ]


def test_warns_of_a_reader_whom_no_key_proves():
    found = World.open().ask(authenticated=False).judge()
    assert found.opens
    assert [w.key for w in found.warnings] == ["reader_unauthenticated"]


# -- the release --------------------------------------------------------------------------------------------------


def test_refuses_a_release_that_nobody_may_have_made():
    world = World.open().without("release")
    assert "release_unattested" in world.add(released(who="ana")).reasons()


def test_refuses_a_release_whose_manifest_was_swapped():
    world = World.open().without("release")
    world.add(
        (
            "release",
            "pipeline",
            {"manifest": replace(MANIFEST, version="1.0.1").to_json(), "subjects": release_subjects(MANIFEST)},
        )
    )
    assert world.reasons() == ["release_missing"]


@pytest.mark.parametrize("elsewhere", [{"environment": "prod"}, {"project": "trains"}])
def test_refuses_a_release_of_another_project_or_environment(elsewhere):
    keys = World.open().ask(**elsewhere).reasons()
    assert {"release_elsewhere", "release_unattested"} <= set(keys)


def test_refuses_what_was_withdrawn_for_ever():
    world = World.open().add(decision(CHARTER, "bob", "data-valid", verdict="withdrawn", reason="label leak"))
    world.add(decision(CHARTER, "bob", "data-valid"))
    assert world.reasons() == ["withdrawn"]
    assert "label leak" in world.judge().reasons[0].text()


def test_refuses_a_standing_rejection_until_the_same_person_changes_the_answer():
    world = World.open().add(decision(CHARTER, "guest", "data-valid", verdict="rejected"))
    assert world.reasons() == ["rejected"]
    world.add(decision(CHARTER, "ana", "data-valid"))
    assert world.reasons() == ["rejected"]
    world.add(decision(CHARTER, "guest", "data-valid"))
    assert world.reasons() == []


def test_a_rejection_in_a_later_phase_leaves_earlier_ones_open():
    world = World.open().add(decision(CHARTER, "ana", "scale", verdict="rejected", phase="industrial"))
    assert world.judge().opens


def test_strangers_stop_nothing():
    world = World.open(charter=CHARTER).add(decision(CHARTER, "stranger", "data-valid", verdict="withdrawn"))
    assert world.judge().opens


# -- criteria -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            report("broken"),
            [
                "unmet_checks_broken",
                "check_broken_by_rows",
                "check_broken_by_rows",
                "unmet_freshness_broken",
                "freshness_not_held",
            ],
        ),
        (
            report("not_computed"),
            [
                "unmet_checks_broken",
                "check_not_computed",
                "check_not_computed",
                "unmet_freshness_broken",
                "freshness_not_held",
            ],
        ),
        (report("broken", files=FILES[:1], on="candidate", checks=[]), ["unmet_checks_broken", "report_not_held"]),
        (report(accounting_outcome="not_computed"), ["unmet_checks_broken", "accounting_not_held"]),
        (kpi(0.64), ["unmet_kpi"]),
        (publication(accounting={"computed": 100, "quarantined": 11}), ["unmet_quarantine_share"]),
        (publication(accounting=None), ["not_computed_quarantine_share", "accounting_missing"]),
        (publication("clean.flights", (), licence=" "), ["unmet_sources_unlicensed", "source_unlicensed"]),
        (publication(files=(), suite_digest="s2"), ["unmet_suite_stale", "suite_stale"]),
    ],
)
def test_newer_evidence_closes_the_door_again(added, expected):
    assert World.open().add(added).reasons() == expected


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (("evidence", {"about": "kpi"}), ["not_computed_kpi", "kpi_unobserved"]),
        (("publication", {"dataset": "clean.flights"}), ["unmet_sources_unlicensed", "source_unlicensed"]),
        (("publication", {"dataset": PRODUCT}), ["not_computed_quarantine_share", "files_unpublished"]),
    ],
)
def test_absence_of_evidence_is_a_refusal(missing, expected):
    kind, match = missing
    assert World.open().without(kind, **match).reasons() == expected


def test_every_file_must_have_been_checked():
    world = World.open().without("evidence", about="check-report")
    world.add(report(files=FILES[:1]))
    reasons = world.judge().reasons
    assert [r.key for r in reasons[:2]] == ["not_computed_checks_broken", "files_unchecked"]
    assert (reasons[1].fields["files"], reasons[1].fields["of"]) == (1, 2)


def test_a_release_without_files_was_not_checked():
    empty = replace(MANIFEST, products=(replace(MANIFEST.products[0], files=()),))
    world = World(manifest=empty).ask(release=empty.digest).add(released(empty))
    assert "product_empty" in world.reasons()


def test_a_gate_that_names_no_criterion_still_wants_checked_files():
    bare = replace(CHARTER, gates=(Gate("proof"), *CHARTER.gates[1:]))
    assert World.open(charter=bare).reasons() == []
    assert World.open(charter=bare).without("evidence").reasons() == [
        "not_computed_checks_broken",
        "files_unchecked",
        "not_computed_personal_unclassified",
        "personal_unsought",
    ]


def test_warnings_and_quarantined_rows_do_not_block():
    checks = [
        {"name": "a", "outcome": "broken", "severity": "warning"},
        {"name": "b", "outcome": "broken", "severity": "critical", "quarantined": 4},
        {"name": "c", "outcome": "held", "severity": "critical", "scope": "published"},
    ]
    assert World.open().add(report("held", checks=checks)).reasons() == []


@pytest.mark.parametrize(("waived", "opens"), [(4, True), (3, False), (0, False)])
def test_a_check_blocks_unless_each_row_that_breaks_it_was_released(waived, opens):
    check = {"name": "b", "outcome": "broken", "severity": "critical", "unexpected_count": 4, "waived": waived}
    found = World.open().add(report("held", checks=[check])).reasons()
    assert ("unmet_checks_broken" not in found) is opens


def test_a_weaker_suite_cannot_clear_what_the_suite_of_the_release_found():
    world = World.open().add(report("broken")).add(report(suite_digest="weak"))
    assert "unmet_checks_broken" in world.reasons()
    assert "unmet_checks_broken" not in world.add(report()).reasons()


def test_reports_of_another_dataset_or_by_somebody_who_may_not_attest_count_for_nothing():
    world = World.open().without("evidence", about="check-report")
    world.add(report(who="ana")).add(report(dataset="products.other"))
    assert "files_unchecked" in world.reasons()
    assert World.open().add(report("broken", who="guest")).judge().opens


def test_evidence_of_another_environment_counts_for_nothing():
    world = World.open().without("evidence", about="kpi").add(kpi(0.9), environment="prod")
    assert world.reasons() == ["not_computed_kpi", "kpi_unobserved"]


def test_an_older_release_is_stale_once_its_dataset_is_found_stale():
    grown = (*FILES, DataFile(f"{PRODUCT}/c.parquet", "c" * 64, 1, 1))
    newer = [{"name": "fresh", "outcome": "broken", "severity": "warning", "scope": "published"}]
    world = World.open().add(report(files=grown[2:], checks=newer))
    assert world.reasons() == ["unmet_freshness_broken", "freshness_not_held"]


def test_a_waived_criterion_does_not_refuse_until_it_expires():
    waiver = decision(
        CHARTER, "ana", "", verdict="waived", criterion="auc", expires="2026-03-10", reason="small sample"
    )
    world = World.open().add(kpi(0.1)).add(waiver)
    found = world.judge()
    assert found.opens
    assert [w.key for w in found.warnings] == ["waived"]
    assert "small sample" in found.warnings[0].text()
    world.now = datetime(2026, 3, 10, tzinfo=UTC)
    assert world.reasons() == ["unmet_kpi"]


@pytest.mark.parametrize(
    "void",
    [
        {"criterion": "quality"},
        {"gate_digest": "0" * 64},
        {"phase": "business"},
        {"expires": None},
        {"subjects": ()},
    ],
)
def test_a_waiver_holds_only_for_its_criterion_gate_phase_and_release(void):
    waiver = decision(CHARTER, "ana", "", **{"verdict": "waived", "criterion": "auc", **void})
    assert World.open().add(kpi(0.1)).add(waiver).reasons() == ["unmet_kpi"]


def test_only_somebody_whom_the_gate_asks_may_waive():
    waiver = decision(CHARTER, "guest", "", verdict="waived", criterion="auc")
    assert World.open().add(kpi(0.1)).add(waiver).reasons() == ["unmet_kpi"]


# -- approvals ----------------------------------------------------------------------------------------------------

OTHER = replace(MANIFEST, version="0.9.0")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"expires": "2026-02-28"}, ["approval_expired"]),
        ({"expires": None}, ["approval_endless"]),
        ({"expires": "soon"}, ["approval_endless"]),
        ({"gate_digest": "0" * 64}, ["approval_old_gate"]),
        ({"phase": "business"}, ["approval_other_phase"]),
        ({"seen": 2}, ["approval_too_early"]),
        ({"seen": "all"}, ["approval_too_early"]),
        ({"subjects": release_subjects(OTHER)}, ["approval_other_release"]),
        ({"expires": "2026-02-28", "gate_digest": ""}, ["approval_expired", "approval_old_gate"]),
        ({"question": "data-pretty"}, []),
        ({"verdict": "maybe"}, []),
    ],
)
def test_an_answer_that_does_not_count_is_explained(answer, expected):
    world = World.open().without("decision", question="data-valid")
    world.add(decision(CHARTER, "ana", **{"question": "data-valid", **answer}))
    assert world.reasons() == ["approval_missing", *expected]


def test_a_role_counts_on_the_day_of_the_answer():
    former = changed("ana", roles=(Role("data-steward", date(2026, 1, 1), date(2026, 2, 1)),))
    assert World.open(charter=former).reasons() == ["approval_missing", "approval_wrong_role"]
    left_since = changed("ana", roles=(Role("data-steward", date(2026, 1, 1), date(2026, 2, 25)),))
    assert World.open(charter=left_since).judge().opens


def test_nobody_approves_their_own_work():
    steward = changed("pipeline", roles=(Role("data-steward", date(2026, 1, 1)),))
    world = World.open(charter=steward).without("decision", question="data-valid")
    world.add(decision(steward, "pipeline", "data-valid"))
    assert world.reasons() == ["approval_missing", "approval_by_producer"]


def test_nobody_approves_or_waives_what_their_service_made():
    answering = changed("pipeline", responsible="ana")
    assert World.open(charter=answering).reasons() == ["approval_missing", "approval_by_producer"]
    waiver = decision(answering, "ana", "", verdict="waived", criterion="auc")
    assert "unmet_kpi" in World.open(charter=answering).add(kpi(0.1)).add(waiver).reasons()
    assert "unmet_kpi" not in World.open().add(kpi(0.1)).add(waiver).reasons()


def test_a_key_of_nobody_counts_for_nothing():
    world = World.open().without("decision", question="data-valid").add(decision(CHARTER, "stranger", "data-valid"))
    assert world.reasons() == ["approval_missing", "approval_unknown_key"]


@pytest.mark.parametrize(
    "end",
    [{"revoked": datetime(2026, 2, 1, tzinfo=UTC)}, {"until": datetime(2026, 2, 1)}, {"since": datetime(2026, 4, 1)}],  # noqa: DTZ001
)
def test_a_key_counts_only_while_the_charter_says_so(end):
    limited = changed("ana", keys=(Key(**{"public": public("ana"), "since": datetime(2026, 1, 1, tzinfo=UTC), **end}),))
    assert World.open(charter=limited).reasons() == ["approval_missing", "approval_unknown_key"]


def test_trust_cannot_give_a_listed_key_to_somebody_else():
    world = World.open().without("decision", question="data-valid").add(decision(CHARTER, "guest", "data-valid"))
    assert [r.key for r in world.judge(**{key("guest"): "ana"}).reasons] == ["approval_missing", "approval_unknown_key"]


def test_a_key_made_on_first_use_counts_for_the_party_that_trust_names():
    world = World.open().without("decision", question="data-valid").add(decision(CHARTER, "demo-key", "data-valid"))
    assert world.judge(**{key("demo-key"): "ana"}).opens


def test_a_date_in_the_future_does_not_count():
    world = World.open().without("decision", question="data-valid")
    world.add(decision(CHARTER, "ana", "data-valid"), at=NOW + timedelta(days=1))
    assert world.reasons() == ["approval_missing", "approval_future"]


def test_an_approval_of_another_environment_does_not_count():
    world = World.open().without("decision", question="data-valid")
    world.add(decision(CHARTER, "ana", "data-valid"), environment="prod")
    assert world.reasons() == ["approval_missing", "approval_elsewhere"]


def two_questions(**more):
    gate = Gate("proof", approvals=(Approval("data-valid", "data-steward", **more), Approval("scale", "sponsor")))
    return replace(CHARTER, gates=(gate, *CHARTER.gates[1:]))


def test_one_person_does_not_count_for_two_questions():
    charter = two_questions()
    world = World.open(charter=charter).without("decision")
    world.add(decision(charter, "cleo", "data-valid")).add(decision(charter, "cleo", "scale"))
    assert world.reasons() == ["approval_missing", "approval_same_person"]


def test_people_are_counted_where_they_are_needed():
    charter = two_questions()
    world = World.open(charter=charter).without("decision")
    world.add(decision(charter, "cleo", "data-valid")).add(decision(charter, "cleo", "scale"))
    world.add(decision(charter, "ana", "data-valid"))
    assert world.judge().opens


def test_says_how_many_answers_are_there_and_how_many_are_needed():
    charter = two_questions(count=2)
    world = World.open(charter=charter).without("decision").add(decision(charter, "ana", "data-valid"))
    reasons = world.judge().reasons
    assert [(r.fields["have"], r.fields["need"]) for r in reasons] == [(1, 2), (0, 1)]


def test_the_newest_answer_of_a_person_is_the_one_explained():
    world = World.open().without("decision", question="data-valid")
    for expires in ("2026-02-20", "2026-02-25"):
        world.add(decision(CHARTER, "ana", "data-valid", expires=expires))
    world.add(decision(CHARTER, "ana", "data-valid", subjects=release_subjects(OTHER)))
    reasons = world.judge().reasons
    assert [(r.key, r.fields.get("expires")) for r in reasons[1:]] == [("approval_expired", "2026-02-25")]


# -- the reader ---------------------------------------------------------------------------------------------------


def test_a_grant_ends():
    ended = replace(CHARTER, grants=(replace(CHARTER.grants[0], until=NOW.date()),))
    assert World.open(charter=ended).reasons() == ["grant_expired"]
    assert World.open(charter=replace(CHARTER, grants=(*ended.grants, *CHARTER.grants))).judge().opens


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role("model-builder", date(2026, 1, 1), NOW.date()), "reader_role_ended"),
        (Role("model-builder", date(2026, 4, 1)), "reader_role_future"),
    ],
)
def test_a_role_begins_and_ends(role, expected):
    assert World.open(charter=changed("model", roles=(role,))).reasons() == [expected]


def test_a_purpose_without_datasets_is_not_limited_by_them():
    purposes = (Purpose("delay-prediction", "predict delays"),)
    assert World.open(charter=replace(CHARTER, purposes=purposes)).judge().opens


def test_a_grant_names_its_datasets():
    other = replace(CHARTER, grants=(Grant("model-builder", ("products.delay",), ("delay-prediction",), {}),))
    assert World.open(charter=other).reasons() == ["reader_without_grant"]


def test_release_of_several_products_is_judged_as_a_whole():
    second = TableVersion("products.second", "t2", 12, (DataFile("x", "d" * 64, 1, 1),), "c2", "s2")
    both = replace(MANIFEST, products=(*MANIFEST.products, second))
    world = World.open().ask(release=both.digest).add(released(both))
    assert "files_unchecked" in world.reasons()


def test_every_reason_has_a_text_in_both_languages():
    world = World.open().add(report("broken")).add(kpi(0)).ask(purpose="?", phase="?", reader=None)
    for reason in world.judge().reasons:
        assert reason.text("en") != reason.text("fr")


def test_every_reason_that_the_gate_can_give_is_written():
    english, french = (set(texts.catalogue(lang, "gate")["reasons"]) for lang in ("en", "fr"))
    assert english == french
    source = "".join(p.read_text("utf-8") for p in Path(ecluse.gate.__file__).parent.glob("*.py"))
    given = {f"approval_{k}" for k in re.findall(r'(?:object_to\(|yield )"(\w+)"', source)}
    given |= {k for k in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source) if k in english}
    given |= {k for k in english if k.startswith(("unmet_", "not_computed_"))} | {
        "withdrawn",
        "rejected",
        "waived",
        "killed",
    }
    given |= {"grant_without_columns"}  # the door's own, which knows the columns
    assert given == english
