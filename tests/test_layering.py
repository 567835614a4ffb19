"""Which package may import which: the table of ARCHITECTURE.md, held."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent

# package → packages it may import besides itself; wings of one floor do not see each other.
ALLOWED = {
    "supervisor.core": set(),
    "supervisor.settings": {"supervisor.core"},
    "supervisor.limiter": {"supervisor.core", "supervisor.settings"},
    "supervisor.pools": {"supervisor.core", "supervisor.settings"},
    "supervisor.database": {"supervisor.core", "supervisor.settings"},
    "supervisor.worker": {"supervisor.core"},
    "supervisor.control": {
        "supervisor",
        "supervisor.core",
        "supervisor.settings",
        "supervisor.limiter",
        "supervisor.pools",
        "supervisor.database",
    },
    "supervisor.daemon": {
        "supervisor.core",
        "supervisor.settings",
        "supervisor.limiter",
        "supervisor.pools",
        "supervisor.database",
        "supervisor.control",
    },
    "supervisor.cli": {
        "supervisor",  # the version
        "supervisor.core",
        "supervisor.settings",
        "supervisor.limiter",
        "supervisor.pools",
        "supervisor.database",
        "supervisor.worker",
        "supervisor.control",
        "supervisor.daemon",
    },
    "supervisor": set(),
    "jobs": {"supervisor.worker.sdk", "supervisor.core"},
    "jobs.simulator": set(),
}


def package_of(module: str) -> str:
    known = [name for name in ALLOWED if module == name or module.startswith(name + ".")]
    return max(known, key=len) if known else ""


def imports_of(path: Path) -> list[tuple[str, ast.stmt]]:
    found: list[tuple[str, ast.stmt]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, node))
    return found


def modules() -> list[tuple[str, Path]]:
    paths = [*ROOT.glob("supervisor/**/*.py"), *ROOT.glob("jobs/**/*.py")]
    return [(".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), p) for p in paths]


def test_packages_import_only_what_the_table_allows() -> None:
    wrong = []
    for module, path in modules():
        owner = package_of(module)
        for imported, node in imports_of(path):
            target = package_of(imported)
            if not target or target == owner:
                continue
            allowed = ALLOWED[owner]
            if target not in allowed and imported not in allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} imports {imported}")
    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    names = {name for name, _ in modules()}
    edges = {name: {i for i, _ in imports_of(path) if i in names and i != name} for name, path in modules()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail, name))
        if name not in done:
            for target in edges[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())
