"""A town's events played against a real operator in a data folder: ledger, mint, standing orders.

Without the curve, hashes stand for it; all that is stored is stored by the operator's own code.
Nightly copies of the books are made as backups make them.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from amana.kernel import (
    DAY_NS,
    MILLISECOND_NS,
    SECOND_NS,
    AmanaId,
    Chance,
    Instant,
    day_number,
)
from amana.node.operator import Operator, make_operator, open_operator
from amana.node.purse import final_expiry, keyset_plan
from amana.node.settings import Settings
from amana.payments.model import Intent, Party, Payment, PaymentKind, PaymentStatus
from amana.people import Limits, PartyFacts, Refused
from amana.purse.backups import Backup
from amana.purse.keysets import SEED_BYTES
from amana.purse.mail import Mail
from amana.purse.methods import account, merchant
from amana.purse.model import RedeemAsk, Redeemed, RedeemQuote, Refusal
from amana.purse.policy import DRAW_BYTES
from amana.purse.ports import Signatory
from amana.purse.signatory import InProcessSignatory
from amana.purse.standing.model import Refill, RefillState
from amana.storage import BOOKS_FILE
from amana.testing.hashed import HashedSignatory
from amana.testing.rooms import START, HandClock, SeededChance
from amana.vet.hands import Disagreed, Hands, HashedHands, node_hands
from amana.vet.tokens import TokenHands

Event = Mapping[str, Any]

FIRST: Final = Instant(START - START % DAY_NS)
"""The midnight with which every town begins."""

WORKERS: Final = ("sign", "credit")
"""Events that are the operator's own doing, at the hour it drew."""

_TOPUP: Final = 10_000_000
_FREE: Final = Limits(1_000_000_000, 1_000_000_000, 1_000_000_000)
_HASH_BYTES: Final = 16
_POINT_BYTES: Final = 33
_SEALED: Final = bytes(16)
"""Stands for what is sealed, a letter or a backup: all of one length, which says nothing."""


class _Chance:
    """Seeded chance, except for the draws that the town made already."""

    def __init__(self, seed: int) -> None:
        self._seeded: Chance = SeededChance(seed)
        self.next: bytes | None = None

    def draw(self, count: int) -> bytes:
        if self.next is None or count != DRAW_BYTES:
            return self._seeded.draw(count)
        told, self.next = self.next, None
        return told


@dataclass(frozen=True, slots=True)
class Cast:
    """The parties of the town's people and shops, in the town's order."""

    people: tuple[AmanaId, ...]
    shops: tuple[AmanaId, ...]


class Player:
    """Plays one town into one operator."""

    def __init__(
        self,
        operator: Operator,
        hands: tuple[Hands, TokenHands | None],
        clock: HandClock,
        chance: _Chance,
    ) -> None:
        self._operator = operator
        self._hands, self._tokens = hands
        self._clock = clock
        self._chance = chance
        self._people: list[PartyFacts] = []
        self._shops: list[PartyFacts] = []

    async def settle(self, people: int, shops: int) -> None:
        """Open everybody's account, and fill it."""
        await self._operator.start()
        for number in range(people):
            customer = self._operator.people.new_customer(
                f"person{number}", f"Person {number}", limits_override=_FREE
            )
            opened = await self._operator.people.open_customer(customer)
            assert not isinstance(opened, Refused), opened
            self._people.append(self._operator.directory.facts_of(opened))
            await self._fund(number)
        for number in range(shops):
            shop = self._operator.people.new_merchant(
                f"shop{number}", f"Shop {number}", category="5499", country="DE", city="Town"
            )
            trading = await self._operator.people.open_merchant(shop)
            assert not isinstance(trading, Refused), trading
            self._shops.append(self._operator.directory.facts_of(trading))

    def cast(self) -> Cast:
        """Return who is who."""
        return Cast(
            tuple(facts.party for facts in self._people),
            tuple(facts.party for facts in self._shops),
        )

    async def _fund(self, number: int) -> None:
        await self._pay(
            PaymentKind.TOPUP,
            self._operator.own_party,
            self._party(self._people[number]),
            amount=_TOPUP,
            key=f"topup {number}",
        )

    def _party(self, facts: PartyFacts) -> Party:
        return self._operator.party(facts)

    async def _pay(
        self, kind: PaymentKind, payer: Party, payee: Party, *, amount: int, key: str
    ) -> None:
        digest = blake2b(key.encode(), digest_size=_HASH_BYTES).digest()
        now = self._clock.now()
        paid = await self._operator.payments.pay(
            Intent(
                id=self._operator.new_id(),
                kind=kind,
                initiator=payer.id,
                key=digest,
                body=digest,
                payer=payer,
                payee=payee,
                amount=amount,
                created_at=now,
            )
        )
        if not isinstance(paid, Payment) or paid.status is not PaymentStatus.PAID:
            raise Disagreed(f"{kind.name} of {amount}: {paid}")

    async def event(self, event: Event) -> None:
        """Play one event at its time."""
        behind = FIRST + event["at"] * SECOND_NS - self._clock.now()
        if behind > 0:
            self._clock.advance(behind)
        plays = {
            "leave": self._leave,
            "sign": self._carry_out,
            "credit": self._carry_out,
            "fetch": self._fetch,
            "tokens": self._fetch_tokens,
            "pay": self._spend,
            "named": self._name,
            "deposit": self._deposit,
            "key": self._publish,
            "restore": self._restore,
            "backup": self._back_up,
            "give": self._give,
            "take": self._take,
            "exchange": self._swap,
            "named_gift": self._name_gift,
        }
        play = plays.get(event["kind"])
        if play is not None:
            await self._show_tokens(event)
            await play(event)
            self._clock.advance(1)

    async def _leave(self, event: Event) -> None:
        blanks = self._hands.outputs(event["person"], event["outputs"])
        self._chance.next = bytes.fromhex(event["draw"])
        left = await self._operator.purse.standing.leave_refill(
            self._people[event["person"]].party, event["amount"], blanks
        )
        due = (left.due_at - FIRST) // SECOND_NS if isinstance(left, Refill) else None
        if due != event["due"]:
            raise Disagreed(f"a refill is due at {due} for {event['due']}: {left}")

    async def _carry_out(self, event: Event) -> None:
        standing = self._operator.purse.standing
        self._clock.advance(MILLISECOND_NS)
        await standing.carry_out()
        if event["kind"] == "credit":
            return
        refill = await standing.refill(self._people[event["person"]].party)
        if refill is None or refill.state is not RefillState.SIGNED:
            raise Disagreed(f"nothing was signed: {event}")

    async def _fetch(self, event: Event) -> None:
        standing = self._operator.purse.standing
        refill = await standing.refill(self._people[event["person"]].party)
        signed = () if refill is None else await standing.signatures(refill)
        if not signed:
            raise Disagreed(f"nothing was signed: {event}")
        self._hands.take(event["person"], "refill", signed, at=event["at"])

    async def _fetch_tokens(self, event: Event) -> None:
        if self._tokens is None:
            return
        person, count = event["person"], event["count"]
        party = self._people[person].party
        await self._tokens.fetch(self._operator.purse.auth, person, party, count=count)

    async def _show_tokens(self, event: Event) -> None:
        if self._tokens is None:
            return
        auth, count = self._operator.purse.auth, event.get("tokens", 0)
        await self._tokens.show(auth, event["person"], count=count)

    async def _restore(self, event: Event) -> None:
        if self._tokens is not None:
            self._tokens.lose(event["person"])
        await self._publish(event)

    async def _spend(self, event: Event) -> None:
        request = f"@{self._shops[event['shop']].handle}"
        await self._redeem(event, merchant.METHOD, request)

    async def _deposit(self, event: Event) -> None:
        party = self._people[event["person"]].party
        address = await self._operator.purse.standing.open_deposit(party)
        self._chance.next = bytes.fromhex(event["draw"])
        await self._redeem(event, account.METHOD, account.ADDRESS_MARK + address.id.hex())

    async def _redeem(self, event: Event, method: str, request: str) -> None:
        mint = self._operator.purse.mint
        quote = await mint.redeem_quote(method, RedeemAsk(request, "eur", event["amount"], {}))
        if not isinstance(quote, RedeemQuote):
            raise Disagreed(f"{event}: {quote}")
        inputs, blanks = self._hands.pay(event)
        answer = await mint.redeem(
            method, quote.id, inputs, outputs=blanks, quote_text=quote.id.hex()
        )
        if not isinstance(answer, Redeemed):
            raise Disagreed(f"{event}: {answer}")
        change = sorted(signature.amount for signature in answer.change)
        if change != sorted(event["change"]):
            raise Disagreed(f"{event}: change was {change}")
        self._hands.take(event["person"], "change", answer.change, at=event["rests_until"])

    async def _publish(self, event: Event) -> None:
        """Publish the keys of a person's device; another device has a key of its own for notes."""
        party = self._people[event["person"]].party
        await self._operator.purse.mail.put_key(party, _point(f"purse {event['person']}"))
        key = _point(f"device {event['person']} {event['at']}")[1:]
        refused = await self._operator.people.set_note_key(party, key)
        if refused is not None:
            raise Disagreed(f"{event}: {refused}")

    async def _back_up(self, event: Event) -> None:
        party = self._people[event["person"]].party
        backup = Backup(_SEALED, day_number(self._clock.now()))
        await self._operator.purse.backups.put(party, backup)

    async def _swap(self, event: Event) -> None:
        inputs, outputs = self._hands.swap(event)
        signed = await self._operator.purse.mint.swap(inputs, outputs)
        if isinstance(signed, Refusal):
            raise Disagreed(f"{event}: {signed}")
        self._hands.swapped(event, signed)

    async def _give(self, event: Event) -> None:
        await self._swap(event)
        if event["way"] == "link":
            return
        payee = self._people[event["to"]].party
        mail = Mail(payee, _letter(event), _SEALED)
        refused = await self._operator.purse.mail.deliver(mail)
        if refused is not None:
            raise Disagreed(f"{event}: {refused}")

    async def _take(self, event: Event) -> None:
        await self._swap(event)
        party = self._people[event["person"]].party
        await self._operator.purse.mail.drop(party, _letter(event))

    async def _name_gift(self, event: Event) -> None:
        await self._pay(
            PaymentKind.PERSON,
            self._party(self._people[event["person"]]),
            self._party(self._people[event["to"]]),
            amount=event["amount"],
            key=f"gift {event['person']} {event['at']}",
        )

    async def _name(self, event: Event) -> None:
        await self._pay(
            PaymentKind.PURCHASE,
            self._party(self._people[event["person"]]),
            self._party(self._shops[event["shop"]]),
            amount=event["amount"],
            key=f"named {event['person']} {event['at']}",
        )


def _point(text: str) -> bytes:
    return b"\x02" + blake2b(text.encode(), digest_size=_POINT_BYTES - 1).digest()


def _letter(event: Event) -> bytes:
    return blake2b(f"letter {event['letter']}".encode(), digest_size=_HASH_BYTES).digest()


def _copy_books(folder: Path, place: Path) -> Path:
    """Copy the books as a backup does."""
    place.unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / BOOKS_FILE)) as connection:
        connection.execute("VACUUM INTO ?", (str(place),))
    return place


async def play(
    town: Mapping[str, Any],
    events: Sequence[Event],
    folder: Path,
    *,
    with_curve: bool = False,
    nightly: Callable[[int, Path], None] = lambda _, __: None,
    watch: Callable[[int], None] = lambda _: None,
) -> Cast:
    """Play a town into a new data folder, and return who is who in it.

    Args:
        town: The town's first line.
        events: Its events, in order.
        folder: Where the operator's folder is made, and the last nightly copy of its books.
        with_curve: Whether real signatures are made and the wallet's own code handles them. Blind
            tokens are left out then.
        nightly: Told of each copy, with the number of the day that begins; the next replaces it.
        watch: Told of progress, in events.
    Raises:
        Disagreed: The mint answered otherwise than the policy foresaw.
    """
    clock, chance = HandClock(FIRST), _Chance(town["seed"])
    books = folder / "operator"
    make_operator(books, Settings(name="Town", currency="EUR"), clock=clock, chance=chance)
    with ExitStack() as stack:
        signatory, hands = _hands(stack, clock, chance, with_curve=with_curve)
        operator = stack.enter_context(
            open_operator(books, clock=clock, chance=chance, mint_signatory=signatory)
        )
        player = Player(operator, hands, clock, chance)
        await player.settle(town["people"], shops_of(events))
        night = 1
        # Events of one second are nanoseconds apart; the worker comes after all that is due in it.
        for event in sorted(events, key=lambda event: (event["at"], event["kind"] in WORKERS)):
            while event["at"] >= night * DAY_NS // SECOND_NS:
                nightly(night, _copy_books(books, folder / "night.db"))
                night += 1
            await player.event(event)
            watch(1)
        return player.cast()


def _hands(
    stack: ExitStack, clock: HandClock, chance: _Chance, *, with_curve: bool
) -> tuple[Signatory, tuple[Hands, TokenHands | None]]:
    plan = keyset_plan("eur", clock)
    if not with_curve:
        hashed = HashedSignatory("eur", plan.amounts, final_expiry=final_expiry(clock))
        return hashed, (HashedHands(hashed, chance.draw), TokenHands(hashed, chance.draw))
    real = InProcessSignatory.fresh(chance.draw(SEED_BYTES), [plan], clock)
    return real, (stack.enter_context(node_hands(real.keysets()[0])), None)


def shops_of(events: Sequence[Event]) -> int:
    """Count the shops that the events name."""
    return 1 + max((event.get("shop", 0) for event in events), default=0)
