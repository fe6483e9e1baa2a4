"""Sign-up and sign-in ceremonies with a software authenticator, and everything it may do wrong."""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.people.people_world import ORIGIN, PeopleWorld, open_people
from webauthn.helpers import encode_cbor

from amana.kernel import MINUTE_NS
from amana.people import Customer, RefusalReason, Refused, SignedIn
from amana.people.passkeys import CeremonyBegun
from amana.testing.authenticator import SoftwareAuthenticator, decode, encode


@pytest.fixture
def device() -> SoftwareAuthenticator:
    return SoftwareAuthenticator(origin=ORIGIN)


def begin(world: PeopleWorld, handle: str = "noor") -> CeremonyBegun:
    begun = world.passkeys.begin_sign_up(handle, "Noor نور", language="ar")
    assert isinstance(begun, CeremonyBegun), begun
    return begun


def sign_up(
    world: PeopleWorld, device: SoftwareAuthenticator, handle: str = "noor"
) -> SignedIn | Refused:
    begun = begin(world, handle)
    return world.books.run(world.passkeys.sign_up(begun.ceremony, device.create(begun.options)))


def sign_in(world: PeopleWorld, device: SoftwareAuthenticator) -> SignedIn | Refused:
    begun = world.passkeys.begin_sign_in()
    return world.books.run(world.passkeys.sign_in(begun.ceremony, device.get(begun.options)))


def is_refused(outcome: object) -> bool:
    return isinstance(outcome, Refused) and outcome.reason is RefusalReason.PASSKEY_REFUSED


def test_a_new_customer_is_signed_in_by_signing_up(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    signed = sign_up(world, device)
    assert isinstance(signed, SignedIn)
    assert (signed.customer.handle, signed.customer.display_name) == ("noor", "Noor نور")
    assert signed.customer.language == "ar"
    principal = world.principal(signed.issued.text)
    assert principal is not None
    assert principal.party == signed.customer.customer
    assert not principal.is_confirmation_exempt


def test_a_customer_signs_in_again_and_again(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    signed = sign_up(world, device)
    assert isinstance(signed, SignedIn)
    for _ in range(3):
        again = sign_in(world, device)
        assert isinstance(again, SignedIn)
        assert again.customer == signed.customer
        assert world.principal(again.issued.text) is not None


def test_the_options_ask_for_a_discoverable_key_and_verify_the_user(world: PeopleWorld) -> None:
    options = begin(world).options
    assert options["rp"] == {"id": "localhost", "name": "Demo operator"}
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["user"]["name"] == "noor"
    assert len(decode(options["challenge"])) == 32
    sign_in_options = world.passkeys.begin_sign_in().options
    assert sign_in_options["allowCredentials"] == []
    assert sign_in_options["userVerification"] == "required"
    assert sign_in_options["rpId"] == "localhost"


def test_the_device_learns_a_random_handle_and_not_the_customers_id(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    begun = begin(world)
    user_handle = decode(begun.options["user"]["id"])
    signed = world.books.run(world.passkeys.sign_up(begun.ceremony, device.create(begun.options)))
    assert isinstance(signed, SignedIn)
    assert signed.customer.user_handle == user_handle
    assert len(user_handle) == 32
    assert signed.customer.customer.to_bytes(16) not in user_handle


def test_a_taken_or_malformed_handle_is_told_before_a_passkey_is_made(world: PeopleWorld) -> None:
    world.open_customer("noor")
    taken = world.passkeys.begin_sign_up("noor", "Noor")
    assert isinstance(taken, Refused)
    assert taken.reason is RefusalReason.HANDLE_TAKEN
    malformed = world.passkeys.begin_sign_up("N", "Noor")
    assert isinstance(malformed, Refused)
    assert malformed.reason is RefusalReason.HANDLE_MALFORMED


def test_a_handle_taken_in_the_meantime_is_told_at_the_end(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    begun = begin(world)
    world.open_customer("noor")
    outcome = world.books.run(world.passkeys.sign_up(begun.ceremony, device.create(begun.options)))
    assert isinstance(outcome, Refused)
    assert outcome.reason is RefusalReason.HANDLE_TAKEN


def test_an_exemption_is_given_only_where_it_is_asked_for(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    begun = begin(world)
    signed = world.books.run(
        world.passkeys.sign_up(
            begun.ceremony, device.create(begun.options), is_confirmation_exempt=True
        )
    )
    assert isinstance(signed, SignedIn)
    principal = world.principal(signed.issued.text)
    assert principal is not None
    assert principal.is_confirmation_exempt


def test_a_challenge_is_answered_once(world: PeopleWorld, device: SoftwareAuthenticator) -> None:
    begun = begin(world)
    credential = device.create(begun.options)
    assert isinstance(world.books.run(world.passkeys.sign_up(begun.ceremony, credential)), SignedIn)
    assert is_refused(world.books.run(world.passkeys.sign_up(begun.ceremony, credential)))
    asked = world.passkeys.begin_sign_in()
    answer = device.get(asked.options)
    assert isinstance(world.books.run(world.passkeys.sign_in(asked.ceremony, answer)), SignedIn)
    assert is_refused(world.books.run(world.passkeys.sign_in(asked.ceremony, answer)))


def test_a_challenge_lives_five_minutes(world: PeopleWorld, device: SoftwareAuthenticator) -> None:
    begun = begin(world)
    world.clock.advance(5 * MINUTE_NS)
    credential = device.create(begun.options)
    assert is_refused(world.books.run(world.passkeys.sign_up(begun.ceremony, credential)))


def test_challenges_in_memory_are_bounded_and_the_oldest_forgotten(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    begun = begin(world)
    for _ in range(5):
        world.passkeys.begin_sign_in()
    assert len(world.passkeys._ceremonies) == 5
    credential = device.create(begun.options)
    assert is_refused(world.books.run(world.passkeys.sign_up(begun.ceremony, credential)))
    world.clock.advance(5 * MINUTE_NS)
    world.passkeys.begin_sign_in()
    assert len(world.passkeys._ceremonies) == 1


def test_the_challenge_of_one_ceremony_does_not_answer_the_other(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    sign_up(world, device)
    begun, asked = begin(world, "layla"), world.passkeys.begin_sign_in()
    answer = device.get(asked.options)
    assert is_refused(world.books.run(world.passkeys.sign_in(begun.ceremony, answer)))
    credential = device.create(begun.options)
    assert is_refused(world.books.run(world.passkeys.sign_up(asked.ceremony, credential)))


@pytest.mark.parametrize(
    "origin", ["http://localhost:8401", "https://localhost:8400", "http://evil"]
)
def test_another_pages_passkey_is_refused(world: PeopleWorld, origin: str) -> None:
    device = SoftwareAuthenticator(origin=ORIGIN)
    assert isinstance(sign_up(world, device), SignedIn)
    device.origin = origin
    assert is_refused(sign_in(world, device))
    assert is_refused(sign_up(world, SoftwareAuthenticator(origin=origin), "layla"))


def test_a_user_who_is_not_verified_is_refused(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    assert isinstance(sign_up(world, device), SignedIn)
    device.is_user_verified = False
    assert is_refused(sign_in(world, device))
    assert is_refused(sign_up(world, device, "layla"))


def test_a_sign_count_that_goes_back_is_refused(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    sign_up(world, device)
    for _ in range(3):
        assert isinstance(sign_in(world, device), SignedIn)
    device.set_sign_count(1)
    assert is_refused(sign_in(world, device))


def test_two_copies_of_a_key_that_sign_in_at_once_are_not_both_let_in(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    sign_up(world, device)
    first = world.passkeys.begin_sign_in()
    answer = device.get(first.options)
    device.set_sign_count(1)
    second = world.passkeys.begin_sign_in()
    copied = device.get(second.options)

    async def together() -> tuple[SignedIn | Refused, ...]:
        return await asyncio.gather(
            world.passkeys.sign_in(first.ceremony, answer),
            world.passkeys.sign_in(second.ceremony, copied),
        )

    outcomes = world.books.run(together())
    assert sorted(isinstance(outcome, SignedIn) for outcome in outcomes) == [False, True]


def test_a_passkey_that_syncs_and_counts_nothing_is_accepted(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    device.step = 0
    sign_up(world, device)
    for _ in range(2):
        assert isinstance(sign_in(world, device), SignedIn)


def test_a_passkey_of_somebody_else_is_not_taken_over(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    begun = begin(world)
    theirs = device.create(begun.options)
    world.books.run(world.passkeys.sign_up(begun.ceremony, theirs))
    thief = SoftwareAuthenticator(origin=ORIGIN)
    again = begin(world, "layla")
    forged = thief.create(again.options)
    thief._credentials[0].credential_id = decode(theirs["rawId"])
    attested = {"fmt": "none", "attStmt": {}, "authData": thief._attested(thief._credentials[0])}
    forged["response"]["attestationObject"] = encode(encode_cbor(attested))
    forged["id"] = forged["rawId"] = theirs["rawId"]
    assert is_refused(world.books.run(world.passkeys.sign_up(again.ceremony, forged)))
    assert isinstance(sign_in(world, device), SignedIn)


def test_of_two_sign_ups_with_one_passkey_at_once_one_is_kept(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    begun = begin(world)
    credential = device.create(begun.options)
    signed = world.books.run(world.passkeys.sign_up(begun.ceremony, credential))
    assert isinstance(signed, SignedIn)
    (held,) = [world.rows.passkey(decode(credential["rawId"]))]
    assert held is not None
    other = world.people.new_customer("layla", "Layla")
    assert world.books.run(world.store.add_customer(other, passkey=held)) is None
    assert world.directory.by_handle("layla") is None


def test_a_handle_of_another_user_is_refused(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    sign_up(world, device)
    for user_handle in (encode(b"x" * 32), None, 5):
        asked = world.passkeys.begin_sign_in()
        answer = device.get(asked.options)
        answer["response"]["userHandle"] = user_handle
        assert is_refused(world.books.run(world.passkeys.sign_in(asked.ceremony, answer)))


def test_a_closed_customer_does_not_sign_in(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    signed = sign_up(world, device)
    assert isinstance(signed, SignedIn)
    world.books.run(world.people.close(signed.customer.customer))
    assert is_refused(sign_in(world, device))
    world.books.run(world.people.erase(signed.customer.customer))
    assert is_refused(sign_in(world, device))


def test_a_passkey_that_was_never_registered_is_refused(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    device.create(begin(world).options)
    assert is_refused(sign_in(world, device))


def test_a_signature_over_something_else_is_refused(
    world: PeopleWorld, device: SoftwareAuthenticator
) -> None:
    sign_up(world, device)
    asked, other = world.passkeys.begin_sign_in(), world.passkeys.begin_sign_in()
    answer, elsewhere = device.get(asked.options), device.get(other.options)
    answer["response"]["signature"] = elsewhere["response"]["signature"]
    assert is_refused(world.books.run(world.passkeys.sign_in(asked.ceremony, answer)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
NUMBERS = count(1)
texts = st.text(max_size=30) | st.binary(max_size=60).map(encode)


def paths_of(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [path]
    return [found for key, inner in value.items() for found in paths_of(inner, (*path, key))]


@pytest.fixture(scope="module")
def fuzzed(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[PeopleWorld, SoftwareAuthenticator]]:
    """One world for all examples; a passkey that counts nothing may be tried for ever."""
    with open_people(tmp_path_factory.mktemp("fuzzed") / "data", open_max=100) as world:
        device = SoftwareAuthenticator(origin=ORIGIN)
        device.step = 0
        assert isinstance(sign_up(world, device), SignedIn)
        yield world, device


@given(st.data())
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_any_garbage_in_a_credential_is_refused_and_nothing_raised(
    fuzzed: tuple[PeopleWorld, SoftwareAuthenticator], data: st.DataObject
) -> None:
    world, device = fuzzed
    is_sign_up = data.draw(st.booleans())
    if is_sign_up:
        begun: CeremonyBegun = begin(world, f"fuzzed-{next(NUMBERS)}")
        credential = device.create(begun.options)
    else:
        begun = world.passkeys.begin_sign_in()
        credential = device.get(begun.options, which=0)
    path = data.draw(st.sampled_from(paths_of(credential)))
    holder: Any = credential
    for key in path[:-1]:
        holder = holder[key]
    kept = holder[path[-1]]
    holder[path[-1]] = data.draw(json_values | texts)
    if holder[path[-1]] == kept:
        return
    ceremony = world.passkeys.sign_up if is_sign_up else world.passkeys.sign_in
    outcome = world.books.run(ceremony(begun.ceremony, credential))
    unsigned = ("authenticatorAttachment", "transports", "clientExtensionResults")
    if path[-1] not in unsigned and "clientExtensionResults" not in path:
        assert is_refused(outcome), (path, outcome)


@given(st.dictionaries(st.text(max_size=10), json_values, max_size=5))
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
def test_what_is_no_credential_at_all_is_refused(
    fuzzed: tuple[PeopleWorld, SoftwareAuthenticator], credential: dict[str, Any]
) -> None:
    world, _ = fuzzed
    assert is_refused(
        world.books.run(
            world.passkeys.sign_up(begin(world, f"fuzzed-{next(NUMBERS)}").ceremony, credential)
        )
    )
    asked = world.passkeys.begin_sign_in()
    assert is_refused(world.books.run(world.passkeys.sign_in(asked.ceremony, credential)))


def test_a_customer_opened_without_a_passkey_has_no_user_handle(world: PeopleWorld) -> None:
    customer = world.open_customer()
    assert isinstance(customer, Customer)
    assert customer.user_handle is None
