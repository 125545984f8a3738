"""`queue apply` as whoever runs it sees it: what it prints, how it ends, what it leaves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from reviewqueue.cli import main
from reviewqueue.db import Database
from reviewqueue.queues.models import Queue
from tests.queues.examples import CONTRACT_DOCUMENT, OFFICE
from tests.support.making import make_calendar


@pytest.fixture
def environment(db: Database, tmp_path: Path) -> dict[str, str]:
    return {
        "REVIEWQUEUE_DATABASE_URL": db.url.render_as_string(hide_password=False).replace("+psycopg", ""),
        "REVIEWQUEUE_DATA_DIR": str(tmp_path),
        "REVIEWQUEUE_SECRET_KEY": "only-for-tests-" + "0" * 32,
    }


def run(environment: dict[str, str], *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["queue", "apply", *arguments], env=environment, input=stdin)


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def names(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Queue.name).order_by(Queue.name)))


ENDS = "deadline: {after: 1d, fallback: reject}"
WARNING = (
    "  warning: policy.deadline: there is none, so an app waits without end for an item that nobody decides"
)


def test_it_creates_then_changes_then_finds_nothing_to_do(
    environment: dict[str, str], db: Database, tmp_path: Path
) -> None:
    file = written(tmp_path, "queue.yaml", f"queue: receipts\npolicy: {{{ENDS}}}\n")
    created = run(environment, file)
    assert (created.exit_code, created.stdout) == (0, "receipts: created, policy version 1\n")
    policy = f"{{{ENDS}, lanes: {{autonomous_at: 0.8}}}}"
    written(tmp_path, "queue.yaml", f"queue: receipts\nstage: production\npolicy: {policy}\n")
    changed = run(environment, file)
    assert changed.exit_code == 0
    assert changed.stdout.splitlines() == [
        "receipts: policy version 2",
        '  stage: "mvp" → "production"',
        "  policy.lanes.autonomous_at: null → 0.8",
    ]
    assert run(environment, file).stdout == "receipts: nothing changed\n"
    assert names(db) == ["receipts"]


def test_a_policy_that_is_hardly_meant_is_warned_about_each_time(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = written(tmp_path, "queue.yaml", "queue: receipts")
    assert run(environment, file).stdout.splitlines()[1:] == [WARNING]
    assert run(environment, file).stdout.splitlines() == ["receipts: nothing changed", WARNING]


def test_it_takes_several_files_and_standard_input(
    environment: dict[str, str], db: Database, tmp_path: Path
) -> None:
    make_calendar(db, OFFICE)
    one = written(tmp_path, "one.yaml", CONTRACT_DOCUMENT)
    two = written(tmp_path, "two.json", '{"queue": "two"}')
    assert run(environment, one, two, "-", stdin="queue: three").exit_code == 0
    assert names(db) == ["receipt-extraction", "three", "two"]


def test_a_mistake_in_one_file_changes_nothing_and_names_file_and_key(
    environment: dict[str, str], db: Database, tmp_path: Path
) -> None:
    good = written(tmp_path, "good.yaml", "queue: good")
    bad = written(tmp_path, "bad.yaml", "queue: bad\npolicy: {lanes: {autonomus_at: 0.9}}")
    ended = run(environment, good, bad)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "bad.yaml" in ended.stderr
    assert ended.stderr.count("autonomus_at; did you mean autonomous_at?") == 1
    assert names(db) == []


@pytest.mark.parametrize("arguments", [[], ["no-such-file.yaml"], ["--what"]])
def test_wrong_usage_ends_with_2(environment: dict[str, str], arguments: list[str]) -> None:
    assert run(environment, *arguments).exit_code == 2


def test_its_help_has_an_example(environment: dict[str, str]) -> None:
    assert "reviewqueue queue apply queues/receipts.yaml" in run(environment, "--help").stdout


def test_queues_are_listed_with_what_waits(environment: dict[str, str], db: Database, tmp_path: Path) -> None:
    file = written(tmp_path, "queue.yaml", "queue: receipts\ntitle: Receipt extraction\nstage: production\n")
    run(environment, file, written(tmp_path, "other.yaml", "queue: contracts\n"))
    lines = "".join(f'{{"queue": "receipts", "input": {n}}}\n' for n in range(3))
    CliRunner().invoke(main, ["items", "import", "-"], env=environment, input=lines)
    listed = CliRunner().invoke(main, ["queue", "list"], env=environment)
    assert [re.split(r"  +", line) for line in listed.stdout.splitlines()] == [
        ["NAME", "TITLE", "STAGE", "POLICY", "WAITING"],
        ["contracts", "Contracts", "mvp", "1", "0"],
        ["receipts", "Receipt extraction", "production", "1", "3"],
    ]
    assert "Example: reviewqueue queue list" in CliRunner().invoke(main, ["queue", "list", "--help"]).stdout
