"""Start here: `gatherer`, `python -m supervisor.cli`, and each of our child processes.

    gatherer COMMAND …          for people (`main.py`)
    gatherer --child NAME …     what `core/program.py` starts: one of CHILDREN

Everything is imported by name, and only then: a child must not pay for the commands.
"""

import importlib
import sys

from supervisor.core.program import CHILD

# Modules with main(arguments) -> exit code.
CHILDREN = {
    "database": "supervisor.database.process",
    "zygote": "supervisor.pools.zygote",
    "simulator": "jobs.simulator.__main__",
}


def main() -> None:
    """Run a command, or be a child, and exit with its code."""
    if getattr(sys, "frozen", False) and _may_be_helper(sys.argv[1:]):
        helper = importlib.import_module("supervisor.cli.frozen")
        if helper.become_helper(sys.argv[1:]):
            return
    if sys.argv[1:2] == [CHILD]:
        _, _, name, *arguments = sys.argv
        sys.exit(importlib.import_module(CHILDREN[name]).main(arguments))
    importlib.import_module("supervisor.cli.main").gatherer(prog_name="gatherer")


def _may_be_helper(arguments: list[str]) -> bool:
    """Tell in no time whether `multiprocessing` may have started us; `frozen.py` knows, but is slow to import."""
    return "-c" in arguments or arguments[:1] == ["--multiprocessing-fork"]


if __name__ == "__main__":
    main()
