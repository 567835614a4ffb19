"""Which fault a request suffers."""

import random

import pytest

from jobs.simulator.faults import FaultError, Faults


def faults(*rules: object) -> Faults:
    made = Faults(random.Random(1))
    made.replace(list(rules))
    return made


def kinds(made: Faults, count: int, path: str = "/profile/a", endpoint: str = "character-pets") -> list[str]:
    picked = [made.pick(endpoint, path, "osint") for _ in range(count)]
    return [fault.do if fault else "" for fault in picked]


def test_rule_with_times_applies_so_often_and_then_never() -> None:
    made = faults({"match": "pets", "do": "reset", "times": 2})
    assert kinds(made, 4) == ["reset", "reset", "", ""]
    assert made.report()[0]["applied"] == 2


def test_rules_apply_one_after_the_other_as_a_script() -> None:
    made = faults({"do": "html", "times": 1}, {"do": "cut", "times": 1})
    assert kinds(made, 3) == ["html", "cut", ""]


def test_rule_matches_the_endpoint_or_the_path() -> None:
    made = faults({"match": "^character-pets$", "do": "reset"}, {"match": "/item/19", "do": "html"})
    assert kinds(made, 1) == ["reset"]
    assert kinds(made, 1, "/data/wow/item/19", "item") == ["html"]
    assert kinds(made, 1, "/data/wow/item/20", "item") == [""]


def test_share_hits_about_that_share_of_requests() -> None:
    hit = kinds(faults({"do": "status", "status": 503, "share": 0.1}), 2000).count("status")
    assert 140 < hit < 260


def test_sticky_share_hits_the_same_paths_each_time() -> None:
    made = faults({"do": "empty404", "share": 0.5, "sticky": True})
    first = [kinds(made, 1, f"/profile/{n}") for n in range(50)]
    assert first == [kinds(made, 1, f"/profile/{n}") for n in range(50)]
    assert ["empty404"] in first
    assert [""] in first


def test_rule_for_a_client_leaves_the_others_alone() -> None:
    made = faults({"do": "status", "status": 403, "client": "dma"})
    assert made.pick("item", "/data/wow/item/1", "osint") is None
    assert made.pick("item", "/data/wow/item/1", "dma") is not None


@pytest.mark.parametrize(
    "rules", [{"do": "reset"}, [{"do": "explode"}], [{"do": "cut", "match": "("}], [{"do": "cut", "x": 1}]]
)
def test_rules_that_are_not_understood_leave_the_old_ones_in_force(rules: object) -> None:
    made = faults({"do": "reset"})
    with pytest.raises(FaultError):
        made.replace(rules)
    assert kinds(made, 1) == ["reset"]
