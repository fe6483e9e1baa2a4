"""The backup of a purse: one size, one row, a day; and what goes when its owner goes."""

from base64 import urlsafe_b64encode

from tests.node.town import Town

from amana.kernel import DAY_NS


def _sealed(byte: bytes, size: int) -> str:
    return urlsafe_b64encode(byte * size).rstrip(b"=").decode()


def test_a_backup_has_one_size_and_its_row_one_day(own_town: Town) -> None:
    owner = own_town.customer()
    size = own_town.operator.purse.policy.backup.bytes
    none = owner.get("/v1/purse/backup")
    assert (none.status, none.body) == (200, {"sealed": None, "day": None})
    assert owner.put("/v1/purse/backup", {"sealed": _sealed(b"a", size - 1)}).status == 400
    assert owner.put("/v1/purse/backup", {"sealed": _sealed(b"a", size)}).status == 204
    first = owner.get("/v1/purse/backup").body
    assert first["sealed"] == _sealed(b"a", size)
    own_town.clock.advance(DAY_NS)
    assert owner.put("/v1/purse/backup", {"sealed": _sealed(b"b", size)}).status == 204
    later = owner.get("/v1/purse/backup").body
    assert later["sealed"] == _sealed(b"b", size)
    assert len(later["day"]) == len("2026-11-23")
    assert later["day"] > first["day"]


def test_what_the_purse_keeps_of_a_person_goes_with_the_person(own_town: Town) -> None:
    owner = own_town.customer(0)
    size = own_town.operator.purse.policy.backup.bytes
    assert owner.put("/v1/purse/backup", {"sealed": _sealed(b"a", size)}).status == 204
    key = {"purse_key": "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"}
    assert owner.put("/v1/purse/key", key).status == 204
    facts = own_town.operator.directory.by_handle(owner.handle)
    assert facts is not None
    for step in ("close", "erase"):
        answer = own_town.staff.post(f"/v1/operator/customers/{owner.handle}/{step}", {})
        assert answer.status in {200, 204}, answer.content
    assert own_town.operator.purse.backups_read.backup(facts.party) is None
    assert own_town.operator.purse.mail_read.key(facts.party) is None
