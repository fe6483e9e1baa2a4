"""One signatory process: it answers batches until the other end of its socket closes."""

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Final

from amana.kernel import Instant
from amana.purse.ports import SigningStopped
from amana.purse.signatory.protocol import (
    LENGTH_BYTES,
    Answer,
    Ask,
    Check,
    Checked,
    Exchange,
    GiveBack,
    Limit,
    Listed,
    Made,
    Reason,
    Refused,
    Reload,
    Revoke,
    Rotate,
    Sign,
    Signatures,
    read_asks,
    write_frame,
)
from amana.purse.signatory.store import FolderStore, SignatoryDamaged
from amana.purse.signatory.vault import KeysetRetired, KeyUnknown, Vault

_PR_SET_DUMPABLE: Final = 4
_READ_BYTES: Final = 2**18
_NICENESS: Final = 5
"""Behind the process that keeps the books: it alone cannot be shared among the cores, and waited an
eighth of its time for one while signatories worked on all of them."""


class _MachineClock:
    def now(self) -> Instant:
        return Instant(time.time_ns())


def run(folder: Path, descriptor: int) -> int:
    """Serve the socket with this descriptor; return the exit code.

    Signals meant for the whole group are ignored: the process ends when its mint closes the
    socket or dies, and never in between, so that its counts are given back.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _keep_memory_private()
    os.nice(_NICENESS)
    with socket.socket(fileno=descriptor) as connection:
        try:
            vault = Vault(FolderStore(folder), _MachineClock())
        except SignatoryDamaged as damaged:
            connection.sendall(write_frame([Refused(Reason.DAMAGED, str(damaged))]))
            return 1
        try:
            _serve(connection, vault)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            vault.close()
    return 0


def _keep_memory_private() -> None:
    """No core file, and no debugger of the same user, may read the keys out of memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _serve(connection: socket.socket, vault: Vault) -> None:
    connection.sendall(write_frame([Listed(list(vault.keysets()))]))
    while (body := _read(connection)) is not None:
        connection.sendall(write_frame([answer(vault, ask) for ask in read_asks(body)]))


def _read(connection: socket.socket) -> bytes | None:
    """Read a frame, mostly in one piece; None at the end. The next one waits for its answer."""
    frame = b""
    while len(frame) < LENGTH_BYTES + int.from_bytes(frame[:LENGTH_BYTES]):
        part = connection.recv(_READ_BYTES)
        if not part:
            return None
        frame += part
    return frame[LENGTH_BYTES:]


def answer(vault: Vault, ask: Ask) -> Answer:
    """Do what is asked, or say why not."""
    try:
        return _do(vault, ask)
    except SigningStopped as stopped:
        return Refused(Reason.STOPPED, str(stopped))
    except KeysetRetired as retired:
        return Refused(Reason.RETIRED, str(retired))
    except KeyUnknown as unknown:
        return Refused(Reason.UNKNOWN, str(unknown))


def _do(vault: Vault, ask: Ask) -> Answer:
    match ask:
        case Check(claims, is_revoked):
            return Checked(vault.check_revoked(claims) if is_revoked else vault.check(claims))
        case Sign(blanks, is_repeat):
            return Signatures(vault.sign_again(blanks) if is_repeat else vault.sign(blanks))
        case Exchange(claims, blanks):
            return Made(*vault.exchange(claims, blanks))
        case GiveBack(blanks):
            vault.give_back(blanks)
            return Signatures([])
        case Rotate(unit, final_expiry):
            newest = vault.rotate(unit, final_expiry).number
            return Listed(list(vault.keysets()), newest)
        case Revoke(number):
            vault.revoke(number)
        case Limit(number, signatures_max):
            vault.set_limit(number, signatures_max)
        case Reload():
            vault.reload()
    return Listed(list(vault.keysets()))
