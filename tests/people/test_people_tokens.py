"""Tokens, the authenticator and the directory: warm answers without storage, revocation at once."""

import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from tests.people.people_world import PeopleWorld, open_people

from amana.kernel import DAY_NS, AmanaId
from amana.people import (
    TOKEN_PREFIXES,
    IssuedToken,
    MerchantRole,
    OperatorRole,
    OperatorStaff,
    PartyKind,
    PrincipalKind,
    RefusalReason,
    Refused,
    Scope,
    Staff,
    Token,
    TokenKind,
    token_digest,
)

NOBODY = AmanaId(999)
ALL = frozenset(Scope)


def api_key(world: PeopleWorld, merchant: AmanaId, scopes: frozenset[Scope] = ALL) -> IssuedToken:
    issued = world.books.run(world.people.issue_api_key(merchant, scopes, label="Till"))
    assert isinstance(issued, IssuedToken), issued
    return issued


def reason(outcome: object) -> RefusalReason:
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


def test_a_session_speaks_for_its_customer(world: PeopleWorld) -> None:
    customer = world.open_customer()
    principal = world.principal(world.session_of(customer.customer))
    assert principal is not None
    assert principal.kind is PrincipalKind.CUSTOMER
    assert (principal.party, principal.ledger_account) == (
        customer.customer,
        customer.ledger_account,
    )
    assert (principal.tier, principal.role, principal.staff) == ("play", None, None)
    assert principal.scopes == frozenset()
    assert not principal.is_confirmation_exempt


def test_a_key_speaks_for_its_merchant_within_its_scopes(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    key = api_key(world, merchant.merchant, frozenset({Scope.READ, Scope.EVENTS}))
    principal = world.principal(key.text)
    assert principal is not None
    assert principal.kind is PrincipalKind.MERCHANT
    assert principal.party == merchant.merchant
    assert principal.scopes == {Scope.READ, Scope.EVENTS}
    assert principal.tier == "merchant"


def test_staff_at_a_till_speak_for_their_merchant_in_their_role(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    staff = world.books.run(world.people.add_staff(merchant.merchant, "Ali", MerchantRole.CASHIER))
    assert isinstance(staff, Staff)
    issued = world.books.run(world.people.issue_staff_session(staff.staff))
    assert isinstance(issued, IssuedToken)
    principal = world.principal(issued.text)
    assert principal is not None
    assert (principal.kind, principal.party) == (PrincipalKind.MERCHANT, merchant.merchant)
    assert (principal.role, principal.staff) == (MerchantRole.CASHIER, staff.staff)
    assert Scope.REFUNDS not in principal.scopes


def test_an_operators_token_speaks_for_a_named_member_of_staff(world: PeopleWorld) -> None:
    staff = world.books.run(world.people.add_operator_staff("Amal", OperatorRole.OFFICER))
    assert isinstance(staff, OperatorStaff)
    issued = world.books.run(world.people.issue_operator_token(staff.staff))
    assert isinstance(issued, IssuedToken)
    principal = world.principal(issued.text)
    assert principal is not None
    assert (principal.kind, principal.role) == (PrincipalKind.OPERATOR, OperatorRole.OFFICER)
    assert (principal.party, principal.ledger_account) == (staff.staff, None)


def test_each_kind_of_token_shows_its_kind_and_hides_256_bits(world: PeopleWorld) -> None:
    customer, merchant = world.open_customer(), world.open_merchant()
    session, key = world.session_of(customer.customer), api_key(world, merchant.merchant).text
    assert session.startswith("ams_")
    assert key.startswith("amk_")
    assert TOKEN_PREFIXES[TokenKind.OPERATOR] == "amo_"
    assert len(session) == len(key) == 47
    assert session != world.session_of(customer.customer)


def test_no_token_is_stored_anywhere(world: PeopleWorld) -> None:
    token = api_key(world, world.open_merchant().merchant).text
    for path in world.books.folder.rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes()
            assert token[4:].encode() not in path.read_bytes()
    assert world.rows.token_by_digest(token_digest(token)) is not None


@pytest.mark.parametrize("text", ["", "ams_", "ams_" + "A" * 43, "نور", "\ud800", "x" * 1_000_000])
def test_a_token_that_was_never_issued_speaks_for_nobody(world: PeopleWorld, text: str) -> None:
    assert world.principal(text) is None


def test_a_session_ends_after_thirty_days_in_memory_too(world: PeopleWorld) -> None:
    token = world.session_of(world.open_customer().customer)
    world.clock.advance(30 * DAY_NS - 1)
    assert world.principal(token) is not None
    world.clock.advance(1)
    assert world.principal(token) is None
    world.clock.advance(-1)
    assert world.principal(token) is not None


def test_ended_sessions_are_deleted_and_no_other_token(world: PeopleWorld) -> None:
    customer, merchant = world.open_customer().customer, world.open_merchant().merchant
    world.session_of(customer)
    api_key(world, merchant)
    world.clock.advance(1)
    later = world.session_of(customer)
    world.clock.advance(30 * DAY_NS - 1)
    assert world.books.run(world.people.forget_expired_tokens()) == 1
    assert world.principal(later) is not None
    assert len(world.people.api_keys(merchant)) == 1
    world.clock.advance(1)
    assert world.books.run(world.people.forget_expired_tokens()) == 1
    assert world.rows.tokens_of(customer) == ()


def test_a_demos_session_lasts_and_is_exempt_from_confirmation(world: PeopleWorld) -> None:
    customer = world.open_customer()
    issued = world.books.run(
        world.people.issue_session(customer.customer, is_confirmation_exempt=True, is_lasting=True)
    )
    assert isinstance(issued, IssuedToken)
    world.clock.advance(10_000 * DAY_NS)
    principal = world.principal(issued.text)
    assert principal is not None
    assert principal.is_confirmation_exempt


def test_a_warm_principal_and_warm_facts_need_no_storage(world: PeopleWorld) -> None:
    customer = world.open_customer()
    token = world.session_of(customer.customer)
    facts = world.directory.by_handle("noor")
    principal = world.principal(token)
    world.books.reading.close()
    assert world.principal(token) is principal
    assert world.directory.by_handle("noor") is facts
    assert world.directory.by_id(customer.customer) is facts
    assert world.directory.by_ledger_account(customer.ledger_account) is facts


def test_a_revoked_token_is_refused_at_once_and_stays_so(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    kept, revoked = api_key(world, merchant.merchant), api_key(world, merchant.merchant)
    assert world.principal(revoked.text)
    assert world.books.run(world.people.revoke(revoked.token, holder=merchant.merchant)) is None
    assert world.principal(revoked.text) is None
    assert world.principal(kept.text) is not None
    assert [key.token for key in world.people.api_keys(merchant.merchant)] == [kept.token]


def test_nobody_revokes_anothers_token(world: PeopleWorld) -> None:
    bakery, florist = world.open_merchant("bakery"), world.open_merchant("florist")
    key = api_key(world, bakery.merchant)
    refused = world.books.run(world.people.revoke(key.token, holder=florist.merchant))
    assert reason(refused) is RefusalReason.NOT_FOUND
    assert world.principal(key.text) is not None


def test_revoking_a_token_that_was_never_used_works_too(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    key = api_key(world, merchant.merchant)
    assert world.books.run(world.people.revoke(key.token, holder=merchant.merchant)) is None
    assert world.principal(key.text) is None


def test_keys_are_listed_with_label_and_scopes_in_the_order_of_their_making(
    world: PeopleWorld,
) -> None:
    merchant = world.open_merchant()
    made = []
    for scopes in (ALL, frozenset({Scope.READ})):
        world.clock.advance(1_000_000)
        made.append(api_key(world, merchant.merchant, scopes).token)
    keys = world.people.api_keys(merchant.merchant)
    assert [key.token for key in keys] == made
    assert [key.scopes for key in keys] == [ALL, {Scope.READ}]
    assert {key.label for key in keys} == {"Till"}


def test_a_key_asks_for_no_more_than_its_maker_may(world: PeopleWorld) -> None:
    merchant = world.open_merchant().merchant
    run, people = world.books.run, world.people
    wide = run(people.issue_api_key(merchant, ALL, held=frozenset({Scope.READ})))
    assert reason(wide) is RefusalReason.SCOPES_TOO_WIDE
    assert reason(run(people.issue_api_key(merchant, frozenset()))) is RefusalReason.SCOPES_TOO_WIDE
    hidden = run(people.issue_api_key(merchant, ALL, label="\u202e"))
    assert reason(hidden) is RefusalReason.NAME_MALFORMED


def test_tokens_are_issued_to_those_who_are_there(world: PeopleWorld) -> None:
    run, people = world.books.run, world.people
    assert reason(run(people.issue_session(NOBODY))) is RefusalReason.NOT_FOUND
    assert reason(run(people.issue_staff_session(NOBODY))) is RefusalReason.NOT_FOUND
    assert reason(run(people.issue_operator_token(NOBODY))) is RefusalReason.NOT_FOUND
    assert reason(run(people.issue_api_key(NOBODY, ALL))) is RefusalReason.NOT_FOUND
    customer = world.open_customer()
    run(people.close(customer.customer))
    assert reason(run(people.issue_session(customer.customer))) is RefusalReason.NOT_ACTIVE


@pytest.mark.parametrize("kind", TokenKind)
def test_a_token_whose_holder_is_gone_speaks_for_nobody(
    world: PeopleWorld, kind: TokenKind
) -> None:
    text = "am?_" + kind.value
    token = Token(AmanaId(5), token_digest(text), kind, NOBODY)
    world.books.run(world.store.add_token(token))
    assert world.principal(text) is None


def test_memory_is_bounded_and_the_oldest_leave_first(tmp_path: Path) -> None:
    with open_people(tmp_path / "data", kept_max=2) as world:
        tokens = []
        for handle in ("aaa", "bbb", "ccc"):
            world.clock.advance(1_000_000)
            tokens.append(world.session_of(world.open_customer(handle).customer))
            assert world.principal(tokens[-1])
        assert len(world.authenticator._principals) == 2
        assert list(world.directory._by_handle) == ["bbb", "ccc"]
        assert len(world.directory._by_account) == len(world.directory._facts) == 2
        assert world.principal(tokens[0]) is not None
        assert world.directory.by_handle("aaa") is not None


def test_the_directory_knows_who_a_merchant_is(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    for facts in (
        world.directory.by_handle("bakery"),
        world.directory.by_id(merchant.merchant),
        world.directory.by_ledger_account(merchant.ledger_account),
    ):
        assert facts is not None
        assert facts.kind is PartyKind.MERCHANT
        assert (facts.category, facts.country, facts.city) == ("5462", "AE", "Dubai")
        assert facts.fee_basis_points is None


def test_each_way_of_asking_reads_a_cold_party(world: PeopleWorld) -> None:
    customer, merchant = world.open_customer(), world.open_merchant()
    for party, account in (
        (customer.customer, customer.ledger_account),
        (merchant.merchant, merchant.ledger_account),
    ):
        world.directory.forget(party)
        by_account = world.directory.by_ledger_account(account)
        world.directory.forget(party)
        by_id = world.directory.by_id(party)
        assert by_account == by_id
        assert by_id is not None
        world.directory.forget(party)
        assert world.directory.by_handle(by_id.handle) == by_id


def test_nobody_is_behind_what_was_never_opened(world: PeopleWorld) -> None:
    assert world.directory.by_handle("nobody") is None
    assert world.directory.by_id(NOBODY) is None
    assert world.directory.by_ledger_account(NOBODY) is None
    world.directory.forget(NOBODY)
    world.authenticator.forget(NOBODY)


def test_no_use_of_a_token_leaves_a_trace_in_the_books(world: PeopleWorld) -> None:
    token = world.session_of(world.open_customer().customer)
    before = list(world.books.connection.iterdump())
    for _ in range(3):
        world.clock.advance(1_000_000)
        assert world.principal(token)
    assert list(world.books.connection.iterdump()) == before


def test_rows_that_break_an_invariant_are_refused_by_the_tables(world: PeopleWorld) -> None:
    world.open_customer()
    for change in (
        "UPDATE people_customers SET status = 'paused'",
        "UPDATE people_customers SET handle = NULL",
        "UPDATE people_customers SET note_key = x'00'",
        "UPDATE people_customers SET payment_minor_max = 1",
        "UPDATE people_customers SET tier = x'00'",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            world.books.connection.execute(change)


def test_ids_made_in_one_room_differ(world: PeopleWorld) -> None:
    made = sorted(world.people.new_customer("noor", "Noor").customer for _ in range(50))
    assert all(one < other for one, other in pairwise(made))
