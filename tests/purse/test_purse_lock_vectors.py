"""Locks as the mint reads them, written down for wallets that judge a lock without the mint.

A payee without a network relies on a lock only where it has the one form that our wallet writes.
Every lock of that form must be one that the mint takes, and reads as the payee does.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.purse.model import Refusal
from amana.purse.rules.conditions import Covers, Lock, Path, read_lock

PAYEE_KEY: Final = "11" * 32
# With the key 33…33 the wallet's library blinds the payee's key, and the payer's (22…22), to these.
EPHEMERAL: Final = "023c72addb4fdf09af94f0c94d7fe92a386a7e70cf8a1d85916386bb2535c7b1b1"
PAYEE: Final = "03973b48bf500b897f06af1e42e84651497f4663e5098ac45a7e3d5a5956240019"
PAYER: Final = "038ed3cdcd040aee82f460eb7b900583a446ccfc1d946a395cb58704e25d23c60e"
END: Final = 1_900_000_000
NONCE: Final = "ab" * 32
OFF_CURVE: Final = "02" + "ff" * 32
ENDS: Final = ["locktime", str(END)]
REFUND: Final = ["refund", PAYER]


def lock(tags: Any = (ENDS, REFUND), *, kind: str = "P2PK", **members: object) -> str:
    body = {"nonce": NONCE, "data": PAYEE, "tags": tags} | members
    return json.dumps([kind, body], separators=(",", ":"))


SURE: Final = lock()

OTHERS: Final[dict[str, str]] = {
    # What a mint refuses from everybody.
    "no nonce": lock(nonce=""),
    "a nonce that is a number": lock(nonce=7),
    "a nonce with half a surrogate pair": lock(nonce="\ud800"),
    "a nonce that makes the secret too long": lock(nonce="a" * 1_024),
    "no data": lock(data=""),
    "data that is no compressed key": lock(data="05" + PAYEE[2:]),
    "data one digit short": lock(data=PAYEE[:-1]),
    "data with a line after it": lock(data=PAYEE + "\n"),
    "a refund that is no key": lock([ENDS, ["refund", "zz"]]),
    "a refund without a key": lock([ENDS, ["refund"]]),
    "an empty refund": lock([ENDS, ["refund", ""]]),
    "one refund key twice": lock([ENDS, [*REFUND, PAYER]]),
    "one refund key in two spellings": lock([ENDS, [*REFUND, "02" + PAYER[2:]]]),
    "more refund keys than places": lock([ENDS, ["refund", *map(str, range(12))]]),
    "two refunds": lock([ENDS, REFUND, REFUND]),
    "an end that is a number": lock([["locktime", END], REFUND]),
    "no end in the tag": lock([["locktime"], REFUND]),
    "two ends in one tag": lock([[*ENDS, "1"], REFUND]),
    "two ends": lock([ENDS, ENDS, REFUND]),
    "an empty tag": lock([ENDS, REFUND, []]),
    "tags that are no list": lock({"locktime": str(END)}),
    "more tags than are taken": lock([ENDS, REFUND, *([["x", "y"]] * 31)]),
    "another member": lock(more="1"),
    "another kind": lock(kind="P2PX"),
    "no signature asked for": lock([ENDS, REFUND, ["n_sigs", "0"]]),
    "two signatures of one key": lock([ENDS, REFUND, ["n_sigs", "2"]]),
    "a flag that nobody knows": lock([ENDS, REFUND, ["sigflag", "SIG_NONE"]]),
    "one member twice": SURE.replace('{"nonce"', f'{{"data":"{PAYER}","nonce"'),
    "three elements": SURE[:-1] + ",1]",
    "a lock that breaks off": SURE[:-1],
    # What a mint takes, and what might not be the payee's alone until the end.
    "the payer's key first": lock([ENDS, ["refund", PAYEE]], data=PAYER),
    "another key beside it": lock([ENDS, REFUND, ["pubkeys", PAYER]]),
    "another key that must sign": lock([ENDS, REFUND, ["pubkeys", PAYER], ["n_sigs", "2"]]),
    "a signature over all": lock([ENDS, REFUND, ["sigflag", "SIG_ALL"]]),
    "a lock on a hash": lock(kind="HTLC", data="ab" * 32),
    "no end": lock([REFUND]),
    "an end that is no number": lock([["locktime", f"{END}.5"], REFUND]),
    "no tags": lock([]),
    # What a mint takes and reads as the payee does, in a form that this wallet never writes.
    "no refund": lock([ENDS]),
    "a refund off the curve": lock([ENDS, ["refund", OFF_CURVE]]),
    "the tags in another order": lock([REFUND, ENDS]),
    "a tag without a meaning": lock([ENDS, REFUND, ["memo", "x"]]),
    "the flag that holds anyway": lock([ENDS, REFUND, ["sigflag", "SIG_INPUTS"]]),
    "data in capitals": lock(data="03" + PAYEE[2:].upper()),
    "a nonce of another length": lock(nonce="ab"),
    "an end with a zero before it": lock([["locktime", f"0{END}"], REFUND]),
    "blanks": SURE.replace(",{", ", {"),
    "a line after it": SURE + "\n",
    "digits written as escapes": SURE.replace(NONCE[:1], "\\u0061", 1),
    # What a mint takes for no lock at all: it is anybody's.
    "plain": "ab" * 32,
    "an object": json.dumps({"nonce": NONCE, "data": PAYEE, "tags": [ENDS, REFUND]}),
}


def told(secret: str) -> str:
    """How the mint reads a secret: as a lock, as a plain secret, or why it takes it from nobody."""
    read = read_lock(secret)
    if isinstance(read, Refusal):
        return read.detail
    return "plain" if read is None else "lock"


@pytest.mark.golden
def test_what_the_mint_makes_of_each_lock_is_written_down_for_wallets(
    golden: Callable[[str, str], None],
) -> None:
    unsure = [
        {"what": what, "secret": secret, "mint": told(secret)} for what, secret in OTHERS.items()
    ]
    vectors = {
        "payee_key": PAYEE_KEY,
        "ephemeral": EPHEMERAL,
        "sure": {"secret": SURE, "until": END},
        "unsure": unsure,
    }
    golden("locks.json", json.dumps(vectors, indent=2) + "\n")
    refused = [one for one in unsure if one["mint"] not in {"lock", "plain"}]
    assert len(refused) >= len(OTHERS) // 2


HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
DIGITS: Final = re.compile(r"[1-9][0-9]{9}", re.ASCII)


@given(
    nonce=st.from_regex(HEX, fullmatch=True),
    keys=st.lists(st.from_regex(HEX, fullmatch=True), min_size=2, max_size=2),
    signs=st.lists(st.sampled_from(("02", "03")), min_size=2, max_size=2),
    end=st.from_regex(DIGITS, fullmatch=True),
)
def test_the_mint_takes_every_lock_of_the_form_that_wallets_rely_on(
    nonce: str, keys: list[str], signs: list[str], end: str
) -> None:
    payee, payer = (sign + key for sign, key in zip(signs, keys, strict=True))
    read = read_lock(lock([["locktime", end], ["refund", payer]], nonce=nonce, data=payee))
    assert isinstance(read, Lock)
    assert read.main == Path((bytes.fromhex(keys[0]),), 1)
    assert read.refund == Path((bytes.fromhex(keys[1]),), 1)
    assert (read.covers, read.hash, read.expires_s) == (Covers.SIG_INPUTS, None, int(end))
