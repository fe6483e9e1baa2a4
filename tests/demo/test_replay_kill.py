"""A replay that is killed goes on where it stopped."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.demo.purchases import facts, replayed, write_file, year_of_trade

from amana.demo.replay import FileReport
from amana.node.operator import open_operator

ATTEMPTS_MAX = 12

# The process kills itself in place of its n-th commit, when the group's rows are written already.
CHILD = """
import os, signal, sys
from pathlib import Path
from amana.demo.replay import read_months, replay_into
from amana.storage import _core

data, file, fatal = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
commit, seen = _core.WriterCore.commit, 0

def dying(self):
    global seen
    seen += self.is_open
    if seen == fatal:
        for participant in self._participants:
            participant.before_commit()
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self)

_core.WriterCore.commit = dying
report = replay_into(data, read_months([file]), lambda name, count: None)
print(report.is_right)
"""


def unreasoned(file: FileReport) -> tuple[object, ...]:
    return facts(replace(file, reasons={}))


def test_a_run_killed_again_and_again_ends_like_one_that_was_not(tmp_path: Path) -> None:
    file = write_file(tmp_path, "a.csv", year_of_trade())
    whole = replayed(tmp_path / "whole", file)
    data = tmp_path / "killed"
    kills = 0
    for attempt in range(1, ATTEMPTS_MAX):
        run = subprocess.run(
            [sys.executable, "-c", CHILD, str(data), str(file), str(2 * 2**attempt)],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode == 0:
            assert run.stdout.strip() == "True"
            break
        assert run.returncode == -signal.SIGKILL, run.stderr
        kills += 1
    assert kills >= 3
    again = replayed(data, file)
    assert again.total.new == 0
    assert unreasoned(again.files[0]) == unreasoned(whole.files[0])
    # The ledger keeps that it refused a transfer, not why: a refusal whose conclusion was lost
    # with the process is concluded without its reason.
    assert set(again.files[0].reasons) <= {"insufficient-funds", "transfer-refused"}
    assert (again.books.customers, again.books.merchants) == (
        whole.books.customers,
        whole.books.merchants,
    )
    assert again.is_right
    with open_operator(data) as operator:
        assert not operator.payments_read.unfinished()
