"""The signatory in processes of its own: asked in batches, killed at will, never wrong."""

import asyncio
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from amana.kernel import Instant, Unavailable
from amana.purse.curve import hash_to_curve
from amana.purse.keysets import KeysetPlan, powers_of_two
from amana.purse.ports import Blank, Claim, Signed, SigningStopped
from amana.purse.signatory import (
    LIST_FILE,
    SEED_FILE,
    FolderStore,
    InProcessSignatory,
    KeyUnknown,
    SignatoryDamaged,
    SignatoryPool,
    default_processes,
    link,
    make_signatory,
    open_signatory,
)

SEED = bytes(range(50, 82))
PLAN = KeysetPlan("eur", powers_of_two(4), signatures_max=5_000)
LATER = 4_000_000_000


class MachineClock:
    def now(self) -> Instant:
        return Instant(time.time_ns())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_signatory(tmp_path / "signatory", [PLAN], seed=SEED, clock=MachineClock())
    return tmp_path / "signatory"


def _blanks(name: str, count: int, keyset: int = 0) -> list[Blank]:
    return [
        Blank(keyset, 1 << place % 4, hash_to_curve(f"{name}{place}".encode()))
        for place in range(count)
    ]


def _expected(blanks: list[Blank]) -> list[Signed | None]:
    twin = InProcessSignatory.fresh(SEED, [PLAN], MachineClock())
    return asyncio.run(twin.sign_again(blanks))


def _run(
    folder: Path, processes: int, story: Callable[[SignatoryPool], Coroutine[Any, Any, None]]
) -> None:
    async def tell() -> None:
        async with open_signatory(folder, processes=processes) as pool:
            await asyncio.wait_for(story(pool), 60)

    asyncio.run(tell())


def test_everybody_who_asks_at_once_has_their_own_answer(folder: Path) -> None:
    asked = [_blanks(f"asker {number} ", 1 + number % 5) for number in range(90)]
    expected = [_expected(blanks) for blanks in asked]

    async def story(pool: SignatoryPool) -> None:
        found = await asyncio.gather(*(pool.sign(blanks) for blanks in asked))
        assert found == expected
        claims = [
            Claim(0, blank.amount, f"asker {number} {place}".encode(), signed.point)
            for number, blanks in enumerate(asked)
            for place, (blank, signed) in enumerate(zip(blanks, found[number], strict=True))
            if signed is not None
        ]
        assert len(claims) == sum(map(len, asked))
        checked = await asyncio.gather(*(pool.verify([claim]) for claim in claims))
        assert checked == [[hash_to_curve(claim.secret)[1:]] for claim in claims]
        wrong = [claim._replace(secret=claim.secret + b"!") for claim in claims]
        assert await pool.verify(wrong) == [None] * len(wrong)

    _run(folder, 2, story)


def test_the_processes_give_way_to_whoever_keeps_the_books(folder: Path) -> None:
    """The cores are fewer than the processes that want them; the books have one process alone."""

    async def story(pool: SignatoryPool) -> None:
        own = os.getpriority(os.PRIO_PROCESS, 0)
        theirs = [os.getpriority(os.PRIO_PROCESS, process) for process in pool.process_ids]
        assert len(theirs) == 2
        assert all(own < niceness <= 19 for niceness in theirs) or own == 19

    _run(folder, 2, story)


async def _ask_and_kill(pool: SignatoryPool, asked: list[list[Blank]]) -> list[Any]:
    """Ask, and end every process while it works."""
    asks = [asyncio.ensure_future(pool.sign(blanks)) for blanks in asked]
    await asyncio.sleep(0)  # every ask is made …
    await asyncio.sleep(0)  # … and the first batch is sent
    for process in pool.process_ids:
        os.kill(process, signal.SIGKILL)
    return await asyncio.gather(*asks, return_exceptions=True)


def test_who_asked_a_process_that_was_killed_hears_that_nobody_knows(folder: Path) -> None:
    asked = [_blanks(f"{number} ", 60) for number in range(20)]
    expected = [_expected(blanks) for blanks in asked[:2]]

    async def story(pool: SignatoryPool) -> None:
        for _ in range(2):
            found = await _ask_and_kill(pool, asked)
            assert all(isinstance(each, Unavailable) for each in found)
            with pytest.raises(Unavailable):
                await pool.sign(asked[0])
            await pool.wait_until_whole()
            assert [await pool.sign(blanks) for blanks in asked[:2]] == expected

    _run(folder, 1, story)
    counts = FolderStore(folder).counts()
    signed_at_least = 2 * 2 * 60 // 4
    assert all(counts[f"0:{amount}"] >= signed_at_least for amount in PLAN.amounts)


def test_who_asked_what_cannot_be_written_hears_so_and_the_process_serves_on(folder: Path) -> None:
    unwritable = [Blank(0, 2**64, b"an amount of more than 64 bits")]
    blanks = _blanks("good ", 2)
    expected = _expected(blanks)

    async def story(pool: SignatoryPool) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        with pytest.raises(Unavailable):
            await pool.sign(unwritable)
        assert await pool.sign(blanks) == expected

    _run(folder, 1, story)


def test_while_one_process_is_gone_the_other_answers(folder: Path) -> None:
    blanks = _blanks("a", 3)
    expected = _expected(blanks)

    async def story(pool: SignatoryPool) -> None:
        first, _ = pool.process_ids
        os.kill(first, signal.SIGKILL)
        for _ in range(50):
            try:
                assert await pool.sign(blanks) == expected
            except Unavailable:
                continue  # it was asked of the one that had just gone
        assert first not in pool.process_ids
        await pool.wait_until_whole()
        assert len(pool.process_ids) == 2

    _run(folder, 2, story)


def test_a_process_that_hangs_is_ended_and_begun_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blanks = _blanks("a", 2)
    expected = _expected(blanks)

    async def story(pool: SignatoryPool) -> None:
        monkeypatch.setattr(link, "BATCH_SECONDS_MAX", 0.2)
        os.kill(pool.process_ids[0], signal.SIGSTOP)
        with pytest.raises(Unavailable):
            await pool.sign(blanks)
        monkeypatch.undo()
        await pool.wait_until_whole()
        assert await pool.sign(blanks) == expected

    _run(folder, 1, story)


def test_a_batch_is_bounded_by_its_work_however_few_asked_for_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: strangers who ask for much at once are never what makes a process count as hanging."""
    batches: list[int] = []
    send = link.Link.send

    def noted(self: link.Link, jobs: list[link.Job]) -> None:
        batches.append(len(jobs))
        send(self, jobs)

    async def story(pool: SignatoryPool) -> None:
        for asks in (
            [pool.sign(many) for _ in range(4)],
            [pool.exchange([], many) for _ in range(4)],
            [pool.verify(claims) for _ in range(4)],
            [pool.sign(few) for _ in range(4)],
        ):
            await asyncio.gather(*asks)
            batches.append(0)

    monkeypatch.setattr(link.Link, "send", noted)
    many, few = _blanks("a", 1_000), _blanks("b", 10)
    claims = [Claim(0, 1, b"%d" % number, hash_to_curve(b"a")) for number in range(7_000)]
    _run(folder, 1, story)
    assert batches == [3, 1, 0, 3, 1, 0, 3, 1, 0, 4, 0]


def test_a_signal_to_the_whole_group_does_not_end_a_process(folder: Path) -> None:
    blanks = _blanks("a", 2)
    expected = _expected(blanks)

    async def story(pool: SignatoryPool) -> None:
        before = pool.process_ids
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(before[0], number)
        assert await pool.sign(blanks) == expected
        assert pool.process_ids == before

    _run(folder, 1, story)


def test_refusals_come_back_as_what_they_are(folder: Path) -> None:
    async def story(pool: SignatoryPool) -> None:
        with pytest.raises(KeyUnknown):
            await pool.sign([Blank(0, 3, hash_to_curve(b"a"))])
        with pytest.raises(KeyUnknown):
            await pool.verify([Claim(5, 1, b"a", hash_to_curve(b"a"))])
        assert await pool.sign([*_blanks("a", 1), Blank(0, 1, b"\2" + b"\xff" * 32)]) == [None] * 2
        await pool.set_limit(0, 1)
        await pool.sign(_blanks("a", 1))
        with pytest.raises(SigningStopped):
            await pool.sign(_blanks("a", 1))
        assert await pool.sign_again(_blanks("a", 1)) == expected
        with pytest.raises(SigningStopped):
            await pool.exchange([], _blanks("b", 1))
        await pool.give_back(_blanks("a", 1))
        assert (await pool.exchange([], _blanks("a", 1))).signed == expected

    expected = _expected(_blanks("a", 1))
    _run(folder, 2, story)


def test_after_a_rotation_every_process_signs_with_the_new_keyset_alone(folder: Path) -> None:
    async def story(pool: SignatoryPool) -> None:
        old = await pool.sign(_blanks("a", 1))
        new = await pool.rotate("eur", final_expiry=LATER)
        assert pool.keysets()[-1] == new
        assert [keyset.is_active for keyset in pool.keysets()] == [False, True]
        for _ in range(4):
            asks = [pool.sign(_blanks("a", 40, keyset=1)) for _ in range(4)]
            assert all(all(signed) for signed in await asyncio.gather(*asks))
            refused = [pool.sign(_blanks("a", 1)) for _ in range(4)]
            found = await asyncio.gather(*refused, return_exceptions=True)
            assert all(isinstance(each, Unavailable) for each in found)
        assert await pool.sign_again(_blanks("a", 1)) == old
        assert old[0] is not None
        claim = Claim(0, 1, b"a0", old[0].point)
        assert await pool.verify([claim]) == [hash_to_curve(b"a0")[1:]]
        await pool.revoke(0)
        assert await asyncio.gather(*(pool.verify([claim]) for _ in range(4))) == [[None]] * 4
        assert await pool.verify_revoked([claim]) == [hash_to_curve(b"a0")[1:]]

    _run(folder, 2, story)
    twin = InProcessSignatory(FolderStore(folder), MachineClock())
    assert [keyset.final_expiry for keyset in twin.keysets()] == [None, LATER]


def test_a_retirement_by_another_hand_is_heard_at_the_first_refusal(folder: Path) -> None:
    async def story(pool: SignatoryPool) -> None:
        elsewhere = InProcessSignatory(FolderStore(folder), MachineClock())
        new = await elsewhere.rotate("eur", final_expiry=LATER)
        assert all(await pool.sign(_blanks("a", 1, keyset=1)))
        with pytest.raises(Unavailable):
            await pool.sign(_blanks("a", 1))
        assert pool.keysets()[-1] == new

    _run(folder, 1, story)


def test_a_process_that_read_the_list_before_a_change_reads_it_again_before_it_answers(
    folder: Path, tmp_path: Path
) -> None:
    old = (folder / LIST_FILE).read_bytes()
    copy = shutil.copytree(folder, tmp_path / "copy")
    asyncio.run(InProcessSignatory(FolderStore(copy), MachineClock()).revoke(0))

    async def story(pool: SignatoryPool) -> None:
        (signed,) = await pool.sign(_blanks("a", 1))
        assert signed is not None
        claim = Claim(0, 1, b"a0", signed.point)
        # The next process waits in the middle of its reading.
        os.mkfifo(tmp_path / "slow")
        (tmp_path / "slow").replace(folder / LIST_FILE)
        os.kill(pool.process_ids[0], signal.SIGKILL)
        with await asyncio.to_thread((folder / LIST_FILE).open, "wb") as reading:
            (copy / LIST_FILE).replace(folder / LIST_FILE)
            reading.write(old)
        await pool.wait_until_whole()
        assert await pool.verify([claim]) == [None]
        assert [keyset.is_active for keyset in pool.keysets()] == [False]

    _run(folder, 1, story)


def test_where_no_file_can_be_opened_a_process_is_gone_as_if_it_had_died(folder: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def story() -> None:
        begun = link.Link(lambda: None)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
            await begun.start(folder)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert begun.gone.done(), "whoever keeps it begins it again"
        with pytest.raises(Unavailable):
            await begun.greeting

    asyncio.run(story())


@pytest.mark.parametrize("name", [SEED_FILE, LIST_FILE])
def test_a_damaged_folder_keeps_the_mint_from_opening(folder: Path, name: str) -> None:
    (folder / name).unlink()

    async def story(pool: SignatoryPool) -> None:
        raise AssertionError(pool.process_ids)

    with pytest.raises(SignatoryDamaged, match=name):
        _run(folder, 2, story)


def test_an_orderly_end_leaves_no_process_and_exact_counts(folder: Path) -> None:
    kept: list[SignatoryPool] = []
    processes: list[int] = []

    async def story(pool: SignatoryPool) -> None:
        kept.append(pool)
        processes.extend(pool.process_ids)
        await asyncio.gather(*(pool.sign(_blanks(f"{n}", 4)) for n in range(10)))

    _run(folder, 2, story)
    assert FolderStore(folder).counts() == {f"0:{amount}": 10 for amount in PLAN.amounts}
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    with pytest.raises(Unavailable):
        asyncio.run(kept[0].verify([]))


MINT = """
import asyncio, sys
from pathlib import Path
from amana.purse.signatory import open_signatory

async def main():
    async with open_signatory(Path(sys.argv[1]), processes=1) as pool:
        print(pool.process_ids[0], flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_mint_that_is_killed_leaves_no_signatory_behind(folder: Path) -> None:
    mint = subprocess.Popen([sys.executable, "-c", MINT, folder], stdout=subprocess.PIPE)
    with mint:
        assert mint.stdout is not None
        signatory = os.pidfd_open(int(mint.stdout.readline()))
        mint.kill()
    ended, _, _ = select.select([signatory], [], [], 20)
    os.close(signatory)
    assert ended


def test_no_secret_is_in_a_process_s_arguments_or_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMANA_PLANTED", "planted-secret")

    async def story(pool: SignatoryPool) -> None:
        facts = Path("/proc") / str(pool.process_ids[0])
        told = (facts / "cmdline").read_bytes() + (facts / "environ").read_bytes()
        assert b"amana.purse.signatory" in told
        assert b"planted-secret" not in told
        assert SEED not in told
        assert SEED.hex().encode() not in told

    _run(folder, 1, story)


def test_what_is_logged_of_a_death_says_nothing_else(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(pool: SignatoryPool) -> None:
        await _ask_and_kill(pool, [_blanks("a", 60)])
        await pool.wait_until_whole()

    _run(folder, 1, story)
    logged = [each for each in caplog.records if each.name == "amana.signatory"]
    assert {each.getMessage() for each in logged} == {"signatory_process_gone"}


def test_there_is_a_process_a_core_and_at_most_four() -> None:
    assert 1 <= default_processes() <= 4
