"""The reference pages say what the program does: they are written by it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_program_says(generate: ModuleType) -> None:
    wrong = [
        name
        for name, text in generate.pages().items()
        if not (page := generate.REFERENCE / name).is_file()
        or page.read_text(encoding="utf-8") != text
    ]
    assert not wrong, f"`make docs` writes {wrong} anew"


def test_every_command_has_help(generate: ModuleType) -> None:
    names = generate.command_names()
    assert {"demo", "serve", "init", "replay", "recover", "audit", "backup", "restore"} <= {*names}
