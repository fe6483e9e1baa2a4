"""`amana backup` and `amana restore`: three archives for three places."""

from pathlib import Path

from rich.console import Console

from amana.cli.exits import Failed
from amana.node.chance import SystemClock
from amana.node.settings import read_settings
from amana.storage import SETTINGS_FILE
from amana.trust import BackupRefused, Places, make_backup, restore_backup


def backup(*, data: Path, to: Path) -> None:
    """Write three archives, beside a running operator if need be.

    Carry them to three places that three people keep: the books; the persons' keys; and the
    signatory archive with the wrapping keys, of which only the newest may exist anywhere, so that
    who was erased is gone from every older backup too.

    Args:
        data: The operator's folder.
        to: Where the folders `books`, `persons` and `signatory` are to be written.
    """
    settings = read_settings(data)
    made = make_backup(data, Places.within(to), now=SystemClock().now())
    if isinstance(made, BackupRefused):
        raise Failed(made.detail)
    console = Console(highlight=False)
    console.print(f"Backup {made.name} of {settings.name}:", markup=False)
    for what, place in (
        ("books", made.places.books),
        ("persons' keys", made.places.persons),
        ("signatory", made.places.signatory),
    ):
        console.print(f"  {what}: {place / made.name}", markup=False, soft_wrap=True)


def restore(*, data: Path, source: Path, books: str = "", persons: str = "") -> None:
    """Make a data folder from the three archives; never over an existing one.

    Args:
        data: The folder to make.
        source: Where the folders `books`, `persons` and `signatory` are.
        books: The name of an older books archive; the newest without it.
        persons: The name of an older persons archive; the newest without it.
    """
    outcome = restore_backup(
        Places.within(source), data, now=SystemClock().now(), books=books, persons=persons
    )
    if isinstance(outcome, BackupRefused):
        raise Failed(outcome.detail)
    console = Console(highlight=False)
    console.print(f"Restored into {data}: books of {outcome.books}.", markup=False)
    if outcome.erasures:
        console.print(f"{outcome.erasures} persons erased since stay erased.")
    if not (data / SETTINGS_FILE).exists():
        raise Failed(f"The archives hold no {SETTINGS_FILE}; write it before serving.")
