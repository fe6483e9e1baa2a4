"""The repository's own files, as the tests of its habits read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "src" / "amana"
_BINARY: Final = {".png", ".ico", ".woff2", ".gz", ".db", ".webp", ".jpg"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return tuple(path for name in listed if (path := ROOT / name).is_file())


@cache
def texts() -> tuple[tuple[Path, str], ...]:
    """Every file that is text, with its text."""
    return tuple(
        (path, path.read_text(encoding="utf-8")) for path in files() if path.suffix not in _BINARY
    )


@cache
def modules() -> tuple[tuple[Path, str, ast.Module], ...]:
    """Every Python file, with its text and its syntax."""
    return tuple((path, text, ast.parse(text)) for path, text in texts() if path.suffix == ".py")


def is_pure(path: Path) -> bool:
    """Whether a file belongs to the kernel, the wire, or is a model or a set of rules."""
    if PACKAGE not in path.parents:
        return False
    room, *rest = path.relative_to(PACKAGE).parts
    return room in {"kernel", "wire"} or bool({"model.py", "rules.py", "rules", "model"} & {*rest})


def core() -> list[str]:
    """The files whose every branch is run by the tests: what is pure, and the services."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return [str(path) for path in paths if is_pure(path) or path.name == "service.py"]


def place(path: Path, line: int = 0) -> str:
    """Name a place as an editor understands it."""
    return f"{path.relative_to(ROOT)}:{line}"
