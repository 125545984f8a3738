"""The commands as operators run them: in a process of their own, by exit code and what they print."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from reviewqueue import serving
from reviewqueue.cli import main

QUEUE = "queue: receipts\nstage: production\npolicy: {lanes: {autonomous_at: 0.9}}\n"


class Shell:
    """Runs `reviewqueue` on a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REVIEWQUEUE_")}
        self.environment = {**kept, "REVIEWQUEUE_DATA_DIR": str(folder / "data"), "NO_COLOR": "1"}

    def run(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), input=given, env=self.environment, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "reviewqueue.cli", *arguments]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def with_queue(shell: Shell) -> Shell:
    file = shell.folder / "receipts.yaml"
    file.write_text(QUEUE)
    assert shell.run("queue", "apply", str(file)).returncode == 0
    return shell


def test_help_names_every_command(shell: Shell) -> None:
    told = shell.run("--help")
    assert told.returncode == 0
    for name in (
        "serve",
        "worker",
        "migrate",
        "queue",
        "items",
        "audit",
        "backup",
        "restore",
        "prune",
        "doctor",
    ):
        assert re.search(rf"^  {name} ", told.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", ["serve", "worker", "migrate", "backup", "restore", "prune", "doctor"])
def test_each_commands_help_has_an_example(shell: Shell, name: str) -> None:
    assert "Example: reviewqueue" in shell.run(name, "--help").stdout


def test_wrong_usage_is_2_and_a_refusal_is_1_in_one_line(shell: Shell) -> None:
    assert shell.run("nonsense").returncode == 2
    assert shell.run("serve", "--port", "x").returncode == 2
    refused = shell.run("items", "export", "--queue", "nowhere")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert refused.stderr.startswith("Error: There is no queue")


def test_a_setting_that_does_not_fit_is_named(shell: Shell) -> None:
    shell.environment["REVIEWQUEUE_MAX_BODY"] = "little"
    refused = shell.run("prune")
    assert refused.returncode == 1
    assert "REVIEWQUEUE_MAX_BODY" in refused.stderr


def test_a_database_out_of_reach_is_told_in_one_line(shell: Shell) -> None:
    shell.environment["REVIEWQUEUE_DATABASE_URL"] = "postgresql://user:geheim@127.0.0.1:1/none"
    shell.environment["REVIEWQUEUE_SECRET_KEY"] = "k" * 40
    refused = shell.run("prune")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "cannot be used" in refused.stderr
    assert "geheim" not in refused.stderr


def test_an_import_tells_bad_lines_and_can_be_run_again(with_queue: Shell) -> None:
    lines = [
        '{"input": 1, "output": 1, "confidence": 0.95}',
        "nonsense",
        '{"input": 2, "confidence": 7}',
        "",
        '{"input": 3}',
        '{"input": 3}',
    ]
    file = with_queue.folder / "items.jsonl"
    file.write_text("\n".join(lines))
    first = with_queue.run("items", "import", str(file), "--queue", "receipts")
    assert (first.returncode, first.stdout) == (1, "3 taken, 0 there already, 2 refused\n")
    told = [line.partition(":")[0] for line in first.stderr.splitlines()]
    assert told == ["line 2", "line 3", "Error"]
    file.write_text("\n".join([*lines[:1], '{"input": 2, "confidence": 0.7}', *lines[3:], '{"input": 4}']))
    again = with_queue.run("items", "import", str(file), "--queue", "receipts")
    assert (again.returncode, again.stdout) == (0, "2 taken, 3 there already, 0 refused\n")


def test_an_export_gives_the_items_back(with_queue: Shell) -> None:
    given = '{"input": {"a": 1}, "output": "=1+1", "confidence": 0.95, "external_id": "=x"}\n{"input": 2}\n'
    with_queue.run("items", "import", "-", "--queue", "receipts", given=given)
    exported = [
        json.loads(line)
        for line in with_queue.run("items", "export", "--queue", "receipts").stdout.splitlines()
    ]
    assert [item["evidence"]["input"] for item in exported] == [{"a": 1}, 2]
    assert [item["state"] for item in exported] == ["auto_accepted", "pending"]
    assert exported[0]["outcome"]["verdict"] == "accept"
    out = with_queue.folder / "items.csv"
    assert (
        with_queue.run(
            "items", "export", "--queue", "receipts", "--format", "csv", "--out", str(out)
        ).returncode
        == 0
    )
    head, first, *_ = out.read_text().splitlines()
    assert head.startswith("id,queue,external_id")
    assert ",'=x,auto_accepted," in first
    assert not list(with_queue.folder.glob("*.part"))


def test_verifying_is_1_when_something_was_changed(with_queue: Shell) -> None:
    with_queue.run("items", "import", "-", "--queue", "receipts", given='{"input": 1}')
    sound = with_queue.run("audit", "verify")
    assert (sound.returncode, sound.stdout[:6]) == (0, "Sound:")
    import sqlite3

    with sqlite3.connect(with_queue.folder / "data" / "reviewqueue.sqlite3") as connection:
        connection.execute("UPDATE item SET state = 'accepted'")
    connection.close()
    broken = with_queue.run("audit", "verify")
    assert broken.returncode == 1
    assert "its events say state 'pending', its row says 'accepted'" in broken.stderr


def test_backup_and_restore_by_command(with_queue: Shell) -> None:
    with_queue.run("items", "import", "-", "--queue", "receipts", given='{"input": 1}')
    copy = str(with_queue.folder / "copy.sqlite3")
    assert with_queue.run("backup", copy).returncode == 0
    assert with_queue.run("backup", copy).returncode == 1
    with_queue.run("items", "import", "-", "--queue", "receipts", given='{"input": 2}')
    assert with_queue.run("restore", copy, given="n\n").returncode == 1
    assert with_queue.run("restore", copy, "--yes").returncode == 0
    assert len(with_queue.run("items", "export", "--queue", "receipts").stdout.splitlines()) == 1


def test_the_doctor_says_what_to_do(shell: Shell) -> None:
    ill = shell.run("doctor")
    assert ill.returncode == 1
    assert "Run: reviewqueue migrate" in ill.stdout
    assert shell.run("migrate").returncode == 0
    well = shell.run("doctor")
    assert well.returncode == 0
    assert "note  worker: none is running" in well.stdout


@pytest.fixture
def served(shell: Shell) -> Iterator[tuple[Shell, subprocess.Popen[str], str]]:
    process = shell.start("serve", "--port", "0")
    assert process.stdout is not None
    address = ""
    for line in process.stdout:
        if found := re.search(r"serves on (http\S+)", line):
            address = found[1]
            break
    try:
        yield shell, process, address
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_serving_migrates_invites_works_and_stops_at_once(
    served: tuple[Shell, subprocess.Popen[str], str],
) -> None:
    shell, process, address = served
    assert process.stdout is not None
    assert "First run: open http" in process.stdout.readline()
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address}/api/v1/items", timeout=10)
    told = shell.run("doctor")
    assert (told.returncode, "worker: one is running" in told.stdout) == (0, True)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - begun < 8


def test_a_worker_alone_stops_at_once(with_queue: Shell) -> None:
    process = with_queue.start("worker")
    assert process.stdout is not None
    try:
        assert "worker started" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_where_it_is_served_is_the_address_of_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses: list[str] = []
    monkeypatch.setenv("REVIEWQUEUE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(
        serving, "serve_database", lambda settings, db, **_: addresses.extend((settings.address, db.base_url))
    )
    for arguments in (["--port", "8704"], ["--host", "::1", "--port", "8705"]):
        assert CliRunner().invoke(main, ["serve", *arguments]).exit_code == 0
    assert addresses == ["http://127.0.0.1:8704"] * 2 + ["http://[::1]:8705"] * 2
    monkeypatch.setenv("REVIEWQUEUE_BASE_URL", "https://reviews.example.org")
    assert CliRunner().invoke(main, ["serve", "--port", "8704"]).exit_code == 0
    assert addresses[-1] == "https://reviews.example.org"
