"""Soak: `scripts/soak --minutes N [--seed S]`. Exit code 0 = clean, 1 = findings, with one line for each."""

import shutil
import signal
import sys
import time
from pathlib import Path

from scripts.soaking import course, reporting
from scripts.soaking.judging import judge
from scripts.soaking.plan import Plan, parse

FOLDERS = Path("var/soak")


def main(arguments: list[str]) -> int:
    plan = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    folder = _folder(plan)
    print(f"soak of {plan.seconds / 60:g} minutes; again with --minutes {plan.seconds / 60:g} --seed {plan.seed}")
    began = time.monotonic()
    seen = course.run(plan, folder)
    verdicts = judge(seen)
    text = reporting.report(seen, verdicts, time.monotonic() - began)
    print(text)
    if plan.report is not None:
        reporting.put(plan.report, text)
    findings = [f"{name}: {finding}" for name, found in verdicts.items() for finding in found]
    for finding in findings:
        print(f"FINDING {finding}", file=sys.stderr)
    if findings:
        print(f"everything that this run left is in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


def _folder(plan: Plan) -> Path:
    """Return a new folder on the working disk (not a tmpfs: fsync must cost what it costs)."""
    folder = FOLDERS / f"seed-{plan.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder.absolute()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
