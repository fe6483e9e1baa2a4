"""A process that writes batches into books until it is killed, and tells each answer.

python -m amana.testing.conformance.ledger_child FILE FIRST_BATCH
"""

import sys
from itertools import count
from pathlib import Path

from amana.ledger import TransferStatus, open_sqlite_ledger
from amana.testing.conformance import _ledger_world as world
from amana.testing.conformance._ledger_durability import child_batch


def main() -> None:
    """Write until killed."""
    ledger = open_sqlite_ledger(Path(sys.argv[1]))
    for number in count(int(sys.argv[2])):
        results = ledger.create_transfers(child_batch(number), now=world.LATER)
        assert {result.status for result in results} == {TransferStatus.CREATED}
        sys.stdout.write(f"{number + 1}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
