"""The vocabulary holds every word in use; what is forbidden is forbidden with its kinds."""

import json
from importlib.resources import files
from typing import Any

import amana.people
from amana.storage import Category, Purpose
from amana.trust import ALLOWED_PURPOSES, FORBIDDEN_PURPOSES

VOCABULARY: dict[str, Any] = json.loads(
    files("amana.trust").joinpath("vocabulary.json").read_text("utf-8")
)


def words(part: str) -> set[str]:
    return {row["term"] for row in VOCABULARY[part]}


def test_source_version_and_licence_are_stated() -> None:
    assert "Data Privacy Vocabulary" in VOCABULARY["source"]
    assert "https://www.w3.org/copyright/" in VOCABULARY["licence"]
    assert VOCABULARY["version"] == "2.3"


def test_every_category_that_columns_declare_is_in_the_vocabulary() -> None:
    assert {category.value for category in Category} <= words("categories") | words("own")


def test_every_category_of_the_vault_is_in_the_vocabulary() -> None:
    assert {column.category for column in amana.people.VAULT_COLUMNS} <= words("categories")


def test_every_purpose_that_columns_declare_is_in_the_vocabulary_and_allowed() -> None:
    allowed = {row["term"] for row in VOCABULARY["purposes"] if row["rule"] == "allowed"}
    assert {purpose.value for purpose in Purpose} <= allowed
    assert {purpose.value for purpose in ALLOWED_PURPOSES} <= allowed


def test_the_forbidden_purposes_are_the_vocabularys() -> None:
    forbidden = {row["term"] for row in VOCABULARY["purposes"] if row["rule"] == "forbidden"}
    assert {purpose.value for purpose in FORBIDDEN_PURPOSES} == forbidden


def test_no_allowed_purpose_is_a_kind_of_a_forbidden_one() -> None:
    forbidden = {row["iri"] for row in VOCABULARY["purposes"] if row["rule"] == "forbidden"}
    for row in VOCABULARY["purposes"]:
        if row["rule"] == "allowed":
            assert forbidden.isdisjoint(row["broader"]), row["term"]


def test_advertising_marketing_selling_and_political_purposes_are_named() -> None:
    named = {purpose.value for purpose in FORBIDDEN_PURPOSES}
    assert {"Advertising", "Marketing", "SellDataToThirdParties", "PoliticalCampaign"} <= named


def test_every_term_has_an_address_of_its_own() -> None:
    rows = VOCABULARY["purposes"] + VOCABULARY["categories"]
    addresses = [row["iri"] for row in rows]
    assert len({*addresses}) == len(addresses)
    assert all(address.startswith("https://w3id.org/dpv") for address in addresses)


def test_a_term_of_our_own_hangs_below_one_of_the_vocabulary() -> None:
    assert all(row["broader"] and row["meaning"] for row in VOCABULARY["own"])
