"""Telling whoever waits for changes (NUT-17): after they are durable, and kept in memory alone."""

from collections.abc import Callable, Sequence

from amana.purse.model import Change, ChangeKind, VerifiedProof

Listener = Callable[[Change], None]


class Listeners:
    """Those who are told."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener of every change from now on; return what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, kind: ChangeKind, key: bytes) -> None:
        """Tell of one change."""
        for listener in self._listeners:
            listener(Change(kind, key))

    def tell_spent(self, proofs: Sequence[VerifiedProof]) -> None:
        """Tell of proofs that were spent."""
        if self._listeners:
            for proof in proofs:
                self.tell(ChangeKind.PROOF, proof.nullifier)
