"""Opening, closing and erasing; sites, tills and staff; each again with the same ids."""

from dataclasses import replace

import pytest
from tests.people.people_world import LEDGER, SETTLEMENT, PeopleWorld

from amana.kernel import AmanaId, Unavailable
from amana.ledger import Account, AccountFlags
from amana.people import (
    CUSTOMER_ACCOUNT_CODE,
    EMAIL,
    LEGAL_NAME,
    MERCHANT_ACCOUNT_CODE,
    Customer,
    Handle,
    Limits,
    Merchant,
    MerchantRole,
    OperatorRole,
    OperatorStaff,
    PartyStatus,
    RefusalReason,
    Refused,
    Site,
    Staff,
)
from amana.trust import DoorRefusal, DoorRefused, Opened, Owner, ReadPurpose

NOBODY = AmanaId(999)


def reason(outcome: object) -> RefusalReason:
    assert isinstance(outcome, Refused), outcome
    assert outcome.detail
    return outcome.reason


def account_of(world: PeopleWorld, account: int) -> Account:
    (found,) = world.books.run(world.ledger.lookup_accounts([account]))
    return found


def open_settlement(world: PeopleWorld) -> None:
    world.books.run(world.ledger.create_accounts([Account(SETTLEMENT, LEDGER, 1)]))


def test_opening_a_customer_opens_an_account_that_cannot_be_overdrawn(world: PeopleWorld) -> None:
    customer = world.open_customer()
    account = account_of(world, customer.ledger_account)
    assert account.code == CUSTOMER_ACCOUNT_CODE
    assert account.flags == AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    assert world.rows.customer(customer.customer) == customer


def test_opening_a_merchant_keeps_its_names_in_every_script(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    stored = world.rows.merchant(merchant.merchant)
    assert stored == merchant
    assert stored.names == {"ar": "مخبز نور"}
    assert account_of(world, merchant.ledger_account).code == MERCHANT_ACCOUNT_CODE


def test_opening_again_with_the_same_ids_changes_nothing(world: PeopleWorld) -> None:
    customer, merchant = world.people.new_customer("noor", "Noor"), world.new_merchant()
    for _ in range(2):
        assert world.books.run(world.people.open_customer(customer)) == customer
        assert world.books.run(world.people.open_merchant(merchant)) == merchant


def test_the_ids_of_a_party_do_not_tell_its_account(world: PeopleWorld) -> None:
    customer = world.open_customer()
    assert customer.customer != customer.ledger_account
    assert (customer.customer ^ customer.ledger_account) & (2**80 - 1) > 2**8


def test_opening_goes_on_where_storage_failed_between_account_and_row(world: PeopleWorld) -> None:
    customer = world.people.new_customer("noor", "Noor")
    world.books.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(Unavailable):
        world.books.run(world.people.open_customer(customer))
    assert account_of(world, customer.ledger_account).id == customer.ledger_account
    assert world.rows.customer(customer.customer) is None
    world.books.connection.execute("PRAGMA query_only = OFF")
    world.books.writer._accept()
    assert world.books.run(world.people.open_customer(customer)) == customer


@pytest.mark.parametrize("is_merchant_first", [True, False])
def test_a_handle_is_one_partys_across_customers_and_merchants(
    world: PeopleWorld, *, is_merchant_first: bool
) -> None:
    if is_merchant_first:
        world.open_merchant("noor")
    else:
        world.open_customer("noor")
    customer = world.people.new_customer("noor", "Another")
    assert reason(world.books.run(world.people.open_customer(customer))) is (
        RefusalReason.HANDLE_TAKEN
    )
    merchant = world.new_merchant("noor")
    assert reason(world.books.run(world.people.open_merchant(merchant))) is (
        RefusalReason.HANDLE_TAKEN
    )


def test_of_two_who_ask_for_one_handle_at_once_one_gets_it(world: PeopleWorld) -> None:
    store = world.store
    first, second = (world.people.new_customer("noor", name) for name in ("One", "Two"))
    merchant = world.new_merchant("noor")
    assert world.books.run(store.add_customer(first)) == first
    assert world.books.run(store.add_customer(second)) is None
    assert world.books.run(store.add_merchant(merchant)) is None


def test_an_id_that_is_another_partys_is_refused(world: PeopleWorld) -> None:
    customer, merchant = world.open_customer(), world.open_merchant()
    other = replace(customer, handle=Handle("layla"))
    assert reason(world.books.run(world.people.open_customer(other))) is RefusalReason.ID_REUSED
    another = replace(merchant, handle=Handle("florist"))
    assert reason(world.books.run(world.people.open_merchant(another))) is RefusalReason.ID_REUSED


def test_a_malformed_profile_opens_no_account(world: PeopleWorld) -> None:
    customer = world.people.new_customer("No", "Noor")
    assert reason(world.books.run(world.people.open_customer(customer))) is (
        RefusalReason.HANDLE_MALFORMED
    )
    merchant = replace(world.new_merchant(), country="Dubai")
    assert reason(world.books.run(world.people.open_merchant(merchant))) is (
        RefusalReason.COUNTRY_MALFORMED
    )
    accounts = [customer.ledger_account, merchant.ledger_account]
    assert world.books.run(world.ledger.lookup_accounts(accounts)) == []


def test_a_tier_that_is_not_in_the_table_is_refused(world: PeopleWorld) -> None:
    customer = world.people.new_customer("noor", "Noor", tier="gold")
    assert reason(world.books.run(world.people.open_customer(customer))) is (
        RefusalReason.TIER_UNKNOWN
    )


def test_a_customer_may_have_limits_of_their_own(world: PeopleWorld) -> None:
    own = Limits(payment_minor_max=7, day_minor_max=8, holding_minor_max=9)
    customer = world.people.new_customer("card-1", "A card", tier="corporate", limits_override=own)
    world.books.run(world.people.open_customer(customer))
    facts = world.directory.by_handle("card-1")
    assert facts is not None
    assert facts.limits == own


def test_sites_and_tills_are_listed_in_the_order_of_their_making(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    made = []
    for name in ("Old Souk", "Marina"):
        world.clock.advance(1_000_000)
        site = world.books.run(world.people.add_site(merchant.merchant, name, ["Till 1", "Till 2"]))
        assert isinstance(site, Site)
        made.append(replace(site, tills=tuple(sorted(site.tills, key=lambda till: till.till))))
    assert world.people.sites(merchant.merchant) == tuple(made)


def test_a_till_is_found_by_its_own_merchant_only(world: PeopleWorld) -> None:
    merchant, other = world.open_merchant("bakery"), world.open_merchant("florist")
    site = world.books.run(world.people.add_site(merchant.merchant, "Souk", ["Till 1"]))
    assert isinstance(site, Site)
    till = site.tills[0]
    assert world.people.till(merchant.merchant, till.till) == till
    assert world.people.till(other.merchant, till.till) is None
    assert world.people.till(merchant.merchant, NOBODY) is None


def test_sites_and_staff_need_a_merchant_and_visible_names(world: PeopleWorld) -> None:
    run, people = world.books.run, world.people
    merchant = world.open_merchant().merchant
    assert reason(run(people.add_site(NOBODY, "Souk"))) is RefusalReason.NOT_FOUND
    assert reason(run(people.add_site(merchant, ""))) is RefusalReason.NAME_MALFORMED
    assert reason(run(people.add_site(merchant, "Souk", ["\u202e"]))) is (
        RefusalReason.NAME_MALFORMED
    )
    role = MerchantRole.CASHIER
    assert reason(run(people.add_staff(NOBODY, "Ali", role))) is RefusalReason.NOT_FOUND
    assert reason(run(people.add_staff(merchant, "", role))) is RefusalReason.NAME_MALFORMED
    officer = OperatorRole.OFFICER
    assert reason(run(people.add_operator_staff("", officer))) is RefusalReason.NAME_MALFORMED


def test_staff_are_kept_with_their_roles(world: PeopleWorld) -> None:
    merchant = world.open_merchant().merchant
    cashier = world.books.run(world.people.add_staff(merchant, "Ali", MerchantRole.CASHIER))
    officer = world.books.run(world.people.add_operator_staff("Amal", OperatorRole.OFFICER))
    assert isinstance(cashier, Staff)
    assert isinstance(officer, OperatorStaff)
    assert world.rows.staff(cashier.staff) == cashier
    assert world.rows.operator_staff(officer.staff) == officer
    assert world.rows.staff(officer.staff) is None
    assert world.rows.operator_staff(cashier.staff) is None


def test_a_note_key_is_seen_at_once_by_whoever_pays(world: PeopleWorld) -> None:
    customer = world.open_customer()
    facts = world.directory.by_handle("noor")
    assert facts is not None
    assert facts.note_key is None
    assert world.books.run(world.people.set_note_key(customer.customer, b"k" * 32)) is None
    facts = world.directory.by_handle("noor")
    assert facts is not None
    assert facts.note_key == b"k" * 32
    refused = world.books.run(world.people.set_note_key(customer.customer, b"short"))
    assert reason(refused) is RefusalReason.NOTE_KEY_MALFORMED


def test_an_account_that_holds_money_is_not_closed(world: PeopleWorld) -> None:
    customer = world.open_customer()
    open_settlement(world)
    world.pay_in(customer.ledger_account, 5)
    assert reason(world.books.run(world.people.close(customer.customer))) is (
        RefusalReason.HOLDS_MONEY
    )


def test_an_account_that_money_is_on_its_way_to_is_not_closed(world: PeopleWorld) -> None:
    """Goal: the rooms above are asked in the unit that closes, and a refusal changes nothing."""
    customer = world.open_customer()
    token = world.session_of(customer.customer)
    world.on_their_way[customer.customer] = 500
    assert reason(world.books.run(world.people.close(customer.customer))) is (
        RefusalReason.HOLDS_MONEY
    )
    assert world.principal(token) is not None
    del world.on_their_way[customer.customer]
    assert world.books.run(world.people.close(customer.customer)) is None


def test_closing_ends_every_token_of_the_party_and_its_staff(world: PeopleWorld) -> None:
    customer, merchant = world.open_customer(), world.open_merchant()
    run, people = world.books.run, world.people
    staff = run(people.add_staff(merchant.merchant, "Ali", MerchantRole.OWNER))
    assert isinstance(staff, Staff)
    at_till = run(people.issue_staff_session(staff.staff))
    assert not isinstance(at_till, Refused)
    tokens = [world.session_of(customer.customer), at_till.text]
    assert all(world.principal(token) for token in tokens)
    for party in (customer.customer, merchant.merchant):
        assert run(people.close(party)) is None
    assert [world.principal(token) for token in tokens] == [None, None]
    for handle in ("noor", "bakery"):
        facts = world.directory.by_handle(handle)
        assert facts is not None
        assert facts.status is PartyStatus.CLOSED


def test_a_member_of_staff_who_is_removed_is_signed_out_and_no_longer_listed(
    world: PeopleWorld,
) -> None:
    merchant = world.open_merchant().merchant
    run, people = world.books.run, world.people
    staff = run(people.add_staff(merchant, "Ali", MerchantRole.CASHIER))
    assert isinstance(staff, Staff)
    session = run(people.issue_staff_session(staff.staff))
    assert not isinstance(session, Refused)
    assert people.staff_of(merchant) == (staff,)
    assert reason(run(people.remove_staff(staff.staff, merchant=NOBODY))) is (
        RefusalReason.NOT_FOUND
    )
    assert world.principal(session.text) is not None
    assert run(people.remove_staff(staff.staff, merchant=merchant)) is None
    assert world.principal(session.text) is None
    assert people.staff_of(merchant) == ()
    assert reason(run(people.remove_staff(staff.staff, merchant=merchant))) is (
        RefusalReason.NOT_FOUND
    )


def test_closing_needs_somebody_who_is_open(world: PeopleWorld) -> None:
    customer = world.open_customer()
    assert reason(world.books.run(world.people.close(NOBODY))) is RefusalReason.NOT_FOUND
    world.books.run(world.people.close(customer.customer))
    assert reason(world.books.run(world.people.close(customer.customer))) is (
        RefusalReason.NOT_ACTIVE
    )


def test_erasing_needs_somebody_whose_account_is_closed(world: PeopleWorld) -> None:
    customer = world.open_customer()
    assert reason(world.books.run(world.people.erase(NOBODY))) is RefusalReason.NOT_FOUND
    assert reason(world.books.run(world.people.erase(customer.customer))) is (
        RefusalReason.NOT_CLOSED
    )


def erase(world: PeopleWorld, customer: Customer) -> None:
    assert world.books.run(world.people.close(customer.customer)) is None
    assert world.books.run(world.people.erase(customer.customer)) is None


def test_an_erased_customer_leaves_the_books_ids_and_nothing_else(world: PeopleWorld) -> None:
    customer = world.open_customer("noor-canary", "Noor Canary")
    details = {LEGAL_NAME: "Noor bint Canary", EMAIL: "canary@example.org"}
    assert world.books.run(world.door.keep(customer.customer, details)) is None
    world.books.run(world.people.set_note_key(customer.customer, b"canarykey" + b"k" * 23))
    erase(world, customer)
    row = world.rows.customer(customer.customer)
    assert row is not None
    assert (row.handle, row.display_name, row.language, row.note_key) == ("", "", "", None)
    assert row.ledger_account == customer.ledger_account
    refused = world.books.run(
        world.door.read(
            customer.customer,
            (LEGAL_NAME,),
            purpose=ReadPurpose.RIGHTS_FULFILMENT,
            reader=Owner(customer.customer),
        )
    )
    assert isinstance(refused, DoorRefused)
    assert refused.reason is DoorRefusal.PERSON_ERASED
    held = "\n".join(world.books.connection.iterdump())
    assert "canary" not in held.lower()


def test_erasing_twice_changes_nothing(world: PeopleWorld) -> None:
    customer = world.open_customer()
    erase(world, customer)
    assert world.books.run(world.people.erase(customer.customer)) is None
    assert world.books.run(world.erasure.complete()) == 0


def test_the_handle_of_an_erased_customer_is_nobodys_for_ever(world: PeopleWorld) -> None:
    erase(world, world.open_customer("noor"))
    assert world.directory.by_handle("noor") is None
    again = world.people.new_customer("noor", "Noor")
    assert reason(world.books.run(world.people.open_customer(again))) is RefusalReason.HANDLE_TAKEN
    assert reason(world.books.run(world.people.open_merchant(world.new_merchant("noor")))) is (
        RefusalReason.HANDLE_TAKEN
    )


def test_an_erased_customer_has_no_principal_and_no_name_in_the_directory(
    world: PeopleWorld,
) -> None:
    customer = world.open_customer()
    token = world.session_of(customer.customer)
    assert world.principal(token)
    erase(world, customer)
    assert world.principal(token) is None
    facts = world.directory.by_id(customer.customer)
    assert facts is not None
    assert (facts.status, facts.handle, facts.name) == (PartyStatus.ERASED, "", "")
    assert world.directory.by_handle("") is None


def test_erasure_drops_a_token_that_outlived_the_closing(world: PeopleWorld) -> None:
    customer = world.open_customer()
    token = world.session_of(customer.customer)
    assert world.principal(token)
    world.books.run(world.erasure.erase(customer.customer))
    assert world.principal(token) is None
    assert world.rows.tokens_of(customer.customer) == ()


def test_a_customer_the_books_call_erased_is_erased_in_the_key_store_too(
    world: PeopleWorld,
) -> None:
    customer = world.open_customer()
    world.books.run(world.door.keep(customer.customer, {LEGAL_NAME: "Noor"}))
    world.books.run(world.store.erase_customer(customer.customer))
    assert world.books.run(world.erasure.complete()) == 1
    assert world.keys.keys(customer.customer) is None


def test_details_in_the_vault_are_opened_by_their_owner(world: PeopleWorld) -> None:
    customer = world.open_customer()
    world.books.run(world.door.keep(customer.customer, {LEGAL_NAME: "Noor"}))
    opened = world.books.run(
        world.door.read(
            customer.customer,
            (LEGAL_NAME, EMAIL),
            purpose=ReadPurpose.ACCOUNT_MANAGEMENT,
            reader=Owner(customer.customer),
        )
    )
    assert opened == Opened({LEGAL_NAME: "Noor"})


def test_a_merchant_that_is_another_type_of_row_is_not_a_customer(world: PeopleWorld) -> None:
    merchant = world.open_merchant()
    assert isinstance(merchant, Merchant)
    assert world.rows.customer(merchant.merchant) is None
    assert reason(world.books.run(world.people.erase(merchant.merchant))) is (
        RefusalReason.NOT_FOUND
    )
