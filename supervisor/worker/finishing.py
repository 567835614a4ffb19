"""Turn an outcome into the message that ends a job."""

from supervisor.core.job import ClaimedJob, Discard, Done, Gone, Outcome, Retry, Skipped, Snooze, Unparsed
from supervisor.core.messages.replica_database import Finish
from supervisor.core.messages.replica_supervisor import Outcomes
from supervisor.core.text import printable

MAX_BODY_KEPT_BYTES = 64 * 1024
MAX_TEXT = 2000
MAX_PROBLEM = 100


def name_of(outcome: Outcome) -> Outcomes:
    """Return the outcome's word in tables and metrics."""
    match outcome:
        case Done():
            return "done"
        case Skipped():
            return "skipped"
        case Gone():
            return "gone"
        case Retry():
            return "retry"
        case Snooze():
            return "snooze"
        case Unparsed():
            return "unparsed"
        case Discard():
            return "discard"


def problem_of(outcome: Outcome) -> str:
    """Return what went wrong in words that many jobs share ("character/status: HTTP 503"), "" = nothing did."""
    if isinstance(outcome, Retry | Unparsed | Discard):
        text = outcome.error
    elif isinstance(outcome, Snooze):
        text = outcome.note
    else:
        return ""
    return printable(text.split(": http")[0])[:MAX_PROBLEM]


def finish(call: int, job: ClaimedJob, outcome: Outcome, requests: int) -> Finish:
    """Return the Finish for `outcome`; texts and bodies cut to what is worth keeping."""
    after_s = outcome.after_s if isinstance(outcome, Retry | Snooze) else None
    error = outcome.error if isinstance(outcome, Retry | Unparsed | Discard) else ""
    endpoint, body = (outcome.endpoint, outcome.body) if isinstance(outcome, Unparsed) else ("", b"")
    return Finish(
        call=call,
        job=job.id,
        lease=job.lease,
        outcome=name_of(outcome),
        note=printable(outcome.note)[:MAX_TEXT],
        error=printable(error)[:MAX_TEXT],
        after_s=after_s,
        effects=outcome.effects,
        follow_ups=outcome.follow_ups,
        endpoint=endpoint,
        body=body[:MAX_BODY_KEPT_BYTES],
        requests=requests,
    )
