"""Who comes first at the signatory: what pays, then what can wait, of that everybody in turn."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.purse.test_purse_signatory_pool import MachineClock

from amana.kernel import Unavailable
from amana.purse.curve import hash_to_curve
from amana.purse.keysets import KeysetPlan, powers_of_two
from amana.purse.ports import Blank, Claim
from amana.purse.signatory import SignatoryPool, link, make_signatory, open_signatory, pool
from amana.purse.signatory.protocol import Ask, Check, Sign

PLAN = KeysetPlan("eur", powers_of_two(4), signatures_max=100_000)


def _blanks(count: int) -> list[Blank]:
    return [Blank(0, 1, hash_to_curve(b"%d" % number)) for number in range(count)]


def _pays(ask: Ask) -> bool:
    return isinstance(ask, Sign) and not ask.is_repeat


def _size(ask: Ask) -> int:
    match ask:
        case Sign(blanks):
            return len(blanks)
        case Check(claims):
            return len(claims) // 7
        case _:
            return 0


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[Ask]]:
    """What is sent to the processes, as it is sent."""
    sent: list[list[Ask]] = []
    send = link.Link.send

    def noted(self: link.Link, jobs: list[link.Job]) -> None:
        sent.append([job.ask for job in jobs])
        send(self, jobs)

    monkeypatch.setattr(link.Link, "send", noted)
    return sent


def _run(
    folder: Path, story: Callable[[SignatoryPool], Coroutine[Any, Any, None]], *, processes: int = 1
) -> None:
    make_signatory(folder, [PLAN], seed=bytes(range(32)), clock=MachineClock())

    async def tell() -> None:
        async with open_signatory(folder, processes=processes) as opened:
            await asyncio.wait_for(story(opened), 60)

    asyncio.run(tell())


def test_what_pays_goes_before_all_that_can_wait(tmp_path: Path, batches: list[list[Ask]]) -> None:
    claims = [Claim(0, 1, b"%d" % number, hash_to_curve(b"a")) for number in range(500)]

    async def story(opened: SignatoryPool) -> None:
        waiting = [opened.sign_again(_blanks(300)) for _ in range(5)]
        looking = [opened.verify_later(claims), opened.verify_revoked(claims)]
        paying = [opened.sign(_blanks(2))]
        found: list[list[Any]] = await asyncio.gather(*waiting, *looking, *paying)
        assert [len(each) for each in found] == [300] * 5 + [500, 500, 2]

    _run(tmp_path, story)
    assert _pays(batches[0][0]), "it was asked last"
    for batch in batches:
        assert sum(map(_size, batch)) <= 64 + 32, "a payment that comes now waits for no more"


def test_while_payments_never_end_what_can_wait_has_its_share(
    tmp_path: Path, batches: list[list[Ask]]
) -> None:
    async def story(opened: SignatoryPool) -> None:
        restore = asyncio.ensure_future(opened.sign_again(_blanks(500)))

        async def pay() -> None:
            while not restore.done():
                await opened.sign(_blanks(3))

        # More than go into a batch, so that of these somebody waits always.
        await asyncio.gather(*(pay() for _ in range(70)))
        assert all(await restore)

    _run(tmp_path, story)
    with_both = [batch for batch in batches if _pays(batch[0])]
    pays = sum(_size(ask) for batch in with_both for ask in batch if _pays(ask))
    waits = sum(_size(ask) for batch in with_both for ask in batch if not _pays(ask))
    assert waits > 0, "it had to share"
    assert pays >= 3 * waits


def test_a_share_that_nobody_needed_is_not_asked_for_later_before_one_payment(
    tmp_path: Path, batches: list[list[Ask]]
) -> None:
    async def story(opened: SignatoryPool) -> None:
        for _ in range(10):
            await asyncio.gather(opened.sign(_blanks(300)), opened.sign_again(_blanks(1)))
        batches.clear()
        waiting = [opened.sign_again(_blanks(32)) for _ in range(40)]
        await asyncio.gather(opened.sign(_blanks(2)), *waiting)

    _run(tmp_path, story)
    assert _pays(batches[0][0])
    assert sum(map(_size, batches[0])) <= 2 + 32, "a payment waits for a piece"


def test_whoever_asks_for_little_waits_for_a_piece_of_everybody_elses(tmp_path: Path) -> None:
    async def story(opened: SignatoryPool) -> None:
        large = [asyncio.ensure_future(opened.sign_again(_blanks(200))) for _ in range(8)]
        await asyncio.sleep(0)
        assert all(await opened.sign_again(_blanks(5)))
        assert not any(each.done() for each in large)
        await asyncio.gather(*large)

    _run(tmp_path, story)


def test_where_too_many_wait_that_goes_which_asks_for_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: memory is bounded, and who floods drives out floods, not a wallet's few outputs."""
    monkeypatch.setattr(pool, "_LATER_MAX", 4)

    async def story(opened: SignatoryPool) -> None:
        few = [asyncio.ensure_future(opened.sign_again(_blanks(3))) for _ in range(4)]
        many = [asyncio.ensure_future(opened.sign_again(_blanks(200))) for _ in range(20)]
        answers = await asyncio.gather(*few, *many, return_exceptions=True)
        assert all(isinstance(each, list) for each in answers[:4])
        assert all(isinstance(each, Unavailable) for each in answers[4:])
        assert await opened.sign_again(_blanks(200)) == await opened.sign(_blanks(200))

    _run(tmp_path, story)


def test_of_several_processes_one_is_kept_for_what_pays(
    tmp_path: Path, batches: list[list[Ask]]
) -> None:
    async def story(opened: SignatoryPool) -> None:
        waiting = [asyncio.ensure_future(opened.sign_again(_blanks(300))) for _ in range(5)]
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(batches) == 1, "the other process waits"
        await opened.sign(_blanks(2))
        assert _pays(batches[1][0])
        await asyncio.gather(*waiting)

    _run(tmp_path, story, processes=2)
