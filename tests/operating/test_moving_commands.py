"""Importing, exporting and rotating keys by command, as operators type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from reviewqueue.cli import main

QUEUE = "queue: receipts\nstage: production\npolicy: {lanes: {autonomous_at: 0.9}}\n"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an embedded database of its own that has the queue `receipts`."""
    monkeypatch.setenv("REVIEWQUEUE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("REVIEWQUEUE_BASE_URL", "https://reviews.example.org")

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, input=given)

    assert run("queue", "apply", "-", given=QUEUE).exit_code == 0
    return run


def test_a_table_is_imported_by_its_columns(run: Run) -> None:
    table = "No,Text,confidence\nr-1,TOTAL 1,0.95\nr-2,TOTAL 2,high\n"
    arguments = ("items", "import", "-", "--format", "csv", "--queue", "receipts")
    refused = run(*arguments, given=table)
    assert refused.exit_code == 1
    assert "/No: begins with No, which no enqueued item has" in refused.stderr
    done = run(*arguments, "--column", "No=external_id", "--column", "Text=input.text", given=table)
    assert (done.exit_code, done.stdout) == (1, "1 taken, 0 there already, 1 refused\n")
    assert "line 3: /confidence is no number: 'high'" in done.stderr
    assert run(*arguments, "--column", "No").exit_code == 2


def test_tasks_are_imported_and_items_exported_in_every_format(run: Run, tmp_path: Path) -> None:
    tasks = json.dumps([{"id": 1, "data": {"text": "a"}, "predictions": [{"score": 0.99, "result": []}]}])
    imported = run("items", "import", "-", "--format", "label-studio", "--queue", "receipts", given=tasks)
    assert imported.stdout == "1 taken, 0 there already, 0 refused\n"
    (item,) = map(json.loads, run("items", "export", "--queue", "receipts").stdout.splitlines())
    assert item["outcome"]["receipt"].count(".") == 2
    (task,) = json.loads(run("items", "export", "--queue", "receipts", "--format", "label-studio").stdout)
    assert (task["id"], task["annotations"][0]["meta"]["by"]) == (1, "policy")
    parquet = ("items", "export", "--queue", "receipts", "--format", "parquet")
    assert run(*parquet).exit_code == 2
    assert run(*parquet, "--out", str(tmp_path / "items.parquet")).exit_code == 0
    assert pq.read_table(tmp_path / "items.parquet").num_rows == 1
    trained = run("items", "export", "--queue", "receipts", "--what", "outputs", "--format", "csv")
    (head,) = trained.stdout.splitlines()
    assert head.startswith("item,queue,external_id,split,input,output,suggested,verdict,reason,comment,")
    assert (
        run(
            "items", "export", "--queue", "receipts", "--what", "outputs", "--format", "label-studio"
        ).exit_code
        == 2
    )


@pytest.mark.parametrize("form", ["ndjson", "csv", "label-studio"])
def test_a_file_may_begin_with_the_mark_of_utf_8(run: Run, tmp_path: Path, form: str) -> None:
    text = {"ndjson": '{"input": 1}', "csv": "input\n1", "label-studio": '[{"data": {"text": "a"}}]'}[form]
    file = tmp_path / "file"
    file.write_text(text, "utf-8-sig")
    for given in (str(file), "-"):
        done = run("items", "import", given, "--format", form, "--queue", "receipts", given=file.read_text())
        assert (done.exit_code, done.stdout.endswith(" 0 refused\n")) == (0, True)


def test_a_refused_line_has_one_number(run: Run) -> None:
    done = run("items", "import", "-", "--queue", "receipts", given='{"input": 1}\n{"input": }\n')
    assert done.stderr.splitlines()[0] == "line 2: Expecting value at column 11."


@pytest.mark.parametrize("delimiter", [";;", "", "\n", '"'])
def test_a_delimiter_is_one_character(run: Run, delimiter: str) -> None:
    done = run("items", "import", "-", "--format", "csv", "--delimiter", delimiter, given="input\n1")
    assert (done.exit_code, "a delimiter is one character" in done.stderr) == (2, True)


def test_a_file_that_cannot_be_written_is_told_in_one_line(run: Run) -> None:
    done = run("items", "export", "--queue", "receipts", "--out", "/nowhere/x.jsonl")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: /nowhere/x.jsonl cannot be written: No such file or directory\n",
    )


def test_keys_are_rotated_by_command(run: Run) -> None:
    assert run("signing-key", "list").stdout == ""
    run("items", "import", "-", "--queue", "receipts", given='{"input": 1, "output": 1, "confidence": 1}\n')
    run("items", "export", "--queue", "receipts")
    rotated = run("signing-key", "rotate")
    assert rotated.exit_code == 0
    again = run("signing-key", "rotate")
    assert (again.exit_code, "takes over at" in again.stderr) == (1, True)
    assert rotated.stdout.split()[0] == run("signing-key", "rotate", "--now").stdout.split()[0]
    newest, first = run("signing-key", "list").stdout.splitlines()
    assert (newest.split()[0], first.split()[0], " until " in first) == ("2", "1", True)
    stolen = run("signing-key", "rotate", "--compromised")
    assert stolen.stdout.count(" is revoked") == 2
    assert [" revoked " in line for line in run("signing-key", "list").stdout.splitlines()] == [
        False,
        True,
        True,
    ]


def test_conditions_that_are_no_json_are_refused_with_what_to_give(run: Run) -> None:
    refused = run("queue", "import-a2i", "-", "--queue", "forms", given="")
    assert refused.exit_code == 1
    assert "Give them as JSON in UTF-8, alone or in a flow definition." in refused.stderr


@pytest.mark.parametrize(
    "command",
    ["signing-key rotate", "signing-key list", "items import", "items export", "queue import-a2i"],
)
def test_each_commands_help_has_an_example(run: Run, command: str) -> None:
    told = run(*command.split(), "--help").stdout
    assert f"reviewqueue {command}" in told[told.index("Example:") :]
