"""What went wrong at mints that others run, and the test of ours that would have caught it.

Where a test of this kind stood already it is named here; what had none is tested below. The last
test reads this list, and fails where it names a test that is not there: a function of a file of
these tests, or a title of a file of the wallet's.

2023, 2024: "spendable" was checked outside the lock
    purse/test_purse_service.py
        test_a_proof_is_swapped_once_however_many_try_at_once
the same, over HTTP and two ways at once
    faults/test_faults_purse_spend.py
        test_of_two_thousand_attempts_to_spend_one_proof_one_goes_through
the same, of outputs that are signed
    purse/test_purse_service.py
        test_outputs_are_signed_once_however_many_try_at_once
2024 to 2026: one redemption was run twice
    purse/test_purse_service.py
        test_two_who_pay_one_quote_at_once_pay_it_once
the same, fifty times at once over HTTP
    faults/test_faults_purse_spend.py
        test_of_fifty_proofs_for_one_quote_one_is_spent
the same: a poller declared failure while the payment ran; paid out and given back
    purse/test_purse_service.py
        test_recovery_leaves_alone_what_somebody_owns_or_nobody_knows
the same: what was listed as running had gone through meanwhile
    purse/test_purse_incidents.py
        test_recovery_goes_by_what_a_quote_is_and_not_by_what_it_was_when_listed
the same: proofs stayed pending for ever
    purse/test_purse_service.py
        test_a_redemption_that_spent_nothing_is_given_back_by_recovery
the same, after it was spent
    purse/test_purse_service.py
        test_a_redemption_that_spent_is_paid_by_recovery
the same, after a kill at any moment
    faults/test_faults_purse_kill.py
        test_four_kills_under_load_lose_and_make_no_e_cash
the same: an answer was told before it was durable
    purse/test_purse_incidents.py
        test_nobody_hears_that_a_quote_is_paid_before_that_is_durable
2025: ids of keysets collided, and wallets reused secrets
    purse/test_purse_keysets.py
        test_secrets_for_older_keysets_are_not_derived
the same, at the mint: ids of the older version
    purse/test_purse_keysets.py
        test_ids_of_the_older_version_are_refused
the same: two keysets of a list never share an id
    purse/test_purse_incidents.py
        test_no_two_keysets_of_a_list_have_the_same_id
Dec 2025: a preimage of any size filled the disk
    purse/test_purse_conditions.py
        test_a_witness_of_any_size_is_not_taken
the same, of secrets and whole requests
    node/test_mint_http.py
        test_a_long_request_is_refused_before_it_is_read
the same, of what is kept of a witness
    purse/test_purse_conditions.py
        test_a_right_preimage_is_shown_and_nothing_else
Mar 2026: one key or signature in two spellings counted twice
    purse/test_purse_conditions.py
        test_one_signer_in_two_spellings_does_not_count_twice
the same, of signatures
    purse/test_purse_conditions.py
        test_one_signature_in_two_spellings_does_not_count_twice
May 2026: lists without limits
    purse/test_purse_incidents.py
        test_a_list_longer_than_allowed_is_refused_before_any_work
May 2026: subscribers exhausted connections to the database
    node/test_mint_sockets.py
        test_a_socket_has_bounded_subscriptions_and_filters
the same, of sockets
    node/test_mint_sockets_room.py
        test_sockets_that_watch_nothing_keep_nobody_out
the same, of those who watch and have had nothing to say
    node/test_mint_sockets_room.py
        test_of_sockets_that_watch_that_goes_which_has_had_nothing_to_say_the_longest
the same, of those who do not read
    node/test_mint_sockets.py
        test_whoever_does_not_read_is_let_go
May 2026: a payment request broke its reader
    wire/test_wire_cashu_requests.py
        test_no_text_makes_the_reader_raise
May 2026: a new address was missing from the protected list
    node/test_node_mint_auth.py
        test_every_address_of_the_mint_was_decided_on
the same: what nobody decided on is closed
    node/test_node_mint_auth.py
        test_an_address_that_nobody_decided_on_lets_nobody_in
Jun 2026: a blind token was used twice
    node/test_node_purse_tokens.py
        test_a_blind_token_opens_one_of_two_hundred_requests
2026: the mint paid a fee above the reserve
    purse/test_purse_incidents.py
        test_a_way_that_costs_more_than_was_reserved_spends_nothing
Jun 2026: a random nonce in the proof of equality
    purse/test_purse_curve.py
        test_the_same_output_has_the_same_signature_and_its_proof_holds
the same: as published
    purse/test_purse_curve.py
        test_a_proof_of_equality_is_the_published_one
Aug 2026: a signature for all, and hash locks
    purse/test_purse_conditions.py
        test_a_hash_lock_for_all_asks_for_preimage_and_signature_over_all
the same: all published cases
    purse/test_purse_conditions_vectors.py
        test_each_published_operation_is_judged_as_published
Aug 2026: points that are not on the curve
    purse/test_purse_service.py
        test_what_a_swap_refuses_stays_unspent
the same, whatever the bytes
    purse/test_purse_curve.py
        test_no_bytes_make_the_curve_stumble
2026: a list and an ETag for each browser
    node/test_node_purse_keysets.py
        test_the_list_of_keysets_only_grows_and_is_the_same_bytes_for_everybody
the same, at whoever is marked: a list that everybody else is not given is kept out
    web/tests/purse-token-keysets.test.ts
        coins of a keyset beyond the code's are paid only where another code had it
the same, of blind tokens
    web/tests/purse-token-keysets.test.ts
        no token is shown where everybody else is given another keyset of tokens
the same: a list that is other than it was
    web/tests/purse.test.ts
        a list of keysets that forgets one is kept out, and nothing is paid with it
complaint: old keysets were listed no more
    node/test_node_purse_keysets.py
        test_a_keyset_signs_for_ninety_days_and_its_proofs_stay_good
complaint: "already signed", and the signatures were lost
    purse/test_purse_service_issue.py
        test_lost_signatures_are_given_again_in_the_order_asked
complaint: fees went to the keyset of another unit
    purse/test_purse_incidents.py
        test_a_fee_stays_with_the_keysets_that_it_was_taken_from
complaint: the server hung under its locks
    faults/test_faults_purse_spend.py
        test_of_two_thousand_attempts_to_spend_one_proof_one_goes_through
complaint: two tabs of one wallet spent the same coins
    web/tests/purse.test.ts
        two taps, or two tabs, make one payment
the same: a tab showed what another had spent
    browser/test_browser_purse_receipts.py
        test_every_tab_shows_what_another_one_has_paid
complaint: the browser cleared its storage, and the e-cash was gone
    web/tests/purse-keeping.test.ts
        a purse is taken over with its phrase: unspent coins, receipts, refunds to ask for
the same: a refill was signed after the last backup
    web/tests/purse-keeping.test.ts
        a refill that is left takes a backup along, so that what is signed is not lost
a package that wallets are built from was replaced by another of its name
    architecture/test_tidy.py
        test_locks_hold_a_hash_for_every_package
the same, of the wallet's packages
    browser/test_browser_build.py
        test_the_lock_file_names_no_place_to_fetch_from
a stolen key: more came back than was issued
    purse/test_purse_reissue.py
        test_no_more_of_an_amount_comes_back_than_was_signed
"""

import ast
import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.purse.shop import SHOP, Shop, code_of

from amana.kernel import Unavailable
from amana.purse.keysets import KeysetPlan
from amana.purse.liabilities import read_facts
from amana.purse.limits import INPUTS_MAX, OUTPUTS_MAX, RESTORE_OUTPUTS_MAX, STATES_MAX
from amana.purse.methods import merchant
from amana.purse.model import Code, Proof, ProofState, Redeemed, RedeemQuote, RedeemState, Refusal
from amana.purse.ports import Blank
from amana.purse.service import Mint
from amana.purse.signatory import InProcessSignatory
from amana.testing.ecash import Blinded, BlindingWallet
from amana.testing.rooms import HandClock
from amana.testing.standin import nullifier_of, verify_standin

TESTS = Path(__file__).parents[1]


def test_recovery_goes_by_what_a_quote_is_and_not_by_what_it_was_when_listed(shop: Shop) -> None:
    """Goal: a quote that was held when recovery began, and is spent by its turn, is paid.

    Method: recovery's list is the one from before; its owner has spent the proofs since, and lost
    the ledger before posting. To void by the list would give back money whose proofs are spent.
    """
    quote = shop.quote(shop.order(100))
    coins = shop.coins(128)

    class Listed:
        """The store, with a list of what is unfinished that is a moment old."""

        def __init__(self, listed: Sequence[RedeemQuote]) -> None:
            self._listed = listed

        def __getattr__(self, name: str) -> object:
            return getattr(shop.store, name)

        async def unfinished(self) -> Sequence[RedeemQuote]:
            return self._listed

    held: list[RedeemQuote] = []
    way = shop.mint.redeem_methods[merchant.METHOD]
    hold = way.hold

    async def hold_and_look(asked: RedeemQuote) -> Refusal | None:
        refusal = await hold(asked)
        held.extend(await shop.store.unfinished())
        shop.ledger.is_gone = True
        return refusal

    way.hold = hold_and_look  # type: ignore[assignment,method-assign]  # a moment inside it
    with pytest.raises(Unavailable):
        shop.redeem(quote, coins, shop.outputs(*[0] * 14))
    way.hold = hold  # type: ignore[method-assign]  # as it was
    shop.ledger.is_gone = False
    assert [each.state for each in held] == [RedeemState.HELD]
    assert shop.stored(quote).state is RedeemState.SPENT

    shop.mint._store = Listed(held)  # type: ignore[assignment]  # a store that lists these
    assert shop.run(shop.mint.recover()) == 1
    assert shop.stored(quote).state is RedeemState.PAID
    assert shop.ledger.balance(int(SHOP)) == 98
    shop.run(shop.mint.recover())
    assert shop.stored(quote).state is RedeemState.PAID, "what is paid by now is left alone"
    assert shop.ledger.balance(int(SHOP)) == 98


def test_nobody_hears_that_a_quote_is_paid_before_that_is_durable(shop: Shop) -> None:
    """Goal: a told state survives a crash. At the moment of telling, another connection sees it."""
    quote = shop.quote(shop.order(100))
    reading = shop.books.reading

    def durable_state() -> int:
        row = reading.execute("SELECT state FROM purse_redeem_quotes WHERE id = ?", (quote.id,))
        return int(row.fetchone()[0])

    seen: list[tuple[RedeemState, int]] = []

    async def watch(paying: "asyncio.Task[object]") -> None:
        while not paying.done():
            found = await shop.mint.find_redeem_quote(quote.method, quote.id)
            assert found is not None
            seen.append((found.state, durable_state()))
            await asyncio.sleep(0)

    async def both() -> object:
        paying = asyncio.ensure_future(shop.redeeming(quote, coins, blanks))
        watchers = [asyncio.ensure_future(watch(paying)) for _ in range(8)]
        await asyncio.gather(*watchers)
        return await paying

    coins, blanks = shop.coins(128), shop.outputs(*[0] * 14)
    assert isinstance(shop.run(both()), Redeemed)
    assert len(seen) > 8
    early = [(told, known) for told, known in seen if known < told]
    assert not early
    found = shop.run(shop.mint.find_redeem_quote(quote.method, quote.id))
    assert (found.state, durable_state()) == (RedeemState.PAID, RedeemState.PAID)


def test_what_a_retry_finds_spent_is_posted_when_that_is_durable(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: a ledger with books of its own is never told to post what a crash may still take back.

    Method: an attempt loses the ledger right after its spending is asked for; the retry follows
    before any commit, and at its posting another connection looks at the quote.
    """
    coins, quote = shop.coins(64), shop.quote(shop.order(64))
    conclude = shop.store.conclude
    seen: list[int] = []

    async def then_lost(*given: Any, **named: Any) -> object:
        refusal = await conclude(*given, **named)
        shop.ledger.is_gone = True
        return refusal

    async def look() -> None:
        query = "SELECT state FROM purse_redeem_quotes WHERE id = ?"
        seen.append(shop.books.reading.execute(query, (quote.id,)).fetchone()[0])

    async def both() -> object:
        with monkeypatch.context() as patch:
            patch.setattr(shop.store, "conclude", then_lost)
            with pytest.raises(Unavailable):
                await shop.redeeming(quote, coins)
        shop.ledger.is_gone, shop.ledger.meanwhile = False, look
        return await shop.redeeming(quote, coins)

    assert isinstance(shop.run(both()), Redeemed)
    assert seen == [RedeemState.SPENT]


def test_looking_for_what_is_unfinished_writes_nothing(shop: Shop) -> None:
    """What is looked for in a unit of work that is undone stands all the same at the commit."""
    quote = shop.quote(shop.order(64))

    def looks(_: sqlite3.Connection) -> None:
        assert [one.id for one in shop.rows.unfinished()] == [quote.id]
        raise ValueError("undone")

    async def both() -> None:
        await shop.store.begin(quote, (), ())
        with pytest.raises(ValueError, match="undone"):
            await shop.books.writer.run(looks)
        await shop.books.writer.durable()

    shop.run(both())
    query = "SELECT state FROM purse_redeem_quotes WHERE id = ?"
    stored = shop.books.reading.execute(query, (quote.id,)).fetchone()
    assert stored == (RedeemState.HELD,)


def test_no_two_keysets_of_a_list_have_the_same_id() -> None:
    """Goal: not even the same plan twice, for two units, or after a rotation."""
    clock = HandClock()
    plans = [KeysetPlan(unit, (1, 2, 4)) for unit in ("eur", "eur", "usd", "usd")]
    signatory = InProcessSignatory.fresh(bytes(32), plans, clock)

    async def rotate() -> None:
        await signatory.rotate("eur", final_expiry=2_000_000_000)
        await signatory.rotate("usd", final_expiry=2_000_000_000)

    asyncio.run(rotate())
    ids = [keyset.id for keyset in signatory.keysets()]
    assert len(set(ids)) == len(ids) == 6
    assert {name[:2] for name in ids} == {"01"}


def test_a_list_longer_than_allowed_is_refused_before_any_work(shop: Shop) -> None:
    """Goal: no list makes the mint work without end; the signatory, who is gone, is not asked."""
    (coin,), quote = shop.coins(4), shop.quote(shop.order(4))
    inputs = [coin] * (INPUTS_MAX + 1)
    outputs = shop.outputs(*[1] * (OUTPUTS_MAX + 1))
    shop.signatory.is_gone = True
    mint = shop.mint
    answers = [
        shop.run(mint.swap(inputs, outputs[:4])),
        shop.run(mint.swap([coin], outputs)),
        shop.redeem(quote, inputs),
        shop.run(mint.restore(outputs[: RESTORE_OUTPUTS_MAX + 1])),
        shop.run(mint.states([nullifier_of(coin)] * (STATES_MAX + 1))),
    ]
    assert [answer.code for answer in answers] == [
        Code.TOO_MANY_INPUTS,
        Code.TOO_MANY_OUTPUTS,
        Code.TOO_MANY_INPUTS,
        Code.TOO_MANY_OUTPUTS,
        Code.TOO_MANY_INPUTS,
    ]


def test_a_way_that_costs_more_than_was_reserved_spends_nothing(shop: Shop) -> None:
    """Goal: what a payment truly costs is never more than what its quote said, at our expense."""
    quote, coins = shop.quote(shop.order(100)), shop.coins(64, 64)
    way = shop.mint.redeem_methods[merchant.METHOD]
    way.cost = lambda quote: quote.amount + quote.fee_reserve + 29  # type: ignore[method-assign]  # dearer
    with pytest.raises(AssertionError):
        shop.redeem(quote, coins, shop.outputs(*[0] * 14))
    states = shop.run(shop.mint.states([nullifier_of(coin) for coin in coins]))
    assert {state for state, _ in states} == {ProofState.UNSPENT}
    assert shop.ledger.balance(int(SHOP)) == shop.ledger.held() == 0
    assert shop.stored(quote).state is RedeemState.UNPAID


def test_a_fee_stays_with_the_keysets_that_it_was_taken_from(shop: Shop) -> None:
    """Goal: paying with one unit, and with an old keyset of it, moves no count of any other.

    Method: keysets of two units, each with a fee of its own, and a newer one that signs euros by
    now. What is out of each keyset is read from the books: what a swap keeps must be missing from
    the keyset whose proofs went in, and from no other.
    """
    plans = [KeysetPlan("eur", (1, 2, 4), 500), KeysetPlan("sat", (1, 2, 4), 1_000)]
    signatory = InProcessSignatory.fresh(bytes(32), plans, shop.clock)
    shop.mint = Mint(
        shop.store,
        signatory,
        issue_methods={},
        redeem_methods={},
        verifier=verify_standin,
        ids=lambda: shop.chance.draw(16),
        clock=shop.clock,
    )
    old, sat = (BlindingWallet(keyset, shop.chance.draw) for keyset in signatory.keysets())
    euros, sats = (minted(shop, wallet, 4, 4, 2) for wallet in (old, sat))
    shop.run(signatory.rotate("eur", final_expiry=2_000_000_000))
    new = BlindingWallet(signatory.keysets()[-1], shop.chance.draw)
    assert out_of(shop) == {0: 10, 1: 10}

    # Three euro proofs at half a unit are 2 with the sum rounded up; two sat proofs are 2 as well.
    swapped(shop, euros, new.outputs(8))
    assert out_of(shop) == {0: 0, 1: 10, 2: 8}
    swapped(shop, sats[:2], sat.outputs(6))
    assert out_of(shop) == {0: 0, 1: 8, 2: 8}
    dearer = shop.run(shop.mint.swap(sats[2:], [one.message for one in sat.outputs(2)]))
    assert code_of(dearer) is Code.NOT_BALANCED, "a sat proof pays what its keyset asks"
    assert out_of(shop) == {0: 0, 1: 8, 2: 8}


def minted(shop: Shop, wallet: BlindingWallet, *amounts: int) -> list[Proof]:
    """E-cash of a wallet's keyset."""
    outputs = [wallet.output(amount) for amount in amounts]
    blanks = [Blank(wallet.keyset.number, one.message.amount, one.message.point) for one in outputs]
    assert shop.run(shop.store.swap((), blanks)) is None
    restored = shop.run(shop.mint.restore([one.message for one in outputs]))
    return wallet.proofs(outputs, [signature for _, signature in restored])


def swapped(shop: Shop, inputs: Sequence[Proof], outputs: Sequence[Blinded]) -> None:
    """Exchange proofs; the mint agrees."""
    answer = shop.run(shop.mint.swap(inputs, [one.message for one in outputs]))
    assert not isinstance(answer, Refusal), answer


def out_of(shop: Shop) -> dict[int, int]:
    """What is out of each keyset by the books, by its number."""
    shop.run(shop.books.writer.durable())
    out: Counter[int] = Counter()
    for each in read_facts(shop.books.reading).counts:
        out[each.keyset] += (each.signed - each.spent) * each.amount
    return dict(out)


def listed_in(path: str) -> set[str]:
    """The tests of a file: functions, or the titles that the wallet's are written with."""
    if path.startswith("web/"):
        text = (TESTS.parent / path).read_text(encoding="utf-8")
        return {title for _, title in re.findall(r"^ *test\(([\"`])(.+?)\1, ", text, re.MULTILINE)}
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_incident_has_a_test_that_is_there() -> None:
    listed = __doc__ or ""
    named = re.findall(
        r"^    (\w+/\w+\.py|web/tests/[\w-]+\.test\.ts)\n {8}(\S.*)$", listed, re.MULTILINE
    )
    assert len(named) > 40
    assert len(named) == len(re.findall(r"^ {8}", listed, re.MULTILINE))
    assert len(named) == listed.count(".py\n") + listed.count(".ts\n")
    for path, name in named:
        assert name in listed_in(path), f"{path} has no {name}"
