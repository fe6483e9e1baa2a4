"""Planted names, handles and notes: found where they are declared, and nowhere else.

Method: run everything once with words that occur nowhere else, then search the log, every answer a
merchant gets, every refusal, and every column of every table.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.town import Client, Json, Town, eur, open_town

from amana.people import LEGAL_NAME
from amana.storage import Category, declaration_of, metadata

NAME = "Zephyrine Quillfeather"
HANDLE = "zq-canary-7h"
LEGAL = "Zacharias Legalcanary"
NOTE = "Tm90ZUNhbmFyeU5vdGVDYW5hcnk"
RECEIPT = "UmVjZWlwdENhbmFyeVJlY2VpcHQ"
NOTE_KEY = "Q2FuYXJ5" * 5 + "Q2A"
REFERENCE = "REFCANARY-1"
PERSONAL = (NAME, HANDLE, LEGAL)


class Journey:
    """What happened on one journey through the whole API."""

    def __init__(self, town: Town) -> None:
        self.town = town
        asked = {"handle": HANDLE, "display_name": NAME}
        made = town.staff.post("/v1/operator/customers", asked)
        self.customer = Client(town, HANDLE, made.body["token"])
        self.customer_id = made.body["customer"]["id"]
        town.top_up(HANDLE, 100_000)
        self.friend = town.customer(1_000, name="Plain Friend")
        self.shop = town.merchant()
        self.merchant_saw: list[bytes] = []
        self.refusals: list[bytes] = []

    def run(self) -> None:
        """Pay, refuse, capture, void, refund, and read everything a merchant can read."""
        customer, shop = self.customer, self.shop
        facts = self.town.operator.directory.by_handle(HANDLE)
        assert facts is not None
        assert self.town.run(self.town.operator.door.keep(facts.party, {LEGAL_NAME: LEGAL})) is None
        customer.put("/v1/account/note-key", {"note_key": NOTE_KEY})
        notes = {"sealed_note": NOTE, "note_key": NOTE_KEY}
        first = self.saw("/v1/orders", {"amount": eur(500), "reference": REFERENCE})
        customer.pay_code(first["code"], 500, "one", **notes)
        path = f"/v1/orders/{first['id']}"
        assert shop.put(f"{path}/receipt-note", {"sealed_note": RECEIPT}).status == 204
        self.saw(f"{path}/refunds", {"amount": eur(100)})
        for action in ("capture", "cancel"):
            held = self.saw("/v1/orders", {"amount": eur(300), "capture": "manual"})
            customer.pay_code(held["code"], 300)
            self.saw(f"/v1/orders/{held['id']}/{action}", {})
            self.saw(f"/v1/orders/{held['id']}")
        customer.pay(shop.handle, 70)
        customer.pay(self.friend.handle, 20)
        self._be_refused()
        for read in ("/v1/merchant", "/v1/orders", "/v1/events", path, "/v1/api-keys"):
            self.saw(read)

    def saw(self, path: str, body: Json = None) -> Json:
        """Ask as the merchant."""
        answer = self.shop.get(path) if body is None else self.shop.post(path, body)
        assert answer.status in {200, 201}, answer.content
        self.merchant_saw.append(answer.content + str(answer.headers).encode())
        return answer.body

    def _be_refused(self) -> None:
        customer, shop, town = self.customer, self.shop, self.town
        asked = [
            customer.pay(shop.handle, 99_999_999),
            customer.pay(HANDLE, 5),
            customer.pay("nobody", 5),
            customer.pay(shop.handle, 6, "one"),
            customer.pay(NAME, 5),
            self.friend.pay(HANDLE, 99_000),
            town.staff.post(
                "/v1/operator/customers", {"handle": HANDLE, "display_name": NAME, "language": "xx"}
            ),
            town.staff.post("/v1/operator/customers", {"handle": HANDLE, "display_name": NAME}),
            town.staff.post("/v1/operator/customers", {"handle": NAME, "display_name": NAME}),
            customer.post("/v1/payments", {"payee": NAME, "amount": NAME}),
            customer.post("/v1/codes", {"code": NAME, "extra": NAME}),
            customer.post("/v1/codes", content=NAME.encode()),
            customer.get(f"/v1/payments/{NAME}"),
            customer.get(f"/v1/payments?cursor={NAME}"),
            customer.get(f"/v1/events?after={NAME}"),
            customer.get(f"/{NAME}"),
            shop.put("/v1/orders/x/receipt-note", {"sealed_note": NAME}),
        ]
        for answer in asked:
            assert answer.status >= 400, answer.content
            self.refusals.append(answer.content + str(answer.headers).encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("privacy") / "town"


@pytest.fixture(scope="module")
def log() -> Iterator[list[str]]:
    """Every line the product logs, at every level."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, root = Keeping(), logging.getLogger("amana")
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="module")
def journey(folder: Path, log: list[str]) -> Iterator[Journey]:
    assert log == []
    with open_town(folder) as town:
        made = Journey(town)
        made.run()
        yield made


def test_the_log_names_nobody(journey: Journey, log: list[str]) -> None:
    said = "\n".join(log)
    secrets = [client.token for client in (journey.customer, journey.shop, journey.town.staff)]
    for word in (*PERSONAL, NOTE, RECEIPT, REFERENCE, *secrets):
        assert word not in said


def test_a_merchant_never_learns_who_paid(journey: Journey) -> None:
    seen = b"\n".join(journey.merchant_saw).decode()
    for word in (*PERSONAL, journey.customer_id, journey.customer_id.partition("_")[2], "cus_"):
        assert word not in seen
    assert "payer" not in seen


def test_a_refusal_repeats_nothing_of_what_was_sent(journey: Journey) -> None:
    said = b"\n".join(journey.refusals).decode()
    for word in (*PERSONAL, NOTE, journey.customer.token):
        assert word not in said


def test_the_tables_hold_personal_words_only_where_they_are_declared(journey: Journey) -> None:
    """A word that is found must stand in a column that declares that kind of data."""
    allowed = {
        NAME: {Category.NAME},
        HANDLE: {Category.USERNAME},
        LEGAL: set(),
        NOTE: {Category.SEALED},
        RECEIPT: {Category.SEALED},
        REFERENCE: {Category.TRANSACTION},
    }
    found: dict[str, set[Category]] = {word: set() for word in allowed}
    reading = journey.town.operator.read_connection
    for table in metadata.sorted_tables:
        for column in table.columns:
            declared = declaration_of(column)
            assert declared is not None
            rows = reading.execute(f"SELECT {column.name} FROM {table.name}").fetchall()  # noqa: S608 - names of our own
            held = b"\n".join(_bytes(value) for (value,) in rows)
            for word in allowed:
                if word.encode() in held:
                    found[word].add(declared.category)
    assert found == allowed


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_no_file_holds_what_the_vault_sealed(journey: Journey, folder: Path) -> None:
    assert journey.town.operator.folder == folder
    for path in folder.rglob("*"):
        if path.is_file():
            assert LEGAL.encode() not in path.read_bytes(), path.name


def test_the_books_name_no_person(journey: Journey) -> None:
    reading = journey.town.operator.read_connection
    for table in ("ledger_accounts", "ledger_transfers"):
        dump = "".join(str(row) for row in reading.execute(f"SELECT * FROM {table}"))  # noqa: S608 - names of our own
        for word in (*PERSONAL, NOTE, RECEIPT, REFERENCE):
            assert word not in dump
