"""The mint is killed at every single step of each thing it does; no e-cash is lost or made.

Method: a town is prepared in which a swap, a payment with change, a refund and a refill all stand
ready; a copy of it has its keyset revoked. For each step a copy of that folder is opened by a
process that is killed there. What is left is judged; then the mint comes back, and the wallet asks
again with the same bytes, or for its signatures (NUT-09) where it is told that all was done.
"""

import copy
import multiprocessing
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any, Final, NamedTuple

import pytest
from coincurve import PrivateKey
from tests.faults.dying_mint import (
    ROUND,
    Absence,
    Errand,
    LoneMint,
    WatchedKeys,
    ask_and_die,
    lone_mint,
)
from tests.faults.holder import Wallet, write_output, write_proof
from tests.node.purse_town import PurseTown, exchange, purse_town, redemption
from tests.node.town import eur

from amana.audit import audit_folder
from amana.kernel import HOUR_NS, Instant
from amana.node.mint.shapes import write_quote_id
from amana.payments.model import ECASH_ACCOUNT
from amana.purse.curve import hash_to_curve
from amana.purse.liabilities import Facts, read_facts
from amana.purse.methods.refund import refund_quote_id
from amana.purse.model import Code, Proof
from amana.purse.rules.conditions import framed_quote_message
from amana.purse.signatory import FolderStore
from amana.storage import BOOKS_FILE, open_reader
from amana.testing.ecash import Blinded
from amana.testing.rooms import HandClock
from amana.trust import SIGNATORY_FOLDER

Json = Any
SWAP: Final = "/v1/swap"
PAY: Final = "/v1/melt/amana-merchant"
REFUND: Final = "/v1/mint/amana-refund"
REISSUE: Final = "/v1/reissue"
TIER: Final = 2_000
PRICE: Final = 333
GIVEN_BACK: Final = 150
SHOWN: Final = 3
LOSSES_MIN: Final = 4
"""A question to the keys and its answer, and before and after they are counted."""
STEPS_MIN: Final = 12
"""A question to the keys and its counting, and a commit with rows for each proof."""
KEY: Final = PrivateKey(bytes(31) + b"\x05")
TO_THE_LETTER: Final = frozenset({SWAP, PAY})
"""What is answered again as it was, however often it is asked."""
DONE_BEFORE: Final = {
    SWAP: {Code.ALREADY_SPENT},
    PAY: {Code.ALREADY_PAID},
    REFUND: {Code.ALREADY_ISSUED, Code.ALREADY_SIGNED},
    REISSUE: {Code.ALREADY_SPENT, Code.ALREADY_SIGNED},
}
"""What says that it was done, and for a swap or a payment: by other outputs than these."""
_HELD: Final = "SELECT debits_pending FROM ledger_accounts WHERE id = ?"
_SIGNED: Final = "SELECT 1 FROM purse_signed WHERE point = ?"
_LISTED: Final = "SELECT coalesce(sum(amount), 0) FROM purse_redeem_quotes WHERE state IN (2, 3)"


@dataclass
class Ready:
    """A folder in which something stands ready, and the wallet that holds all e-cash there is."""

    folder: Path
    wallet: Wallet
    errand: Errand
    inputs: list[Proof]
    outputs: list[Blinded]
    worth: int
    """What the wallet holds when it was done."""


def ready(wallet: Wallet, errand: Errand, outputs: Sequence[Blinded], **more: Any) -> Ready:
    """Have something stand ready; unless more is said, it takes nothing in and pays nothing."""
    facts = {"inputs": [], "worth": wallet.total, **more}
    return Ready(Path(), wallet, errand, outputs=list(outputs), **facts)


def a_swap(town: PurseTown, wallet: Wallet) -> Ready:
    """Exchange three proofs."""
    inputs = wallet.proofs[:SHOWN]
    outputs = wallet.sum_of(sum(proof.amount for proof in inputs))
    errand = Errand(town.clock.now(), SWAP, exchange(inputs, outputs))
    return ready(wallet, errand, outputs, inputs=inputs)


def a_payment(town: PurseTown, wallet: Wallet) -> Ready:
    """Pay an order, with change."""
    quote = town.quote(town.merchant().order(PRICE)["id"])
    inputs = copy.copy(wallet).pick(PRICE)
    assert sum(proof.amount for proof in inputs) > PRICE, "change is due"
    blanks = wallet.blanks()
    errand = Errand(town.clock.now(), PAY, redemption(quote, inputs, blanks))
    return ready(wallet, errand, blanks, inputs=inputs, worth=wallet.total - PRICE)


def a_refund(town: PurseTown, wallet: Wallet) -> Ready:
    """Fetch what a merchant gave back, with the key that was left."""
    shop = town.merchant()
    pubkey = KEY.public_key.format()
    quote = town.quote(order := shop.order(PRICE)["id"], refund_key=pubkey.hex())
    assert town.pay(quote, wallet, wallet.pick(PRICE)).status == 200
    given = shop.post(f"/v1/orders/{order}/refunds", {"amount": eur(GIVEN_BACK)})
    assert given.status == 201, given.content
    outputs, text = wallet.sum_of(GIVEN_BACK), write_quote_id(refund_quote_id(pubkey))
    message = framed_quote_message(text, [one.message for one in outputs])
    body = {
        "quote": text,
        "outputs": [write_output(one) for one in outputs],
        "signature": KEY.sign_schnorr(message).hex(),
    }
    errand = Errand(town.clock.now(), REFUND, body)
    return ready(wallet, errand, outputs, worth=wallet.total + GIVEN_BACK)


def a_refill(town: PurseTown, wallet: Wallet) -> Ready:
    """Leave a refill that is due a day later."""
    outputs = wallet.refill(TIER)
    asked = [{"amount": one.message.amount, "B_": one.message.point.hex()} for one in outputs]
    body = {"tier": eur(TIER), "keyset_id": wallet.keyset.id, "outputs": asked}
    assert town.customer(TIER).put("/v1/purse/refill", body).status == 200
    errand = Errand(Instant(town.clock.now() + 25 * HOUR_NS), ROUND, None)
    return ready(wallet, errand, outputs, worth=wallet.total + TIER)


def an_issue_anew(town: PurseTown, wallet: Wallet) -> Ready:
    """Revoke what the wallet holds, and show how three proofs were issued."""
    inputs = wallet.proofs[:SHOWN]
    town.revoke(0)
    town.learn(wallet)
    outputs = wallet.sum_of(sum(proof.amount for proof in inputs))
    shown = [{**write_proof(one), "r": wallet.factors[one.secret].hex()} for one in inputs]
    body = {"inputs": shown, "outputs": [write_output(one) for one in outputs]}
    return ready(wallet, Errand(town.clock.now(), REISSUE, body), outputs, inputs=inputs)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ready]:
    """Prepare everything in one town; what needs revoked e-cash stands ready in a copy of it."""
    folder, clock = tmp_path_factory.mktemp("ready") / "town", HandClock()
    with purse_town(folder, clock) as town:
        wallet = town.filled(TIER)
        refund = a_refund(town, wallet)
        found = [a_swap(town, wallet), a_payment(town, wallet), refund, a_refill(town, wallet)]
    revoked = folder.with_name("revoked")
    copytree(folder, revoked)
    with purse_town(revoked, clock) as town:
        found.append(an_issue_anew(town, copy.copy(wallet)))
    for each in found:
        each.folder = revoked if each.errand.path == REISSUE else folder
    return {each.errand.path: each for each in found}


# The death


def is_killed(folder: Path, errand: Errand, step: int) -> bool:
    """Ask a mint that dies at a step; return whether there was such a step."""
    processes = multiprocessing.get_context("forkserver")
    # Each process runs what this one was started as, too.
    processes.set_forkserver_preload([ask_and_die.__module__, pytest.__name__])
    process = processes.Process(target=ask_and_die, args=(folder, errand, step))
    process.start()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0


# What is left of it


class Standing(NamedTuple):
    """The books at one moment."""

    facts: Facts
    held: int
    listed: int
    """What is held in the ledger for payments, and what recovery would bring to an end."""

    @property
    def out(self) -> int:
        """What was issued, less what was redeemed."""
        return sum((each.signed - each.spent) * each.amount for each in self.facts.counts)


def standing(folder: Path) -> Standing:
    """Read how the books stand; what is out is owed, and what is held is listed."""
    with closing(open_reader((folder / BOOKS_FILE).resolve())) as connection:
        ((held,),) = connection.execute(_HELD, (ECASH_ACCOUNT.to_bytes(16),)).fetchall()
        ((listed,),) = connection.execute(_LISTED).fetchall()
        found = Standing(read_facts(connection), held, listed)
    facts = found.facts
    assert found.out + facts.promised + facts.returning == facts.balance - facts.to_post
    assert held in {0, listed}, "what is held is listed for recovery, every unit of it"
    assert facts.to_post <= held, "what is spent and not posted is held"
    return found


def check_counts(folder: Path) -> None:
    """Check that the keys never counted fewer signatures than the books know of."""
    counted = FolderStore(folder / SIGNATORY_FOLDER).counts()
    for each in standing(folder).facts.counts:
        assert counted.get(f"{each.keyset}:{each.amount}", 0) >= each.signed


def is_signed(folder: Path, output: Blinded) -> bool:
    """Say whether the books have an output as signed."""
    asked = (output.message.point,)
    with closing(sqlite3.connect(folder / BOOKS_FILE)) as connection:
        return bool(connection.execute(_SIGNED, asked).fetchall())


# Coming back


def come_back(folder: Path, ready: Ready) -> str:
    """Open the mint again and recover; ask, and check all that there is."""
    with lone_mint(folder, ready.errand.now) as mint:
        interrupted = standing(folder)
        was_done = is_signed(folder, ready.outputs[0])
        mint.run(mint.operator.start())
        assert standing(folder).listed == 0, "recovery brought everything to its end"
        go_on(mint, ready, was_done=was_done)
    check_books(folder, ready)
    return stage(interrupted, was_done=was_done)


def go_on(mint: LoneMint, ready: Ready, *, was_done: bool) -> None:
    """Ask as the wallet does that has no answer."""
    wallet = copy.copy(ready.wallet)
    wallet.proofs = [proof for proof in ready.wallet.proofs if proof not in ready.inputs]
    wallet.receive(ready.outputs, ask_again(mint, ready, was_done=was_done))
    assert wallet.total == ready.worth
    assert_no_second_helping(mint, ready)


def check_books(folder: Path, ready: Ready) -> None:
    """Check all that is left when it was done."""
    now = standing(folder)
    assert now.out == ready.worth, "what is out is what the only wallet holds"
    assert now.held == now.facts.to_post == 0
    check_counts(folder)
    report = audit_folder(folder)
    assert report.is_sound, report.findings
    assert not report.unfinished


def stage(left: Standing, *, was_done: bool) -> str:
    """Say how far it had come."""
    if left.listed:
        before, after = ("held", "spent") if left.held else ("begun", "posted")
        return after if was_done else before
    is_debited = left.facts.promised > GIVEN_BACK
    return "done" if was_done else "debited" if is_debited else "not done"


def ask_again(mint: LoneMint, ready: Ready, *, was_done: bool) -> list[Json]:
    """Ask with the same bytes; return the signatures that the wallet has in the end."""
    path, outputs = ready.errand.path, [write_output(one) for one in ready.outputs]
    answer = mint.post(path, ready.errand.body)
    if path == ROUND:
        assert int(answer.body) == (not was_done), "what was made is not made again"
    elif path in TO_THE_LETTER or not was_done:
        assert answer.status == 200, answer.body
        return list(answer.json["change" if path == PAY else "signatures"])
    else:
        assert answer.json["code"] in DONE_BEFORE[path]
    return list(mint.post("/v1/restore", {"outputs": outputs}).json["signatures"])


def assert_no_second_helping(mint: LoneMint, ready: Ready) -> None:
    """Try the same with outputs that nobody saw before: nothing more is to be had."""
    path, body = ready.errand.path, ready.errand.body
    if path == ROUND:
        assert mint.post(ROUND, None).body == b"0"
        return
    amounts = [one.message.amount for one in ready.outputs]
    more = [write_output(one) for one in ready.wallet.outputs(amounts)]
    assert mint.post(path, {**body, "outputs": more}).json["code"] in DONE_BEFORE[path]
    asked = {"Ys": [hash_to_curve(proof.secret.encode()).hex() for proof in ready.inputs]}
    states = mint.post("/v1/checkstate", asked).json["states"]
    assert {one["state"] for one in states} <= {"SPENT"}


@pytest.mark.parametrize(
    ("path", "turns_max", "ends"),
    [
        (SWAP, None, ["not done", "done"]),
        (PAY, None, ["not done", "done"]),
        (PAY, 1, ["not done", "begun", "held", "spent", "posted", "done"]),
        (REFUND, None, ["not done", "done"]),
        (ROUND, None, ["not done", "debited", "done"]),
        (REISSUE, None, ["not done", "done"]),
    ],
    ids=["swap", "payment", "payment in many commits", "refund", "refill", "issue anew"],
)
def test_a_kill_at_any_step_loses_and_makes_no_e_cash(
    prepared: dict[str, Ready],
    tmp_path: Path,
    path: str,
    turns_max: int | None,
    ends: list[str],
) -> None:
    ready = prepared[path]
    errand = ready.errand._replace(turns_max=turns_max)
    found = []
    for step in count(1):
        folder = tmp_path / str(step)
        copytree(ready.folder, folder)
        if not is_killed(folder, errand, step):
            break
        found.append(come_back(folder, ready))
        rmtree(folder)
    assert len(found) >= STEPS_MIN
    assert list(dict.fromkeys(found)) == ends, "one after the other, and none comes back"


@pytest.mark.parametrize("path", [SWAP, PAY, REFUND, ROUND, REISSUE])
def test_keys_that_go_at_any_step_of_theirs_lose_and_make_no_e_cash(
    prepared: dict[str, Ready], tmp_path: Path, path: str
) -> None:
    ready, losses = prepared[path], 0
    for step in count(1):
        folder, absence = tmp_path / str(step), Absence(step)
        copytree(ready.folder, folder)
        with lone_mint(folder, ready.errand.now, WatchedKeys) as mint:
            mint.run(mint.operator.start())
            mint.watch(absence)
            if mint.post(path, ready.errand.body).status == 200:
                break
            assert not is_signed(folder, ready.outputs[0]), "what is not known was not committed"
            go_on(mint, ready, was_done=False)
        check_books(folder, ready)
        losses += 1
    assert losses >= LOSSES_MIN
