"""What a job's end says: one word for tables, one phrase for people."""

from supervisor.core.job import Done, Retry, Snooze
from supervisor.worker.finishing import problem_of


def test_problem_is_shared_by_many_jobs_and_names_no_entity() -> None:
    error = "character/status: unreachable: http://127.0.0.1:1/profile/wow/character/draenor/zoé/status (refused)"
    assert problem_of(Retry(error=error)) == "character/status: unreachable"
    assert problem_of(Snooze(after_s=1.0, note="character/pets is braked")) == "character/pets is braked"
    assert problem_of(Done()) == ""
