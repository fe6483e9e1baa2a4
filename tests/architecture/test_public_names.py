"""What each room offers to others is listed in a golden file, so that a change is seen."""

import importlib
import pkgutil
from collections.abc import Callable

import pytest

import amana


def rooms() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(amana.__path__) if module.ispkg)


@pytest.mark.golden
def test_the_public_names_are_the_listed_ones(golden: Callable[[str, str], None]) -> None:
    lines = []
    for room in rooms():
        names = getattr(importlib.import_module(f"amana.{room}"), "__all__", ())
        lines += [f"{room}.{name}" for name in sorted(names)]
    golden("public_names.txt", "\n".join(lines) + "\n")


def test_every_public_name_is_there() -> None:
    for room in rooms():
        module = importlib.import_module(f"amana.{room}")
        missing = [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)]
        assert not missing, (room, missing)


def test_every_room_says_what_it_is_for() -> None:
    silent = [room for room in rooms() if not importlib.import_module(f"amana.{room}").__doc__]
    assert not silent, silent
