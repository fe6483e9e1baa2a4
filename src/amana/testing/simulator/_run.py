"""Running worlds, one or thousands, and reporting what was seen."""

import traceback
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from amana.testing.simulator._auditor import audit_feeds, audit_stored
from amana.testing.simulator._node import Parts
from amana.testing.simulator._purse_world import PurseWorld
from amana.testing.simulator._stores import Form
from amana.testing.simulator._told import audit_filled, audit_told
from amana.testing.simulator._violation import Violation
from amana.testing.simulator._world import Trace, World

PRODUCT: Final = Parts()
"""The product as it ships."""

_SEPARATE_EVERY: Final = 3
"""Every third world has a ledger that commits on its own."""

_SQLITE_EVERY: Final = 50
_SQLITE: Final = frozenset({1, 3})
"""Two of fifty worlds stand on the real stores in a file, one of them with purses; these take
longer."""

_PURSES_EVERY: Final = 10
_PURSES: Final = frozenset({3, 8})
"""One of five worlds has purses."""


class WorldReport(msgspec.Struct, frozen=True):
    """What one world was like."""

    seed: int
    form: Form
    violations: tuple[Violation, ...]
    counts: dict[str, int]
    """Faults, commits and outcomes, by name."""


class Report(msgspec.Struct, frozen=True):
    """What many worlds were like together."""

    first_seed: int
    worlds: int
    counts: dict[str, int]
    failures: tuple[WorldReport, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no promise was broken in any world."""
        return not self.failures


def form_of(seed: int) -> Form:
    """Return the form of stores that a seed's world stands on."""
    if seed % _SQLITE_EVERY in _SQLITE:
        return Form.SQLITE
    return Form.SHARED if seed % _SEPARATE_EVERY else Form.SEPARATE


def has_purse(seed: int) -> bool:
    """Say whether people in a seed's world have purses."""
    return seed % _PURSES_EVERY in _PURSES


def run_world(
    seed: int, *, parts: Parts = PRODUCT, form: Form | None = None, trace: Trace | None = None
) -> WorldReport:
    """Live through one world and audit it.

    Args:
        seed: Decides everything that happens.
        parts: What the world is built from.
        form: How stores become durable; the seed's own form where None.
        trace: Called with a line for each thing that happens.
    """
    kind = PurseWorld if has_purse(seed) else World
    world = kind(seed, parts=parts, form=form or form_of(seed), trace=trace)
    violations: list[Violation] = []
    try:
        world.run()
        violations += world.violations
        stored = world.stores.stored()
        violations += audit_stored(stored, world.parties)
        violations += audit_told(stored, world.clients.operations)
        violations += audit_filled(world.filled)
        violations += world.audit_more(stored)
        violations += audit_feeds(stored, world.followed, world.told_live)
        violations += world.stores.second_opinion()
        world.counts.update(
            f"{p.kind.name.lower()} {p.reason or p.status.name.lower()}"
            for p in stored.payments.values()
        )
        world.counts.update(
            f"{s.kind.name.lower()} {s.reason or s.status.name.lower()}"
            for s in stored.steps.values()
        )
    except Exception as broken:  # noqa: BLE001 - whatever the code raises ends its world
        place = traceback.extract_tb(broken.__traceback__)[-1]
        found = f"{type(broken).__name__}: {broken} ({place.name}, line {place.lineno})"
        violations.append(Violation("a promise of the code", "world", "to hold", found))
    finally:
        world.close()
    if trace is not None:
        for violation in violations:
            trace(f"VIOLATION {violation}")
    return WorldReport(seed, world.form, tuple(violations), dict(world.counts))


def run_worlds(
    first_seed: int,
    count: int,
    *,
    progress: Callable[[int], None] | None = None,
    parts: Parts = PRODUCT,
    form: Form | None = None,
    failures_max: int = 10,
) -> Report:
    """Live through worlds one after another.

    Args:
        first_seed: The first world's seed; the others follow.
        count: How many worlds.
        progress: Called with the number of worlds done so far, after each.
        parts: What the worlds are built from.
        form: How stores become durable; each seed's own form where None.
        failures_max: Stop after this many worlds with a violation.
    """
    counts: Counter[str] = Counter()
    failures: list[WorldReport] = []
    done = 0
    for seed in range(first_seed, first_seed + count):
        report = run_world(seed, parts=parts, form=form)
        done += 1
        counts.update(report.counts)
        if report.violations:
            failures.append(report)
        if progress is not None:
            progress(done)
        if len(failures) >= failures_max:
            break
    return Report(first_seed, done, dict(counts), tuple(failures))
