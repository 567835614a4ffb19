"""A soak that saw nothing is not clean."""

from pathlib import Path

from scripts.soaking.course import Seen
from scripts.soaking.judging import judge
from scripts.soaking.plan import parse
from tests.soaking.tables import state


def test_soak_that_saw_nothing_is_not_clean(tmp_path: Path) -> None:
    broken, unbroken = tmp_path / "broken", tmp_path / "unbroken"
    for folder in (broken, unbroken):
        state(folder / "state")
    for name in ("run", "temporary"):
        (broken / name).mkdir()
    (broken / "supervisor.log").touch()
    seen = Seen(plan=parse([]), broken=broken, unbroken=unbroken, marker=str(broken / "temporary"))
    seen.statistics = {"clients": {}}
    verdicts = judge(seen)
    assert verdicts["the course itself went as planned"] == [
        "nobody watched the memory of the supervisor",
        "nobody watched the memory of the database",
        "no page was read for secrets",
        "no job was acknowledged",
    ]
    assert len(verdicts["rows and history equal the run without faults"]) == 10
    assert verdicts["descriptors at rest are as many as before"] == ["no descriptors were counted"]
    assert verdicts["no process outlives the drain"] == []
