"""Who handles the proofs of the town's purses: a stand-in, or the wallet's own code under Node."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol

from amana.purse.model import BlindedMessage, BlindSignature, Keyset, Proof
from amana.purse.policy import shipped_policy
from amana.testing.hashed import HashedSignatory
from amana.vet.town import WEB, node_program

_PROGRAM: Final = WEB / "tools" / "hands.ts"
_POINT_BYTES: Final = 32


Source = Literal["refill", "change"]
Signatures = Sequence[BlindSignature]


class Spending(NamedTuple):
    """What a wallet sends to pay: proofs, and blank outputs for change."""

    inputs: list[Proof]
    blanks: list[BlindedMessage]


class Swap(NamedTuple):
    """What a wallet sends to exchange, its own or what somebody sent: proofs and fresh outputs."""

    inputs: list[Proof]
    outputs: list[BlindedMessage]


class Disagreed(AssertionError):  # noqa: N818 - said as it is
    """The operator answered otherwise than the town's policy foresaw."""


class Hands(Protocol):
    """What one town's wallets do with outputs and signatures."""

    def outputs(self, person: int, amounts: Sequence[int]) -> list[BlindedMessage]:
        """Make the outputs of a refill."""

    def take(self, person: int, source: Source, signatures: Signatures, *, at: int) -> None:
        """Put what was signed into the purse, to be used from then on."""

    def pay(self, event: Mapping[str, Any]) -> Spending:
        """Choose proofs for a payment, and make blank outputs."""

    def swap(self, event: Mapping[str, Any]) -> Swap:
        """Make ready what is handed to somebody, taken from them, or exchanged."""

    def swapped(self, event: Mapping[str, Any], signatures: Signatures) -> None:
        """Put into the purse what stays, and aside for the payee what goes."""


class HashedHands:
    """Follows the town's own choice; proofs come from the stand-in itself."""

    def __init__(self, signatory: HashedSignatory, draw: Callable[[int], bytes]) -> None:
        """Share the stand-in, and chance."""
        self._signatory = signatory
        self._keyset = signatory.keysets()[0].id
        self._draw = draw
        self._purses: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
        self._letters: dict[int, list[Proof]] = {}
        self._secrets = 0

    def _output(self, amount: int) -> BlindedMessage:
        return BlindedMessage(self._keyset, amount, b"\x02" + self._draw(_POINT_BYTES))

    def outputs(self, person: int, amounts: Sequence[int]) -> list[BlindedMessage]:
        """Make points that mean nothing."""
        del person
        return [self._output(amount) for amount in amounts]

    def take(self, person: int, source: Source, signatures: Signatures, *, at: int) -> None:
        """Keep a secret for each signature."""
        del source, at
        for signature in signatures:
            self._purses[person, signature.amount].append(self._secret())

    def _secret(self) -> str:
        self._secrets += 1
        return f"{self._secrets:064x}"

    def pay(self, event: Mapping[str, Any]) -> Spending:
        """Take the denominations that the town chose."""
        blanks = [self._output(0) for _ in range(shipped_policy().spend.blanks)]
        return Spending(self._own(event), blanks)

    def _own(self, event: Mapping[str, Any]) -> list[Proof]:
        return [
            self._signatory.proof(amount, self._purses[event["person"], amount].pop(0))
            for amount in event["inputs"]
        ]

    def swap(self, event: Mapping[str, Any]) -> Swap:
        """Take the denominations that the town chose, or those of the letter."""
        is_taken = event["kind"] == "take"
        inputs = self._letters.pop(event["letter"]) if is_taken else self._own(event)
        amounts = sorted([*event.get("passed", ()), *event["kept"]])
        return Swap(inputs, [self._output(amount) for amount in amounts])

    def swapped(self, event: Mapping[str, Any], signatures: Signatures) -> None:
        """Keep a secret for each signature, the payee's in the letter."""
        del signatures
        for amount in event["kept"]:
            self._purses[event["person"], amount].append(self._secret())
        if event["kind"] == "give":
            self._letters[event["letter"]] = [
                self._signatory.proof(amount, self._secret()) for amount in event["passed"]
            ]


class NodeHands:
    """The wallet's own choice, blinding and checking, in one Node for the whole town."""

    def __init__(self, keyset: Keyset, process: "subprocess.Popen[str]") -> None:
        """Tell the process the keyset."""
        self._process = process
        keys = {str(amount): key.hex() for amount, key in keyset.keys.items()}
        self._ask("keyset", id=keyset.id, keys=keys)

    def _ask(self, what: str, **facts: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **facts}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the wallets' process ended"
        return json.loads(line)

    def outputs(self, person: int, amounts: Sequence[int]) -> list[BlindedMessage]:
        """Let the wallet blind fresh secrets."""
        return _messages(self._ask("outputs", person=person, amounts=list(amounts)))

    def take(self, person: int, source: Source, signatures: Signatures, *, at: int) -> None:
        """Let the wallet check and unblind."""
        told = _told(signatures)
        taken = self._ask("fill", person=person, source=source, signatures=told, at=at)
        assert taken == len(signatures), "the wallet takes every signature"

    def pay(self, event: Mapping[str, Any]) -> Spending:
        """Let the wallet choose; it must choose as the town did."""
        facts = {name: event[name] for name in ("person", "amount", "at")}
        answer = self._ask("pay", **facts)
        chosen = [proof["amount"] for proof in answer["inputs"]]
        assert chosen == event["inputs"], f"the wallet chose {chosen} for {event}"
        return Spending(_proofs(answer["inputs"]), _messages(answer["blanks"]))

    def swap(self, event: Mapping[str, Any]) -> Swap:
        """Let the wallet choose and divide; it must do both as the town did."""
        facts = {name: event[name] for name in ("person", "letter", "amount", "at")}
        answer = self._ask(event["kind"], **facts)
        for what in ("passed", "kept"):
            assert answer[what] == event.get(what, []), f"the wallet has {answer[what]} for {event}"
        inputs = [proof["amount"] for proof in answer["inputs"]]
        assert inputs == event["inputs"], f"the wallet chose {inputs} for {event}"
        return Swap(_proofs(answer["inputs"]), _messages(answer["outputs"]))

    def swapped(self, event: Mapping[str, Any], signatures: Signatures) -> None:
        """Let the wallet check and unblind, for itself and for the payee."""
        facts = {"person": event["person"], "letter": event["letter"], "at": event["rests_until"]}
        kind = "received" if event["kind"] == "take" else "change"
        taken = self._ask("swapped", signatures=_told(signatures), source=kind, **facts)
        assert taken == len(signatures), "the wallet takes every signature"


@contextmanager
def node_hands(keyset: Keyset) -> Iterator[NodeHands]:
    """Start the wallets' process, and end it."""
    command = [node_program(), str(_PROGRAM)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(WEB)
    ) as process:
        yield NodeHands(keyset, process)
        assert process.stdin is not None
        process.stdin.close()


def _messages(outputs: Sequence[Mapping[str, Any]]) -> list[BlindedMessage]:
    return [
        BlindedMessage(output["keyset"], output["amount"], bytes.fromhex(output["B_"]))
        for output in outputs
    ]


def _told(signatures: Signatures) -> list[dict[str, Any]]:
    return [
        {
            "id": one.keyset_id,
            "amount": one.amount,
            "C_": one.point.hex(),
            "dleq": {"e": one.dleq_e.hex(), "s": one.dleq_s.hex()},
        }
        for one in signatures
    ]


def _proofs(told: Sequence[Mapping[str, Any]]) -> list[Proof]:
    return [Proof(one["id"], one["amount"], one["secret"], bytes.fromhex(one["C"])) for one in told]
