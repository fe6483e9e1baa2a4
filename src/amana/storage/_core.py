"""The writer without a clock or a loop: turns and commits, for a loop or a simulator to drive.

A *commit group* is one database transaction that many units of work share. Each *turn* hands every
waiting item to its handler, together with all others of the same kind; the handler's answers are
*applied* but not yet durable. `commit` makes all of them durable at once. So a payment that takes
three turns (intent, ledger, conclusion) costs a third of a turn's share and one share of a flush.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol

Handler = Callable[[Any], Any]
"""Takes the list of waiting items of its kind, returns their answers in the same order."""


class Participant(Protocol):
    """Keeps state in memory that must follow the fate of the commit group."""

    def before_commit(self) -> None:
        """Write what is still held back; the group is committed next."""

    def after_commit(self) -> None:
        """Learn that everything applied so far is durable."""

    def after_rollback(self) -> None:
        """Forget everything since the last commit; the database has."""


class WriterCore:
    """Turns and commits on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.is_open = False
        self._participants: list[Participant] = []

    def join(self, participant: Participant) -> None:
        """Tell a participant of every commit and rollback from now on."""
        self._participants.append(participant)

    def begin(self) -> None:
        """Open a commit group, if none is open.

        Raises:
            sqlite3.OperationalError: The open one is gone, and must be rolled back.
        """
        if self.is_open:
            self._stands()
        else:
            self.connection.execute("BEGIN IMMEDIATE")
            self.is_open = True

    def _stands(self) -> None:
        """Refuse to go on where the database undid the group by itself, as some failures let it.

        What the participants hold back would be written without what was undone.
        """
        if not self.connection.in_transaction:
            raise sqlite3.OperationalError("the database undid the open group by itself")

    def apply(self, handler: Handler, items: Sequence[Any]) -> Sequence[Any]:
        """Hand waiting items to their handler within the open group.

        Raises:
            Whatever the handler raises; the caller then rolls the group back.
        """
        self.begin()
        answers: Sequence[Any] = handler(items)
        assert len(answers) == len(items), "a handler answers each item"
        return answers

    def apply_alone(self, work: Callable[[sqlite3.Connection], Any]) -> Any:  # noqa: ANN401 - the work's own answer
        """Run one unit of work; if it raises, only its own changes are undone."""
        self.begin()
        self.connection.execute("SAVEPOINT unit")
        try:
            answer = work(self.connection)
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK TO unit")
                self.connection.execute("RELEASE unit")
            raise
        self.connection.execute("RELEASE unit")
        return answer

    def commit(self) -> None:
        """Make everything applied durable.

        Raises:
            sqlite3.Error: It is not, and the group must be rolled back.
        """
        if not self.is_open:
            return
        self._stands()
        for participant in self._participants:
            participant.before_commit()
        self.connection.execute("COMMIT")
        self.is_open = False
        for participant in self._participants:
            participant.after_commit()

    def rollback(self) -> None:
        """Undo everything since the last commit, in the database and in every participant."""
        self.is_open = False
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        for participant in self._participants:
            participant.after_rollback()
