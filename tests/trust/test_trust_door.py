"""The one door: who may read, what is counted, and what is recorded before anything is opened."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trust.vault_world import COLUMNS, EMAIL, NAME, OFFICER, OtherRoom, Vault, open_vault

from amana.kernel import DAY_NS, AmanaId, Unavailable, day_number
from amana.trust import (
    ALLOWED_PURPOSES,
    DEFAULT_TABLE,
    FORBIDDEN_PURPOSES,
    Door,
    DoorColumn,
    DoorRefusal,
    DoorRefused,
    Erasure,
    FieldDamaged,
    Machine,
    Opened,
    Owner,
    Permitted,
    Reader,
    ReadPurpose,
    ReadRequest,
    StaffMember,
    TablePolicy,
)
from amana.trust.rules import associated_data, generations_to_keep, is_rewrap_due, reader_role

PERSON = AmanaId(4_000)
DETAILS = {NAME: "Noor al-Huda نور", EMAIL: "noor@example.org"}

ROLES = ["officer", "support", "auditor", "owner", "machine", ""]

persons = st.integers(1, 2**128 - 2).map(AmanaId)
readers: st.SearchStrategy[Reader] = st.one_of(
    persons.map(Owner),
    st.text(max_size=5).map(Machine),
    st.builds(StaffMember, persons, st.just("A name"), st.sampled_from(ROLES)),
)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(tmp_path / "data") as opened:
        yield opened


def read(
    vault: Vault,
    reader: Reader,
    purpose: ReadPurpose,
    *,
    columns: tuple[DoorColumn, ...] = (NAME, EMAIL),
) -> Opened | DoorRefused:
    return vault.books.run(vault.door.read(PERSON, columns, purpose=purpose, reader=reader))


def test_owners_read_what_was_kept(vault: Vault) -> None:
    assert vault.keep(PERSON, DETAILS) is None
    assert vault.own_fields(PERSON) == DETAILS


def test_a_field_kept_again_replaces_the_old_one(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.keep(PERSON, {EMAIL: "new@example.org"})
    assert vault.own_fields(PERSON) == {NAME: DETAILS[NAME], EMAIL: "new@example.org"}


def test_a_person_of_whom_nothing_is_kept_has_no_fields_and_no_keys(vault: Vault) -> None:
    assert vault.own_fields(PERSON) == {}
    assert vault.keys.keys(PERSON) is None


def test_only_the_columns_asked_for_are_opened(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    assert vault.read_own(PERSON, EMAIL) == Opened({EMAIL: DETAILS[EMAIL]})


def test_a_column_that_is_not_declared_is_neither_kept_nor_read(vault: Vault) -> None:
    stranger = DoorColumn("customer.favourite_colour")
    refused = DoorRefused(DoorRefusal.COLUMN_UNKNOWN)
    assert vault.keep(PERSON, {stranger: "blue"}) == refused
    assert vault.read_own(PERSON, NAME, stranger) == refused


def test_nothing_kept_is_readable_in_the_books(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    held = b"".join(path.read_bytes() for path in vault.folder.rglob("*") if path.is_file())
    for value in DETAILS.values():
        assert value.encode() not in held


def test_own_readings_are_one_count_a_day_and_no_record(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    for _ in range(3):
        vault.read_own(PERSON)
    vault.clock.advance(DAY_NS)
    vault.read_own(PERSON)
    assert [count.count for count in vault.rows.counts(PERSON)] == [3, 1]
    assert {count.reader for count in vault.rows.counts(PERSON)} == {"owner"}
    assert vault.rows.records(PERSON) == ()


def test_machines_readings_are_counted_apart_from_the_owners(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.read_own(PERSON)
    read(vault, Machine("screening"), ReadPurpose.ANTI_MONEY_LAUNDERING_COMPLIANCE)
    assert {(count.reader, count.count) for count in vault.rows.counts(PERSON)} == {
        ("owner", 1),
        ("machine", 1),
    }


def test_counts_are_forgotten_after_ninety_days(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.read_own(PERSON)
    vault.clock.advance(90 * DAY_NS)
    vault.books.run(vault.door.forget_counts())
    assert len(vault.rows.counts(PERSON)) == 1
    vault.clock.advance(DAY_NS)
    vault.books.run(vault.door.forget_counts())
    assert vault.rows.counts(PERSON) == ()


def test_a_reading_by_staff_is_recorded_with_name_and_purpose(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    opened = read(vault, OFFICER, ReadPurpose.CUSTOMER_DUE_DILIGENCE, columns=(NAME,))
    assert opened == Opened({NAME: DETAILS[NAME]})
    (record,) = vault.rows.records(PERSON)
    assert record.reader == OFFICER
    assert record.purpose is ReadPurpose.CUSTOMER_DUE_DILIGENCE
    assert (record.columns, record.outcome) == ((NAME,), "opened")
    assert record.occurred_at == vault.clock.now()
    assert vault.rows.counts(PERSON) == ()


def test_a_refused_attempt_by_staff_is_recorded_too(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    refused = read(vault, OFFICER, ReadPurpose.ADVERTISING)
    assert isinstance(refused, DoorRefused)
    assert refused.reason is DoorRefusal.PURPOSE_FORBIDDEN
    assert [record.outcome for record in vault.rows.records(PERSON)] == ["purpose-forbidden"]


def test_a_refused_attempt_by_a_machine_counts_as_no_reading(vault: Vault) -> None:
    assert isinstance(read(vault, Machine("mailer"), ReadPurpose.MARKETING), DoorRefused)
    assert vault.rows.counts(PERSON) == ()


def test_nothing_is_opened_for_staff_when_the_record_cannot_be_kept(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.books.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(Unavailable):
        read(vault, OFFICER, ReadPurpose.CUSTOMER_DUE_DILIGENCE)


def test_the_record_is_durable_before_anything_is_opened(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    at_opening: list[int] = []

    class WatchedRows:
        """Counts the committed records, seen from another connection, when fields are fetched."""

        def fields(self, person: AmanaId) -> dict[DoorColumn, bytes]:
            with sqlite3.connect(vault.folder / "books.db") as other:
                at_opening.extend(other.execute("SELECT count(*) FROM trust_records").fetchone())
            other.close()
            return dict(vault.rows.fields(person))

        records = staticmethod(vault.rows.records)
        counts = staticmethod(vault.rows.counts)

    door = Door(
        columns=COLUMNS,
        keys=vault.keys,
        reader=WatchedRows(),
        writer=vault.store,
        policy=TablePolicy(DEFAULT_TABLE),
        clock=vault.clock,
        chance=vault.chance,
    )
    vault.books.run(
        door.read(PERSON, (NAME,), purpose=ReadPurpose.CUSTOMER_DUE_DILIGENCE, reader=OFFICER)
    )
    assert at_opening == [1]


def test_a_field_moved_to_another_person_column_or_version_does_not_open(vault: Vault) -> None:
    other = AmanaId(4_001)
    vault.keep(PERSON, DETAILS)
    vault.keep(other, {NAME: "Somebody Else"})
    sealed = vault.rows.fields(PERSON)[NAME]
    key = PERSON.to_bytes(16)
    for person, name, value in (
        (other.to_bytes(16), NAME, sealed),
        (key, EMAIL, sealed),
        (key, NAME, b"\x02" + sealed[1:]),
        (key, NAME, sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        vault.books.connection.execute(
            "UPDATE trust_fields SET sealed = ? WHERE person = ? AND name = ?",
            (value, person, name),
        )
        with pytest.raises(FieldDamaged):
            vault.read_own(AmanaId(int.from_bytes(person)), DoorColumn(name))
        vault.keep(PERSON, DETAILS)
        vault.keep(other, {NAME: "Somebody Else"})


@given(persons, persons, readers, st.sampled_from(sorted(FORBIDDEN_PURPOSES)))
def test_a_forbidden_purpose_is_refused_to_everybody_whatever_the_table_says(
    person: AmanaId, staff: AmanaId, reader: Reader, purpose: ReadPurpose
) -> None:
    everything = {role: frozenset(ReadPurpose) for role in (*DEFAULT_TABLE, "staff:", *ROLES)}
    policy = TablePolicy(everything)
    for asking in (reader, Owner(person), StaffMember(staff, "A name", "officer")):
        decision = policy.decide(ReadRequest(person, COLUMNS, purpose, asking))
        assert decision == DoorRefused(DoorRefusal.PURPOSE_FORBIDDEN, policy.name)


@given(persons, readers, st.sampled_from(sorted(ALLOWED_PURPOSES)))
def test_what_the_table_does_not_list_is_refused(
    person: AmanaId, reader: Reader, purpose: ReadPurpose
) -> None:
    decision = TablePolicy(DEFAULT_TABLE).decide(ReadRequest(person, COLUMNS, purpose, reader))
    is_listed = purpose in DEFAULT_TABLE.get(reader_role(reader), ())
    is_other = isinstance(reader, Owner) and reader.person != person
    assert isinstance(decision, Permitted) == (is_listed and not is_other)
    assert isinstance(
        TablePolicy({}).decide(ReadRequest(person, COLUMNS, purpose, reader)), DoorRefused
    )


def test_one_person_cannot_read_another_as_owner(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    refused = read(vault, Owner(AmanaId(1)), ReadPurpose.RIGHTS_FULFILMENT)
    assert isinstance(refused, DoorRefused)
    assert refused.reason is DoorRefusal.NOT_THE_OWNER


@pytest.mark.parametrize("role", ["auditor", "owner", "machine", ""])
def test_staff_in_a_role_that_reads_nothing_read_nothing(vault: Vault, role: str) -> None:
    reader = StaffMember(AmanaId(5), "A Name", role)
    for purpose in ReadPurpose:
        assert isinstance(read(vault, reader, purpose), DoorRefused)


@given(st.sets(st.tuples(persons, st.sampled_from(COLUMNS)), min_size=2, max_size=8))
def test_no_two_fields_are_bound_alike(places: set[tuple[AmanaId, object]]) -> None:
    bindings = {associated_data(person, column) for person, column in places}  # type: ignore[arg-type]
    assert len(bindings) == len(places)


@given(st.integers(1, 10_000))
def test_the_present_generation_and_the_one_before_are_kept(present: int) -> None:
    kept = generations_to_keep(present)
    assert kept == {present, present - 1} - {0}


def test_re_wrapping_is_due_after_a_week(vault: Vault) -> None:
    began = vault.clock.now()
    vault.clock.advance(7 * DAY_NS - 1)
    assert not is_rewrap_due(began, vault.clock.now())
    vault.clock.advance(1)
    assert is_rewrap_due(began, vault.clock.now())
    assert vault.keys.is_rewrap_due(vault.clock.now())


def test_an_erased_person_is_neither_read_nor_kept_anew(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.read_own(PERSON)
    erased = vault.books.run(vault.erasure.erase(PERSON))
    assert erased.person == PERSON
    refused = vault.read_own(PERSON)
    assert isinstance(refused, DoorRefused)
    assert refused.reason is DoorRefusal.PERSON_ERASED
    assert vault.keep(PERSON, DETAILS) == DoorRefused(DoorRefusal.PERSON_ERASED)
    assert vault.rows.fields(PERSON) == {}


def test_erasing_deletes_counts_and_has_other_rooms_erase(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.read_own(PERSON)
    vault.books.run(vault.erasure.erase(PERSON))
    assert vault.rows.counts(PERSON) == ()
    assert vault.other.erased == {PERSON}


def test_the_record_of_who_read_outlives_the_person_read(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    read(vault, OFFICER, ReadPurpose.CUSTOMER_DUE_DILIGENCE)
    vault.books.run(vault.erasure.erase(PERSON))
    assert len(vault.rows.records(PERSON)) == 1


def test_an_erasure_that_broke_off_after_the_keys_is_completed(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.books.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(Unavailable):
        vault.books.run(vault.erasure.erase(PERSON))
    assert vault.keys.keys(PERSON) is None
    assert vault.rows.fields(PERSON) != {}
    vault.books.connection.execute("PRAGMA query_only = OFF")
    vault.books.writer._accept()
    assert vault.books.run(vault.erasure.complete()) == 1
    assert vault.rows.fields(PERSON) == {}
    assert vault.books.run(vault.erasure.complete()) == 0


def test_a_person_whom_the_books_call_erased_loses_keys_that_came_back(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    room = OtherRoom(erased={PERSON})
    erasure = Erasure(keys=vault.keys, writer=vault.store, erasers=[room], clock=vault.clock)
    assert vault.books.run(erasure.complete()) == 1
    assert vault.keys.keys(PERSON) is None
    assert room.calls == 1


def test_the_day_of_a_count_is_a_day_of_the_calendar_in_utc(vault: Vault) -> None:
    vault.keep(PERSON, DETAILS)
    vault.read_own(PERSON)
    (count,) = vault.rows.counts(PERSON)
    assert count.day == day_number(vault.clock.now())
