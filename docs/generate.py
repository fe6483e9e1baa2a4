"""Writes the reference pages from the program itself, so that they cannot differ from it.

`make docs` runs it; a test runs it too and compares.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console

import amana
from amana.cli import app
from amana.node.http.answers import ANSWERS
from amana.node.http.app import create_framework_app
from amana.node.http.docs import openapi_of
from amana.node.operator import make_operator, open_operator
from amana.node.problems import DETAILS, PROBLEMS
from amana.node.settings import SETTINGS, Settings
from amana.payments import postings
from amana.payments.model import TRANSITIONS, PaymentKind, PaymentStatus
from amana.storage import declaration_of, metadata

REFERENCE: Final = Path(__file__).parent / "reference"
NOTE: Final = "<!-- Written by `make docs`. Change the program, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """Return every reference page by its file's name."""
    makers: dict[str, Callable[[], Iterator[str]]] = {
        "api.md": _api,
        "problems.md": _problems,
        "settings.md": _settings,
        "commands.md": _commands,
        "accounts.md": _accounts,
        "states.md": _states,
        "columns.md": _columns,
    }
    return {name: NOTE + "\n".join(make()) + "\n" for name, make in makers.items()}


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _problems() -> Iterator[str]:
    yield "# Problems"
    yield ""
    yield "Errors are problem documents (RFC 9457). Clients switch on the last part of `type`; it"
    yield "never changes its meaning. `retry_with_same_id` says that the outcome is not known: ask"
    yield "again with the same Idempotency-Key."
    for slug, (status, title) in PROBLEMS.items():
        yield f"\n## {slug}\n"
        yield f"{status}. {title}."
        if slug in DETAILS:
            yield f"{DETAILS[slug]}"


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "In `amana.toml` in the data folder, written by `amana init`. A setting that is not known"
    yield "is refused by its name."
    yield ""
    default = Settings()
    rows = [(f"`{name}`", meaning, f"`{getattr(default, name)}`") for name, meaning in SETTINGS]
    yield from _table(("setting", "meaning", "unless set"), rows)


def _accounts() -> Iterator[str]:
    yield "# Chart of accounts"
    yield ""
    yield "The ledger is the currency's ISO 4217 number; the code says what an account is for."
    yield ""
    yield from _table(
        ("code", "accounts", "normal balance", "bound"),
        [
            (str(postings.CODE_SETTLEMENT), "settlement: money at the bank", "debit", "none"),
            (str(postings.CODE_FEES), "fees taken", "credit", "never below zero"),
            (str(postings.CODE_ECASH), "e-cash that is out", "credit", "never below zero"),
            (str(postings.CODE_CUSTOMER), "customers", "credit", "never below zero"),
            (str(postings.CODE_MERCHANT), "merchants", "credit", "never below zero"),
        ],
    )
    yield ""
    yield "## Codes of transfers"
    yield ""
    kinds = [(str(int(kind)), kind.name.lower()) for kind in PaymentKind]
    kinds += [
        (str(postings.TRANSFER_FEE), "fee"),
        (str(postings.TRANSFER_FEE_RETURNED), "fee returned"),
        (str(postings.TRANSFER_PURSE_FEE), "fee of a payment from the purse"),
    ]
    yield from _table(("code", "transfer"), kinds)


def _states() -> Iterator[str]:
    yield "# States of a payment"
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {PaymentStatus.PENDING.name.lower()}"
    for before, following in TRANSITIONS.items():
        for after in sorted(following):
            yield f"    {before.name.lower()} --> {after.name.lower()}"
        if not following:
            yield f"    {before.name.lower()} --> [*]"
    yield "```"
    yield ""
    yield "Refunds are payments of their own and change nothing here."


def _columns() -> Iterator[str]:
    for module in pkgutil.walk_packages(amana.__path__, "amana."):
        if module.name.endswith((".tables", ".store")):
            importlib.import_module(module.name)
    yield "# What each column declares"
    yield ""
    yield "Category and purpose are terms of the W3C's Data Privacy Vocabulary."
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        yield f"\n## {table.name}\n"
        rows = []
        for column in table.columns:
            declared = declaration_of(column)
            assert declared is not None, f"{column} declares nothing"
            rows.append(
                (
                    f"`{column.name}`",
                    declared.category.value,
                    declared.purpose.value,
                    declared.retention.value,
                    declared.joinable.value,
                )
            )
        yield from _table(("column", "category", "purpose", "kept", "joins with"), rows)


def _openapi() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        make_operator(Path(folder) / "data", Settings())
        with open_operator(Path(folder) / "data") as operator:
            return openapi_of(create_framework_app(operator))


def _api() -> Iterator[str]:
    document = _openapi()
    yield "# The API"
    yield ""
    yield "A running operator serves this as OpenAPI 3.1 at `/openapi.json`, readable at `/docs`."
    yield "Errors are [problem documents](problems.md)."
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield from _operation(f"{method.upper()} {path}", operation)
    yield "\n# Bodies and answers"
    for name, schema in sorted(document["components"]["schemas"].items()):
        if "properties" in schema:
            yield from _schema(name, schema)


def _operation(title: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield str(operation.get("description") or operation.get("summary") or "")
    if "security" in operation:
        yield "\nNeeds a token."
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = str(body.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    if reference:
        yield f"\nBody: [{reference}](#{reference.lower()})"
    answer = ANSWERS.get(title)
    if answer:
        yield f"\nAnswer: [{answer}](#{answer.lower()})"
    parameters = [
        (f"`{p['name']}`", p["in"], p.get("description") or "")
        for p in operation.get("parameters", [])
    ]
    if parameters:
        yield ""
        yield from _table(("parameter", "in", "meaning"), parameters)


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"\n## {name}\n"
    if schema.get("description"):
        yield f"{inspect.cleandoc(schema['description'])}\n"
    required = set(schema.get("required", ()))
    rows = [
        (f"`{field}`", _kind(shape), "yes" if field in required else "no")
        for field, shape in schema["properties"].items()
    ]
    yield from _table(("field", "is", "required"), rows)


def _kind(shape: dict[str, Any]) -> str:
    """Say in a few words what a field may be."""
    if "$ref" in shape:
        return str(shape["$ref"]).rpartition("/")[2]
    for several in ("oneOf", "anyOf"):
        if several in shape:
            return " or ".join(_kind(one) for one in shape[several])
    if "enum" in shape:
        return " or ".join(f"`{value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    kind = shape.get("type", "anything")
    kinds = kind if isinstance(kind, list) else [kind]
    if kinds == ["array"]:
        return f"list of {_kind(shape.get('items', {}))}"
    bounds = [
        f"{word} {shape[key]}"
        for key, word in (
            ("minLength", "at least"),
            ("maxLength", "at most"),
            ("minimum", "from"),
            ("maximum", "to"),
        )
        if key in shape
    ]
    return " ".join([" or ".join(kinds), *bounds])


def _commands() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "```"
    yield from help_of()
    yield "```"
    for name in command_names():
        yield f"\n## amana {name}\n"
        yield "```"
        yield from help_of(*name.split())
        yield "```"


def command_names() -> list[str]:
    """Return the commands that the help lists."""
    names: list[str] = []
    for line in help_of():
        word = line.strip("│ ").split(" ")[0]
        if word.islower() and word.isalpha() and line.startswith(("│", "  ")):
            names.append(word)
    return names


def help_of(*command: str) -> list[str]:
    """Return the help of a command, as a terminal of 90 columns shows it."""
    shown = Console(file=StringIO(), width=90, color_system=None)
    app([*command, "--help"], console=shown, exit_on_error=False, result_action="return_value")
    assert isinstance(shown.file, StringIO), "the console writes where it was told to"
    return [line.rstrip() for line in shown.file.getvalue().strip("\n").splitlines()]


def main() -> None:
    """Write the pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
