"""Who may import whom: house.md's rules, held by reading the imports.

Imports under TYPE_CHECKING are read too, unless said otherwise: a name in a signature is knowledge of the other room.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reviewqueue.resources import PACKAGE

# A feature may import those further down, and itself. Features on one line do not know each other.
FLOORS = (
    ("demo",),
    ("insights", "webhooks"),
    ("escalation",),
    ("items",),
    ("notifications", "receipts"),
    ("oncall",),
    ("queues",),
    ("people",),
    ("audit",),
)
FEATURES = {feature for floor in FLOORS for feature in floor}

# The trail is what everyone writes to and lies at the bottom. Who may read it is asked like everywhere else, of
# people and items; so the operations and doors that read it lie above these.
ABOVE_ITEMS = {"audit.operations", "audit.api", "audit.commands", "audit.pages"}

# An item carries its timer, computed from plain values by these pure modules, so there is no circle.
PURE_FOR_ALL = {"escalation.schedule", "escalation.calendars"}

WITHOUT_FLASK = ("models", "states", "routing", "calendars", "schedule", "statistics")
WEB_LIBRARIES = {"flask", "werkzeug", "flask_openapi", "flask_htmx", "jinja2", "jinja2_fragments"}

DOORS = {"api", "pages", "commands"}


@dataclass(frozen=True)
class Module:
    """One file of the package: its dotted name below `reviewqueue`, and everything it imports, dotted too."""

    name: str
    imports: frozenset[str]

    @property
    def feature(self) -> str | None:
        first = self.name.partition(".")[0]
        return first if first in FEATURES else None

    @property
    def part(self) -> str:
        """`models` of `items.models`, `statistics` of `insights.statistics.intervals`."""
        return self.name.split(".")[1] if "." in self.name else ""

    @property
    def is_door(self) -> bool:
        return self.part.partition("_")[0] in DOORS or self.part.rpartition("_")[2] in DOORS

    def imported_modules_of_ours(self) -> Iterator[str]:
        return (name.removeprefix("reviewqueue.") for name in self.imports if name.startswith("reviewqueue."))


def test_the_package_was_read() -> None:
    """Guards the tests below against reading nothing."""
    names = {module.name for module in MODULES}
    assert {"items.models", "audit.guard", "db"} <= names
    assert "reviewqueue.audit.guard.Audited" in next(m for m in MODULES if m.name == "items.models").imports


def test_features_import_only_what_lies_below_them() -> None:
    floor_of = {feature: number for number, floor in enumerate(FLOORS) for feature in floor}
    own_floor = dict.fromkeys(ABOVE_ITEMS, floor_of["escalation"])
    wrong = [
        f"{module.name} imports {other}"
        for module in MODULES
        for other in module.imported_modules_of_ours()
        if module.feature is not None
        and (feature := other.partition(".")[0]) in FEATURES
        and feature != module.feature
        and own_floor.get(other, floor_of[feature]) <= own_floor.get(module.name, floor_of[module.feature])
        and not _is_pure_for_all(other)
    ]
    assert wrong == []


def test_only_doors_and_rendering_know_of_flask() -> None:
    wrong = [
        f"{module.name} imports {name}"
        for module in MODULES
        if module.feature is not None and not module.is_door
        for name in module.imports
        if name.partition(".")[0] in WEB_LIBRARIES
    ]
    assert wrong == []


@pytest.mark.parametrize("part", WITHOUT_FLASK)
def test_pure_modules_reach_no_flask_even_through_others(part: str) -> None:
    wrong = [
        f"{module.name} reaches {name} by {' → '.join(path)}"
        for module in MODULES
        if module.part == part
        for name, path in _reached(module).items()
        if name.partition(".")[0] in WEB_LIBRARIES
    ]
    assert wrong == []


def test_doors_change_nothing_but_through_operations() -> None:
    """A door that could begin a transaction would sooner or later hold a rule that the other doors lack."""
    wrong = [
        f"{module.name} imports {name}"
        for module in MODULES
        if module.is_door and module.feature != "demo"
        for name in module.imports
        if name in {"reviewqueue.transaction.Transaction", "sqlalchemy.orm.Session"}
    ]
    assert wrong == []


def test_adapters_stand_on_the_client_alone() -> None:
    """They run in apps, beside no server. The command is the one door of the server's own."""
    wrong = [
        f"{module.name} imports {other}"
        for module in MODULES
        if module.name.startswith("adapters.") and not module.is_door
        for other in module.imported_modules_of_ours()
        if other.partition(".")[0] not in {"adapters", "client"}
    ]
    assert wrong == []


def test_nothing_but_the_transaction_commits() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in _files()
        if path.name != "transaction.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert wrong == []


def test_time_comes_from_the_clock_alone() -> None:
    tellers = {"now", "utcnow", "today"}
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in _files()
        if path.name != "clock.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in tellers
        and ast.unparse(node.func.value) in {"datetime", "date", "datetime.datetime", "datetime.date"}
    ]
    assert wrong == []


def test_no_file_is_too_long_to_read() -> None:
    long = {str(path.relative_to(PACKAGE)): lines for path in _files() if (lines := _length(path)) > 300}
    assert long == {}


def test_every_module_opens_with_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(PACKAGE))
        for path in _files()
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def _is_pure_for_all(name: str) -> bool:
    return any(name == pure or name.startswith(f"{pure}.") for pure in PURE_FOR_ALL)


def _reached(module: Module) -> dict[str, tuple[str, ...]]:
    """Everything that importing the module brings in, with the way to it."""
    by_name = {f"reviewqueue.{other.name}": other for other in MODULES}
    reached: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[Module, tuple[str, ...]]] = [(module, (module.name,))]
    while waiting:
        current, path = waiting.pop()
        for name in current.imports:
            if name in reached:
                continue
            reached[name] = path
            if (other := by_name.get(name)) is not None:
                waiting.append((other, (*path, other.name)))
    return reached


def _files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


def _length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _modules() -> list[Module]:
    return [Module(_name(path), frozenset(_imports(path))) for path in _files()]


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    package = ["reviewqueue", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


MODULES = _modules()
