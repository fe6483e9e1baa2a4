"""Keysets: published vectors, keys from one secret, and the list's hash."""

import json
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from amana.purse.keysets import (
    AUTH_UNIT,
    KeysetPlan,
    derive_id,
    derive_keys,
    describe,
    ended,
    has_own_id,
    is_keyset_id,
    is_rotation_due,
    list_hash,
    parse_keys,
    plan_of,
    powers_of_two,
    rebuild,
)
from amana.purse.model import Keyset
from amana.testing.ecash import derive, seed_of

VECTORS = Path(__file__).parent.parent / "vectors" / "nuts"
KEYS = json.loads((VECTORS / "01-keys.json").read_text())
IDS = json.loads((VECTORS / "02-keyset-ids.json").read_text())
SECRETS = json.loads((VECTORS / "13-secrets.json").read_text())

SEED = bytes(range(32))
EUR = KeysetPlan("eur", powers_of_two(14), final_expiry=1_900_000_000)


def _keyset(plan: KeysetPlan, number: int, seed: bytes = SEED) -> Keyset:
    return describe(plan, number, derive_keys(seed, plan, number), is_active=True)


@pytest.mark.parametrize("written", KEYS["valid"])
def test_the_published_good_keys_are_read(written: dict[str, str]) -> None:
    keys = parse_keys(written)
    assert keys is not None
    assert {str(amount): key.hex() for amount, key in keys.items()} == written


@pytest.mark.parametrize("written", KEYS["invalid"])
def test_the_published_bad_keys_are_refused(written: dict[str, str]) -> None:
    assert parse_keys(written) is None


GOOD = KEYS["valid"][0]["1"]


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"0": GOOD},
        {"-1": GOOD},
        {"01": GOOD},
        {"1.0": GOOD},
        {"١": GOOD},
        {str(1 << 64): GOOD},
        {"1": "02" + "f" * 64},
        {"1": GOOD[:-1] + "g"},
        {"1": GOOD + "\n"},
    ],
)
def test_malformed_keys_are_refused(written: dict[str, str]) -> None:
    assert parse_keys(written) is None


@pytest.mark.parametrize("vector", IDS["version_2"])
def test_an_id_is_the_published_one(vector: dict[str, Any]) -> None:
    keys = parse_keys(vector["keys"])
    assert keys is not None
    found = derive_id(
        keys,
        vector["unit"],
        input_fee_ppk=vector["input_fee_ppk"],
        final_expiry=vector["final_expiry"],
    )
    assert found == vector["id"]
    assert is_keyset_id(found)


@pytest.mark.parametrize("vector", IDS["version_1"])
def test_ids_of_the_older_version_are_refused(vector: dict[str, Any]) -> None:
    assert not is_keyset_id(vector["id"])


@pytest.mark.parametrize(
    "text", ["", "01", "02" + "a" * 64, "01" + "A" * 64, "01" + "a" * 63, "01" + "a" * 64 + "\n"]
)
def test_what_is_no_id_of_version_01_is_refused(text: str) -> None:
    assert not is_keyset_id(text)


def test_secrets_from_a_seed_are_the_published_ones() -> None:
    vector = SECRETS["version_2"]
    seed = seed_of(vector["mnemonic"])
    found = [derive(seed, vector["keyset_id"], counter) for counter in range(5)]
    assert [each.secret for each in found] == vector["secrets"]
    assert [each.factor.hex() for each in found] == vector["factors"]


def test_secrets_for_older_keysets_are_not_derived() -> None:
    vector = SECRETS["version_1"]
    with pytest.raises(AssertionError):
        derive(seed_of(vector["mnemonic"]), vector["keyset_id"], 0)


def test_every_key_follows_from_seed_unit_number_and_amount_alone() -> None:
    keys = derive_keys(SEED, EUR, 3)
    again = derive_keys(SEED, msgspec.structs.replace(EUR, final_expiry=None, amounts=(64,)), 3)
    assert keys[64].public == again[64].public


def test_no_two_keys_are_the_same() -> None:
    usd = msgspec.structs.replace(EUR, unit="usd")
    seeds = [SEED, Random(1).randbytes(32)]
    publics = [
        key.public
        for seed in seeds
        for plan in (EUR, usd)
        for number in range(3)
        for key in derive_keys(seed, plan, number).values()
    ]
    assert len(publics) == 2 * 2 * 3 * 14 == len(set(publics))


def test_a_key_stays_what_it_is_for_ever() -> None:
    # Written down when the derivation was made; another value here would void all that was signed.
    assert (
        _keyset(EUR, 0).id == "018b1cb45a1f1a4b9c94054637d2df1240b34d438f0b8452eb6c897b820a652979"
    )
    assert (
        derive_keys(SEED, EUR, 0)[1].public.hex()
        == "029aecb076362df747fda90d6fafce86dd5347c113ab812ae7b82f02b732ea15f6"
    )


def test_a_keyset_has_its_own_id_until_something_in_it_changes() -> None:
    keyset = _keyset(EUR, 0)
    assert has_own_id(keyset)
    assert not has_own_id(msgspec.structs.replace(keyset, unit="usd"))
    assert not has_own_id(msgspec.structs.replace(keyset, input_fee_ppk=1))
    assert not has_own_id(msgspec.structs.replace(keyset, final_expiry=None))
    assert plan_of(keyset) == EUR


def test_the_list_is_rebuilt_from_the_seed_and_any_public_copy() -> None:
    auth = KeysetPlan(AUTH_UNIT, (1,))
    dearer = msgspec.structs.replace(EUR, input_fee_ppk=100, final_expiry=1_950_000_000)
    made = [_keyset(EUR, 0), _keyset(auth, 1), _keyset(dearer, 2)]
    copied = [msgspec.structs.replace(each, number=-1) for each in reversed(made)]
    assert rebuild(SEED, copied) == made


def test_a_list_of_another_seed_is_not_rebuilt() -> None:
    keyset = _keyset(EUR, 0)
    with pytest.raises(ValueError, match="does not come of this seed"):
        rebuild(SEED[::-1], [keyset])
    with pytest.raises(ValueError, match="does not come of this seed"):
        rebuild(SEED, [msgspec.structs.replace(keyset, input_fee_ppk=7)])
    with pytest.raises(ValueError, match="does not come of this seed"):
        rebuild(SEED, [msgspec.structs.replace(keyset, id="00" + keyset.id[2:])])


def test_the_hash_of_a_list_does_not_depend_on_its_order_but_on_all_it_holds() -> None:
    one, other = _keyset(EUR, 0), _keyset(msgspec.structs.replace(EUR, final_expiry=None), 1)
    found = list_hash([one, other])
    assert len(found) == 16
    assert found == list_hash([other, one])
    with_tokens = list_hash([one, other, _keyset(KeysetPlan(AUTH_UNIT, (1,)), 2)])
    with_others = list_hash([one, other, _keyset(KeysetPlan(AUTH_UNIT, (1,)), 3)])
    apart = (found, list_hash([one]), list_hash([other]), list_hash([]), with_tokens, with_others)
    assert len(set(apart)) == len(apart)


def test_the_hash_of_a_list_is_over_the_lines_that_wallets_hash() -> None:
    keyset = Keyset(
        0,
        "01" + "ab" * 32,
        "eur",
        is_active=True,
        input_fee_ppk=0,
        final_expiry=1_900_000_000,
        keys={},
    )
    # SHA-256 of "01abab…:eur:1900000000\n", as sha256sum gives it.
    assert list_hash([keyset]).hex() == "c18d61ac2be2b1b396ef60a60c54dbe4"


_LIST_HASHES = msgspec.json.decode(
    files("amana.purse.policy").joinpath("vectors.json").read_bytes(), type=dict[str, Any]
)["list_hash"]


@pytest.mark.parametrize("row", _LIST_HASHES, ids=lambda row: row["why"])
def test_the_hash_of_both_lists_is_that_of_the_wallets_vectors(row: dict[str, Any]) -> None:
    listed = [
        Keyset(number, one["id"], one["unit"], one["active"], 0, one["final_expiry"], {})
        for number, one in enumerate(row["keysets"] + row["tokens"])
    ]
    assert list_hash(listed).hex() == row["hash"]


# Rotation

DAY_S = 86_400
LIFE_S, ACTIVE_S = 730 * DAY_S, 90 * DAY_S


def _listed(unit: str, *, is_active: bool, expiry: int | None, number: int = 0) -> Keyset:
    made = _keyset(KeysetPlan(unit, (1,), final_expiry=expiry), number)
    return msgspec.structs.replace(made, is_active=is_active)


def _is_due(*keysets: Keyset, now_s: int) -> bool:
    return is_rotation_due(keysets, "eur", now_s=now_s, life_s=LIFE_S, active_s=ACTIVE_S)


def test_a_keyset_makes_way_when_it_has_signed_for_its_part_of_its_life() -> None:
    signing = _listed("eur", is_active=True, expiry=LIFE_S)
    other = _listed("usd", is_active=True, expiry=9 * LIFE_S, number=1)
    assert not _is_due(signing, other, now_s=ACTIVE_S - 1)
    assert _is_due(signing, other, now_s=ACTIVE_S)


def test_a_keyset_begins_where_none_signs_or_one_would_for_ever() -> None:
    assert _is_due(_listed("eur", is_active=False, expiry=LIFE_S), now_s=0)
    assert _is_due(_listed("eur", is_active=True, expiry=None), now_s=0)
    assert _is_due(now_s=0)


def test_a_keyset_has_ended_when_its_grace_is_over() -> None:
    one = _listed("eur", is_active=False, expiry=1_000)
    endless = _listed("eur", is_active=False, expiry=None, number=1)
    other = _listed("usd", is_active=False, expiry=1_000, number=2)
    keysets = (one, endless, other)
    assert ended(keysets, "eur", now_s=999) == ()
    assert ended(keysets, "eur", now_s=1_000) == (one,)
    assert ended(keysets, "eur", now_s=1_499, grace_s=500) == ()
    assert ended(keysets, "eur", now_s=1_500, grace_s=500) == (one,)
