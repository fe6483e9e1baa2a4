"""The style guide's rules that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import PACKAGE, ROOT, files, is_pure, modules, place, texts

FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 500
LINE_CHARACTERS_MAX = 100
LINTERS_WORD = re.compile(r"\s+# (?:noqa|type: ignore|pragma:).*$")

# A migration is a list of statements, written once and never changed; no size helps it.
MIGRATIONS = PACKAGE / "storage" / "versions"

# What is written, and the word of the glossary to write instead.
WORDS = {
    "chargeback": "dispute",
    "finalise": "capture",
    "finalize": "capture",
    "cents": "minor",
    "txn": "transfer or payment",
    "ts": "an instant by its name, created_at",
    "acct": "ledger_account or payment_account",
    "amt": "amount_minor",
    "authorization": "authorisation",
    "authorized": "authorised",
    "behavior": "behaviour",
    "canceled": "cancelled",
    "color": "colour",
    "normalize": "normalise",
    "organization": "organisation",
    "recognize": "recognise",
    "serialize": "write",
}
# Words that only mislead where money moves; elsewhere a sender of webhooks may be one.
WORDS_OF_MONEY = {"sender": "payer", "receiver": "payee", "recipient": "payee"}
ROOMS_OF_MONEY = {"ledger", "payments"}
ROOMS_REFUSED = {"utils", "util", "common", "helpers", "helper", "base", "misc", "shared"}

TYPED = {".py", ".ts", ".svelte", ".css", ".sh"}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length_without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def test_functions_are_short() -> None:
    long = [
        f"{place(path, node.lineno)} {node.name} has {length} lines"
        for path, _, tree in modules()
        if path.parent != MIGRATIONS
        for node in functions(tree)
        if (length := length_without_docstring(node)) > FUNCTION_LINES_MAX
    ]
    assert not long, "\n".join(long)


def test_files_are_short() -> None:
    long = [
        f"{place(path)} has {count} lines"
        for path, text in texts()
        if path.parent != MIGRATIONS
        if path.suffix in TYPED and (count := text.count("\n")) > FILE_LINES_MAX
    ]
    assert not long, "\n".join(long)


def test_lines_are_short() -> None:
    long = [
        f"{place(path, number)} has {len(line)} characters"
        for path, text in texts()
        if path.suffix in {".py", ".sh"}
        for number, line in enumerate(text.splitlines(), 1)
        if len(LINTERS_WORD.sub("", line)) > LINE_CHARACTERS_MAX
    ]
    assert not long, "\n".join(long)


def test_no_room_is_a_drawer_for_everything() -> None:
    drawers = [
        place(path)
        for path in files()
        if PACKAGE in path.parents
        and ROOMS_REFUSED & {part.strip("_") for part in path.with_suffix("").parts[-4:]}
        and path.name != "__init__.py"
    ]
    assert not drawers, drawers


def names_made(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names that a module chooses itself; what libraries chose is not its fault."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def is_of_money(path: Path) -> bool:
    return path.relative_to(PACKAGE).parts[0] in ROOMS_OF_MONEY


def words_of(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def test_names_are_words_of_the_glossary() -> None:
    found = [
        f"{place(path, line)} {name}: write {refused[word]}, not {word}"
        for path, _, tree in modules()
        if PACKAGE in path.parents
        for refused in (WORDS | WORDS_OF_MONEY if is_of_money(path) else WORDS,)
        for name, line in names_made(tree)
        for word in words_of(name)
        if word in refused
    ]
    assert not found, "\n".join(found)


def floats(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        is_word = isinstance(node, ast.Name) and node.id == "float"
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_division = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if is_word or is_literal or is_division:
            yield getattr(node, "lineno", 0)


def test_money_is_never_a_float() -> None:
    found = [
        place(path, line) for path, _, tree in modules() if is_pure(path) for line in floats(tree)
    ]
    assert not found, found


def matches(pattern: str, *, inside: Path) -> list[str]:
    expression = re.compile(pattern)
    return [
        f"{place(path, text.count(chr(10), 0, match.start()) + 1)} {match[0]}"
        for path, text in texts()
        if inside in path.parents
        for match in expression.finditer(text)
    ]


def test_nothing_is_left_to_do_in_the_code() -> None:
    assert not matches(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b", inside=ROOT)


def test_no_file_names_a_folder_of_one_machine() -> None:
    pattern = r"(?<![\w.\]])/(?:ro" + r"ot|ho" + r"me|Us" + r"ers|wo" + r"rk)/\w+"
    assert not matches(pattern, inside=ROOT)


def test_no_file_names_a_package_registry() -> None:
    pattern = r"pypi\." + r"org|pythonhosted\." + r"org|registry\." + r"(?:npmjs|yarnpkg)"
    assert not matches(pattern, inside=ROOT)


def test_locks_hold_a_hash_for_every_package() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        packages = [line for line in text.splitlines() if line.strip()]
        assert packages
        assert all("==" in line and "--hash=sha256:" in line for line in packages), name
    lock = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock


def test_the_kernel_and_the_rules_silence_no_size_rule() -> None:
    found = [
        place(path, number)
        for path, text, _ in modules()
        if is_pure(path)
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(r"noqa: (?:C901|PLR09|E501)", line)
    ]
    assert not found, found
