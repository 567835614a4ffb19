"""Run one benchmark by its name: `scripts/bench NAME [options]`. Exit code 1 = a bar was missed.

A benchmark is a file of this folder with `main(arguments) -> exit code`; the first line of its docstring is what the
list says of it.
"""

import ast
import importlib
import sys
from pathlib import Path


def benchmarks() -> dict[str, str]:
    """Return {name: what it measures}, without importing any."""
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        tree = ast.parse(path.read_text())
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem.replace("_", "-")] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    known = benchmarks()
    if not arguments or arguments[0] not in known:
        print("usage: scripts/bench NAME [options]\n")
        for name, text in known.items():
            print(f"  {name:12} {text}")
        return 2 if arguments and arguments[0] not in ("-h", "--help") else 0
    module = importlib.import_module(f"scripts.benchmarks.{arguments[0].replace('-', '_')}")
    return int(module.main(arguments[1:]))


if __name__ == "__main__":  # processes of a benchmark import this file anew
    sys.exit(main(sys.argv[1:]))
