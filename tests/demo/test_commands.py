"""`reviewqueue demo`: what it prints, that it serves, and whose folder it leaves alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from reviewqueue.cli import main
from reviewqueue.demo.commands import PASSWORD
from reviewqueue.demo.filling import PERSONS


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "from reviewqueue.cli import main; main()", "demo", "--port", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_it_says_in_five_lines_how_to_sign_in_and_serves(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert running.stdout is not None
    lines = [running.stdout.readline().rstrip() for _ in range(1 + len(PERSONS))]
    address = lines[0].split()[1]
    assert len(lines) == 5
    assert PASSWORD in lines[0]
    assert [line.split()[0] for line in lines[1:]] == [person.email for person in PERSONS]
    with urllib.request.urlopen(f"{address}/sign-in", timeout=10) as answer:
        assert answer.status == 200

    again = CliRunner().invoke(main, ["demo", "--port", "0", "--folder", str(tmp_path / "demo-data")])
    assert again.exit_code == 1
    assert "a demo runs in" in again.stderr

    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=20) == 0
    assert running.stdout.read() == ""


def test_it_never_empties_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    real = tmp_path / "reviewqueue.sqlite3"
    real.write_bytes(b"precious")
    result = CliRunner().invoke(main, ["demo", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "that no demo made" in result.stderr
    assert real.read_bytes() == b"precious"
