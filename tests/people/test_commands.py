"""`person` and `key`: what they print, where, and with which exit code."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from reviewqueue.cli import main
from reviewqueue.db import Database
from reviewqueue.errors import Unauthenticated
from reviewqueue.people import keys, links
from tests.support.making import make_queue


@pytest.fixture(autouse=True)
def environment(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWQUEUE_DATABASE_URL", db.url.render_as_string(hide_password=False))
    monkeypatch.setenv("REVIEWQUEUE_SECRET_KEY", "only-for-tests")
    make_queue(db, "receipts")


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def test_person_add_prints_a_link_alone_on_stdout(db: Database) -> None:
    result = run("person", "add", "Ada@example.org", "--name", "Ada", "--role", "lead", "--queue", "receipts")
    assert result.exit_code == 0
    link = re.fullmatch(r"http://127\.0\.0\.1:8000/link/([\w-]+)\n", result.stdout)
    assert link is not None
    # The command lives by the machine's clock and the test's stands still in the past, so the link is not over.
    assert links.look_up(db, link[1]).email == "ada@example.org"
    assert "ada@example.org  Ada   lead:receipts  invited" in run("person", "list").stdout


def test_person_add_gives_a_role_in_a_process_that_has_loaded_nothing_else() -> None:
    """The process of these tests has loaded every table, whatever a command loads."""
    command = [sys.executable, "-m", "reviewqueue.cli", "person", "add", "ada@example.org", "--name", "Ada"]
    added = subprocess.run(
        [*command, "--role", "lead", "--queue", "receipts"], capture_output=True, text=True, check=False
    )
    assert (added.returncode, "Traceback" in added.stderr) == (0, False), added.stderr
    assert "lead:receipts" in run("person", "list").stdout


def test_a_lost_link_is_made_anew(db: Database) -> None:
    first = run("person", "add", "ada@example.org", "--name", "Ada").stdout
    again = run("person", "link", "ada@example.org").stdout
    assert again != first
    assert links.look_up(db, again.strip().rpartition("/")[2]).email == "ada@example.org"
    assert run("person", "link", "nobody@example.org").exit_code == 1


def test_person_add_takes_a_password_from_stdin() -> None:
    result = run(
        "person", "add", "ada@example.org", "--name", "Ada", "--admin", "--auditor", "--password-stdin",
        stdin="correct horse battery\n",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "")
    assert "ada@example.org  Ada   admin,auditor  active" in run("person", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("person", "add", "ada@example.org"), 2),
        (("person", "add", "ada@example.org", "--name", "Ada", "--role", "lead"), 2),
        (("person", "add", "ada@example.org", "--name", "Ada", "--role", "king", "--queue", "receipts"), 2),
        (("person", "add", "no address", "--name", "Ada"), 1),
        (("person", "add", "ada@example.org", "--name", "Ada", "--role", "lead", "--queue", "nope"), 1),
        (("person", "disable", "nobody@example.org"), 1),
        (("key", "create", "--name", "app"), 2),
        (("key", "create", "--name", "app", "--scope", "items:eat"), 2),
        (("key", "create", "--name", "app", "--scope", "items:read", "--person", "nobody@example.org"), 1),
        (("key", "revoke", "app"), 1),
    ],
)
def test_a_refusal_is_1_and_wrong_usage_2_and_both_say_why_on_stderr(
    arguments: tuple[str, ...], code: int
) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_person_disable(db: Database) -> None:
    run("person", "add", "ada@example.org", "--name", "Ada")
    assert run("person", "disable", "ADA@example.org").exit_code == 0
    assert "disabled" in run("person", "list").stdout


def test_key_create_prints_the_key_alone_and_it_works_until_revoked(db: Database) -> None:
    created = run(
        "key",
        "create",
        "--name",
        "app",
        "--scope",
        "items:write",
        "--scope",
        "items:read",
        "--queue",
        "receipts",
    )
    assert created.exit_code == 0
    secret = created.stdout.removesuffix("\n")
    assert re.fullmatch(r"rq_[\w-]{43}", secret)
    with db.reading() as session:
        assert keys.authenticate(session, secret).queues == frozenset({"receipts"})
    listed = run("key", "list").stdout
    assert secret[:9] in listed
    assert secret not in listed
    assert run("key", "revoke", "app").exit_code == 0
    with db.reading() as session, pytest.raises(Unauthenticated):
        keys.authenticate(session, secret)


@pytest.mark.parametrize(
    "command",
    [("person",), ("person", "add"), ("person", "list"), ("key",), ("key", "create"), ("key", "revoke")],
)
def test_help_says_what_it_does_and_leaves_have_an_example(command: tuple[str, ...]) -> None:
    told = run(*command, "--help").stdout
    assert ("Example: reviewqueue" in told) is (len(command) == 2)
