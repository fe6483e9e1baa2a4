"""E-cash for a handle: keys looked up by blind token, sealed tokens that name no sender."""

import secrets

from tests.node.town import Town

from amana.purse.mail import Mail

KEY = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"[:64]


def test_mail_waits_without_a_sender_until_it_is_dropped(town: Town) -> None:
    payee = town.customer()
    assert payee.put("/v1/purse/key", {"purse_key": KEY}).status == 204
    facts = town.operator.directory.by_handle(payee.handle)
    assert facts is not None
    assert town.operator.purse.mail_read.key(facts.party) == bytes.fromhex(KEY)
    mail = Mail(facts.party, secrets.token_bytes(16), b"c2VhbGVk")
    for _ in range(2):
        assert town.run(town.operator.purse.mail.deliver(mail)) is None
    waiting = payee.get("/v1/purse/mail").body["items"]
    assert waiting == [{"id": mail.id.hex(), "sealed": "c2VhbGVk"}]
    path = f"/v1/purse/mail/{mail.id.hex()}"
    for _ in range(2):
        assert town.run(payee.send("DELETE", path)).status == 204
    assert payee.get("/v1/purse/mail").body["items"] == []


def test_another_customers_mail_is_not_there(town: Town) -> None:
    payee, other = town.customer(), town.customer()
    facts = town.operator.directory.by_handle(payee.handle)
    assert facts is not None
    mail = Mail(facts.party, secrets.token_bytes(16), b"x")
    town.run(town.operator.purse.mail.deliver(mail))
    assert town.run(other.send("DELETE", f"/v1/purse/mail/{mail.id.hex()}")).status == 204
    assert len(payee.get("/v1/purse/mail").body["items"]) == 1
    assert town.run(other.send("DELETE", "/v1/purse/mail/nonsense")).slug == "not-found"
