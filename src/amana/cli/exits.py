"""How a command ends: with an answer, or with what happened and what to do next."""

import sqlite3
import sys
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console

from amana.audit import BooksUnreadable
from amana.kernel import Unavailable
from amana.node.listening import PortTaken
from amana.node.settings import SettingsRefused
from amana.purse.signatory import SignatoryDamaged
from amana.storage import FolderLocked
from amana.trust import KeysDamaged, SecretMissing

REFUSED: Final = 2
FOUND: Final = 1
"""Exit codes: 1 when a check found something, 2 when a command could not be carried out."""

TOLD: Final = (
    BooksUnreadable,
    FileExistsError,
    FileNotFoundError,
    PermissionError,
    FolderLocked,
    KeysDamaged,
    PortTaken,
    SecretMissing,
    SettingsRefused,
    SignatoryDamaged,
    Unavailable,
    sqlite3.OperationalError,
)
"""What a person can mend: told in a sentence, without a stack."""


class Failed(Exception):  # noqa: N818 - told to the person at the keyboard
    """The command found what it looks for, or could not be carried out."""

    def __init__(self, text: str, *, code: int = REFUSED) -> None:
        super().__init__(text)
        self.code = code


def told(command: Callable[[], Any]) -> int:
    """Run a command; turn what a person can mend into a sentence and an exit code."""
    errors = Console(stderr=True, highlight=False)
    try:
        result = command()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Failed as failure:
        errors.print(str(failure), style="bold red", markup=False)
        return failure.code
    except TOLD as refusal:
        errors.print(str(refusal), style="bold red", markup=False)
        return REFUSED
    return result if isinstance(result, int) else 0
