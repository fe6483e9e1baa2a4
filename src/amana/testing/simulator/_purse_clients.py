"""Wallets: clients that hold e-cash beside their accounts, and whoever tries it on with them."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, cast

import msgspec

from amana.kernel import AmanaId, IdKind, format_id
from amana.payments.model import Party
from amana.purse.methods import account, merchant, refund_quote_id
from amana.purse.model import (
    BlindedMessage,
    BlindSignature,
    Code,
    IssueQuote,
    Proof,
    Redeemed,
    RedeemQuote,
    Refusal,
)
from amana.purse.policy import refill_outputs
from amana.purse.rules import conditions
from amana.purse.rules.operations import split_amount
from amana.purse.standing import Deposit, Refill, RefillState
from amana.purse.standing.model import StandingRefused
from amana.testing.simulator._clients import Clients, Operation
from amana.testing.simulator._faults import Faults
from amana.testing.simulator._node import Answer, Ask, Asked
from amana.testing.simulator._purse_node import (
    TIERS,
    Fetched,
    PurseAsk,
    PurseRequest,
    Restored,
    Signatures,
    small_policy,
)
from amana.testing.simulator._purse_rows import StoredPurse
from amana.testing.standin import (
    StandInSignatory,
    StandInWallet,
    nullifier_of,
    standin_signature,
)

_BLANKS: Final = 14
_AT_ONCE: Final = 500
_SECRET_BYTES: Final = 16
_DIRECT: Final = (1, 7, 50, 99, 250)
_SPENT: Final = frozenset({Code.ALREADY_SPENT, Code.ALREADY_SIGNED, Code.ALREADY_PAID})
_OVER: Final = frozenset({Code.ALREADY_PAID, Code.QUOTE_EXPIRED})
_RARELY: Final = 0.05
_SOMETIMES: Final = 0.25
_OFTEN: Final = 0.6


class PurseClients(Clients):
    """Everybody outside, with purses: coins are known to all of them alike."""

    def __init__(
        self,
        chance: random.Random,
        parties: dict[AmanaId, Party],
        faults: Faults,
        *,
        signatory: StandInSignatory,
    ) -> None:
        super().__init__(chance, parties, faults)
        self._signatory = signatory
        self.wallet = StandInWallet(signatory)
        self.coins: dict[str, Proof] = {}
        """Proofs by secret, that were not heard to be spent."""
        self._busy: set[str] = set()
        self.outputs: dict[bytes, BlindedMessage] = {}
        """Every output that a signature may have been made for, by point."""
        self._quotes: list[RedeemQuote] = []
        self._open_quotes: dict[bytes, RedeemQuote] = {}
        self._addresses: list[Deposit] = []
        self._claims: list[tuple[bytes, IssueQuote | None]] = []
        self._bought: list[tuple[AmanaId, AmanaId]] = []
        self.bad_signatures: list[bytes] = []
        """Points on which a signature was told that no key made."""
        purse_draws: tuple[Callable[[], Asked], ...] = (
            self._leave,
            *[self._fetch] * 3,
            *[self._carry_out] * 3,
            self._withdraw,
            self._address,
            *[self._swap] * 4,
            *[self._quote_order] * 3,
            *[self._quote_handle] * 2,
            self._quote_deposit,
            *[self._redeem] * 8,
            self._refund_purchase,
            *[self._claim] * 2,
            *[self._look] * 2,
            self._restore,
            self._states,
        )
        self._unfilled = list(self._customers)
        self._draws = (*self._draws, *purse_draws, *purse_draws, *purse_draws)

    def draw(self) -> Operation:
        """Draw the next operation; first of all, purses are filled."""
        if not self._unfunded and self._unfilled:
            return self.add(self.leave(self._unfilled.pop().id, TIERS[-1]))
        return super().draw()

    # Hearing

    def hear(self, operation: Operation, answer: Answer) -> None:
        """Remember an answer, and what it means for the purse."""
        super().hear(operation, answer)
        request = operation.request
        if isinstance(request, PurseRequest):
            self._hear(request, answer)

    def _hear(self, request: PurseRequest, answer: Answer) -> None:
        match request.ask, answer:
            case (PurseAsk.SWAP | PurseAsk.REDEEM, Refusal() as refusal):
                self._refused(request, refusal)
                if refusal.code in _OVER:
                    self._open_quotes.pop(request.quote, None)
            case (PurseAsk.SWAP, tuple()):
                self._spent(request)
                self._signed(request.outputs, cast("Signatures", answer))
            case (PurseAsk.REDEEM, Redeemed() as redeemed):
                self._spent(request)
                self._signed(request.outputs, redeemed.change)
                self._remember(redeemed.quote)
                self._open_quotes.pop(request.quote, None)
            case (PurseAsk.QUOTE, RedeemQuote() as quote):
                self._quotes.append(quote)
                self._open_quotes[quote.id] = quote
            case (PurseAsk.ADDRESS, Deposit() as deposit):
                self._addresses.append(deposit)
            case (PurseAsk.FETCH, tuple()):
                refill, signatures = cast("Fetched", answer)
                blanks = () if refill is None else refill.outputs
                self._signed([self.outputs[blank.point] for blank in blanks], signatures)
            case (PurseAsk.CLAIM, IssueQuote() as quote):
                self._claims.append((quote.pubkey or b"", quote))
            case (PurseAsk.CLAIM, tuple()):
                self._signed(request.outputs, cast("Signatures", answer))
            case (PurseAsk.RESTORE, list()):
                for output, signature in cast("Restored", answer):
                    self._signed([output], [signature])
            case _:
                pass

    def _signed(
        self, outputs: Iterable[BlindedMessage], signatures: Iterable[BlindSignature]
    ) -> None:
        for output, signature in zip(outputs, signatures, strict=False):
            proof = self.wallet.proof(output.point, signature)
            if not self.wallet.is_good(proof):
                self.bad_signatures.append(output.point)
            elif proof.secret not in self._busy:
                self.coins[proof.secret] = proof

    def _spent(self, request: PurseRequest) -> None:
        for proof in request.inputs:
            self._busy.add(proof.secret)
            self.coins.pop(proof.secret, None)

    def _refused(self, request: PurseRequest, refusal: Refusal) -> None:
        if refusal.code not in _SPENT and refusal.code is not Code.QUOTE_PENDING:
            for proof in request.inputs:
                self._busy.discard(proof.secret)
                self.coins[proof.secret] = proof

    def _remember(self, quote: RedeemQuote) -> None:
        """Know what was bought of whom, so that it can be given back."""
        if quote.method != merchant.METHOD:
            return
        target = msgspec.msgpack.decode(quote.target, type=merchant.Target)
        self._bought.append((quote.payment_id, AmanaId(int.from_bytes(target.merchant))))
        if target.refund_key is not None:
            self._claims.append((target.refund_key, None))

    # Rivals

    def draw_rival(self, latest: Operation) -> Operation | None:
        """Now and then, spend the same proofs elsewhere, or pay the same quote with others."""
        request = latest.request
        if not isinstance(request, PurseRequest):
            return super().draw_rival(latest)
        if not request.inputs or self._chance.random() >= 2 * self._faults.key_shared:
            return None
        rival = self._chance.choice((self._same_proofs, self._same_quote))(request)
        return None if rival is None else self.add(rival)

    def _same_proofs(self, request: PurseRequest) -> PurseRequest | None:
        if self._chance.random() < _OFTEN or not self._quotes:
            return self._swap_of(request.inputs)
        return self._redemption_of(self._chance.choice(self._quotes), request.inputs)

    def _same_quote(self, request: PurseRequest) -> PurseRequest | None:
        if request.ask is not PurseAsk.REDEEM:
            return None
        quote = next(each for each in self._quotes if each.id == request.quote)
        others = self._gather(quote.amount)
        return None if others is None else self._redemption_of(quote, others)

    # What wallets ask

    def _outputs(self, amounts: Sequence[int]) -> tuple[BlindedMessage, ...]:
        made = tuple(
            self.wallet.output(self._chance.randbytes(_SECRET_BYTES), amount) for amount in amounts
        )
        self.outputs.update((output.point, output) for output in made)
        return made

    def leave(self, party: AmanaId, amount: int) -> PurseRequest:
        """Leave the next refill."""
        outputs = self._outputs(refill_outputs(small_policy(), amount))
        return PurseRequest(PurseAsk.LEAVE, party, outputs=outputs, amount=amount)

    def _leave(self) -> Asked:
        return self.leave(self._customer(), self._chance.choice((*TIERS, TIERS[-1])))

    def _fetch(self) -> Asked:
        return PurseRequest(PurseAsk.FETCH, self._customer())

    def carry_out(self) -> PurseRequest:
        """Let the operator do what is due."""
        return PurseRequest(PurseAsk.CARRY_OUT)

    def _carry_out(self) -> Asked:
        return self.carry_out()

    def _withdraw(self) -> Asked:
        return PurseRequest(PurseAsk.WITHDRAW, self._customer())

    def _address(self) -> Asked:
        return PurseRequest(PurseAsk.ADDRESS, self._customer())

    def _draw_coins(self, count: int) -> tuple[Proof, ...]:
        """Take coins; now and then some that are on their way elsewhere."""
        free = [proof for secret, proof in self.coins.items() if secret not in self._busy]
        if not free or self._chance.random() < self._faults.key_shared:
            free = list(self.coins.values())
        return tuple(self._chance.sample(free, min(count, len(free))))

    def _gather(self, amount: int) -> tuple[Proof, ...] | None:
        """Take coins of at least this sum."""
        taken: list[Proof] = []
        for proof in self._draw_coins(len(self.coins)):
            if sum(each.amount for each in taken) >= amount:
                break
            taken.append(proof)
        return tuple(taken) if sum(each.amount for each in taken) >= amount else None

    def swap(self, inputs: Sequence[Proof]) -> PurseRequest:
        """Exchange proofs for fresh ones of the same sum."""
        return self._swap_of(tuple(inputs))

    def _swap_of(self, inputs: tuple[Proof, ...]) -> PurseRequest:
        total = sum(proof.amount for proof in inputs)
        first = self._chance.randint(0, total)
        keys = self._signatory.keysets()[-1].keys
        amounts = sorted(split_amount(first, keys) + split_amount(total - first, keys))
        if self._chance.random() < self._faults.key_shared * _RARELY:
            amounts[0] *= 2
        self._busy.update(proof.secret for proof in inputs)
        return PurseRequest(PurseAsk.SWAP, inputs=inputs, outputs=self._outputs(amounts))

    def _swap(self) -> Asked:
        inputs = self._draw_coins(self._chance.randint(1, 4))
        return self._swap_of(inputs) if inputs else self._leave()

    def _fields(self) -> dict[str, object]:
        fields: dict[str, object] = {}
        if self._chance.random() < _SOMETIMES:
            fields["tip"] = 5
        if self._chance.random() < _OFTEN:
            is_new = not self._claims or self._chance.random() > _RARELY
            key = b"\x02" + self._chance.randbytes(32) if is_new else self._claims[-1][0]
            fields["refund_key"] = key.hex()
        return fields

    def _quote_order(self) -> Asked:
        if not self._orders:
            return self._order()
        some = [self._recent_order() for _ in range(3)]
        order = min(some, key=lambda each: (each.capture, each.amount))
        return PurseRequest(
            PurseAsk.QUOTE, target=format_id(IdKind.ORDER, order.id), fields=self._fields()
        )

    def _quote_handle(self) -> Asked:
        return PurseRequest(
            PurseAsk.QUOTE,
            target=f"@{self._merchant():x}",
            amount=self._chance.choice(_DIRECT),
            fields=self._fields(),
        )

    def _quote_deposit(self) -> Asked:
        if not self._addresses:
            return self._address()
        deposit = self._chance.choice(self._addresses)
        return PurseRequest(
            PurseAsk.QUOTE,
            method=account.METHOD,
            target=account.ADDRESS_MARK + deposit.id.hex(),
            amount=self._chance.choice(TIERS),
        )

    def _redemption_of(self, quote: RedeemQuote, inputs: tuple[Proof, ...]) -> PurseRequest:
        total = sum(proof.amount for proof in inputs)
        count = _BLANKS
        if self._chance.random() < _RARELY:
            count = self._chance.randint(0, 3)
        blanks = self._outputs([0] * count) if total > quote.amount or count else ()
        self._busy.update(proof.secret for proof in inputs)
        return PurseRequest(
            PurseAsk.REDEEM, inputs=inputs, outputs=blanks, method=quote.method, quote=quote.id
        )

    def _redeem(self) -> Asked:
        if not self._quotes:
            return self._quote_order()
        quotes = list(self._open_quotes.values()) or self._quotes
        latest = self._chance.random() < _OFTEN
        quote = quotes[-1] if latest else self._chance.choice(quotes)
        inputs = self._gather(quote.amount)
        if inputs is None:
            return self._chance.choice((self._fetch, self._carry_out, self._quote_handle))()
        return self._redemption_of(quote, inputs)

    def _look(self) -> Asked:
        if not self._quotes:
            return self._quote_handle()
        quote = self._quotes[-1]
        return PurseRequest(PurseAsk.LOOK, method=quote.method, quote=quote.id)

    def _refund_purchase(self) -> Asked:
        if not self._bought:
            return self._redeem()
        payment, payee = self._chance.choice(self._bought)
        part = self._chance.choice((None, None, 1, 30))
        return self._of(Ask.REFUND, payee, subject=payment, amount=part)

    def _claim(self) -> Asked:
        if not self._claims:
            return self._refund_purchase()
        key, quote = self._chance.choice(self._claims)
        if quote is None or quote.paid <= quote.issued:
            return PurseRequest(PurseAsk.CLAIM, quote=refund_quote_id(key))
        keys = self._signatory.keysets()[-1].keys
        outputs = self._outputs(split_amount(quote.paid - quote.issued, keys))
        message = conditions.framed_quote_message(quote.id.hex(), outputs)
        is_forged = self._chance.random() < _RARELY
        signature = bytes(64) if is_forged else standin_signature(key, message)
        return PurseRequest(PurseAsk.CLAIM, quote=quote.id, outputs=outputs, signature=signature)

    def restorations(self) -> list[PurseRequest]:
        """Ask for every signature that may have been lost."""
        made = list(self.outputs.values())
        return [
            PurseRequest(PurseAsk.RESTORE, outputs=tuple(made[start : start + _AT_ONCE]))
            for start in range(0, len(made), _AT_ONCE)
        ]

    def _restore(self) -> Asked:
        some = list(self.outputs.values())[-_BLANKS:]
        return PurseRequest(PurseAsk.RESTORE, outputs=tuple(some))

    def _states(self) -> Asked:
        coins = self._draw_coins(4)
        return PurseRequest(PurseAsk.STATES, nullifiers=tuple(nullifier_of(c) for c in coins))

    # At the end

    def unspent(self, restored: Answer, stored: StoredPurse) -> Iterator[Proof]:
        """Return each coin whose signature was given again and that the books do not have."""
        for output, signature in cast("Restored", restored):
            proof = self.wallet.proof(output.point, signature)
            if nullifier_of(proof) not in stored.spent:
                self._busy.discard(proof.secret)
                self.coins[proof.secret] = proof
                yield proof

    def fetching(self) -> list[PurseRequest]:
        """Ask for each customer's refill."""
        return [PurseRequest(PurseAsk.FETCH, party.id) for party in self._customers]

    def mended(self, answer: Answer) -> PurseRequest | None:
        """Leave other outputs for a refill that was debited and cannot be signed."""
        refill = answer[0] if isinstance(answer, tuple) and answer else None
        if not isinstance(refill, Refill) or refill.state is RefillState.SIGNED:
            return None
        return self.leave(refill.party, refill.amount)

    def outcomes(self, operation: Operation) -> Iterator[str]:
        """Say in words what an operation came to, to be counted."""
        request = operation.request
        if isinstance(request, PurseRequest) and request.ask in {PurseAsk.SWAP, PurseAsk.REDEEM}:
            for answer in operation.heard[:1]:
                ending = answer.code.name.lower() if isinstance(answer, Refusal) else "done"
                yield f"{request.ask.name.lower()} {ending}"
        elif isinstance(request, PurseRequest) and request.outputs and operation.heard:
            is_done = not isinstance(operation.heard[0], Refusal | StandingRefused)
            yield f"{request.ask.name.lower()} {'done' if is_done else 'refused'}"
