"""The operator as OpenID provider, for one purpose: a wallet of any make fetches blind tokens.

Everything under way (codes, devices that wait, refresh tokens) is in memory, bounded, and gone
when the operator restarts; wallets then ask their holder again. A customer approves in person; the
code flow asks for PKCE and an exact address to return to; everything handed out is used once.
Source: RFC 6749, RFC 7636 (PKCE), RFC 8628 (devices), OpenID Connect Core 1.0, NUT-21.
"""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import urlencode

from amana.kernel import DAY_NS, MINUTE_NS, SECOND_NS, AmanaId, Chance, Clock, Instant
from amana.people.directory import Directory
from amana.people.model import PartyStatus
from amana.people.openid_tokens import ACCESS_LIFE_S, TokenKeys
from amana.people.pending import Pending

CLIENT_ID: Final = "cashu-client"
"""The one client: every wallet. It is public, has no secret, and is told apart by nothing."""

REDIRECTS: Final = ("http://localhost:33388/callback", "https://wallet.cashu.me/callback")
"""Where codes may be sent: what NUT-21 asks for, and the wallet its supplement lists."""

CODE_LIFE_NS: Final = MINUTE_NS
DEVICE_LIFE_NS: Final = 10 * MINUTE_NS
REFRESH_LIFE_NS: Final = 30 * DAY_NS
POLL_S: Final = 5
"""Seconds a waiting device leaves between two questions."""

OF_ONE_MAX: Final = 16
"""Codes, and refresh tokens, of one customer at once: the oldest gives way, and nobody else's."""

TEXT_CHARACTERS_MAX: Final = 512
"""Characters of anything a client sends along and gets back."""

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS: Final = ("authorization_code", "refresh_token", DEVICE_GRANT)

_SECRET_BYTES: Final = 32
_USER_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants alone: no word comes of them, and none looks like a digit (RFC 8628, section 6.1)."""
_USER_CODE_CHARACTERS: Final = 8
_CHALLENGE_CHARACTERS: Final = 43
_VERIFIER_CHARACTERS: Final = range(43, 129)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A client's request that a customer is to approve."""

    client_id: str
    redirect_uri: str
    response_type: str
    code_challenge: str
    code_challenge_method: str
    scope: str = ""
    state: str | None = None
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class OAuthRefused:
    """A refusal in the protocol's words; `error` is what clients switch on (RFC 6749)."""

    error: str
    detail: str


@dataclass(frozen=True, slots=True)
class NoReturn:
    """A request that names no client or address of ours: nothing may be sent where it says."""

    detail: str


@dataclass(frozen=True, slots=True)
class DeviceBegun:
    """What a device shows its holder, and what it asks again with."""

    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class TokensGiven:
    """What a client gets."""

    access_token: str
    refresh_token: str
    id_token: str
    expires_in: int = ACCESS_LIFE_S


@dataclass(frozen=True, slots=True)
class _Code:
    party: AmanaId
    asked: Asked


@dataclass(slots=True)
class _Device:
    client: str
    user_code: str
    next_poll_at: Instant
    party: AmanaId | None = None
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class _Refresh:
    party: AmanaId
    client: str


class OpenId:
    """Approvals of customers, and the tokens that come of them."""

    def __init__(
        self,
        *,
        keys: TokenKeys,
        directory: Directory,
        clock: Clock,
        chance: Chance,
        redirects: Collection[str] = REDIRECTS,
    ) -> None:
        self.keys = keys
        self._directory = directory
        self._clock = clock
        self._chance = chance
        self._redirects = frozenset(redirects)
        self._codes: Pending[_Code] = Pending(CODE_LIFE_NS)
        self._used: Pending[bytes] = Pending(CODE_LIFE_NS)
        self._devices: Pending[_Device] = Pending(DEVICE_LIFE_NS)
        self._refreshes: Pending[_Refresh] = Pending(REFRESH_LIFE_NS)

    def decide(self, asked: Asked) -> NoReturn | OAuthRefused | None:
        """Refuse a request before anybody is asked to approve it."""
        if asked.client_id != CLIENT_ID:
            return NoReturn("This client is not known here.")
        if asked.redirect_uri not in self._redirects:
            return NoReturn("This client does not return to this address.")
        texts = (asked.state or "", asked.nonce or "", asked.scope)
        if any(len(text) > TEXT_CHARACTERS_MAX for text in texts):
            return OAuthRefused("invalid_request", "The request is too long.")
        if asked.response_type != "code":
            return OAuthRefused("unsupported_response_type", "Only codes are given out.")
        is_hashed = asked.code_challenge_method == "S256"
        if not is_hashed or len(asked.code_challenge) != _CHALLENGE_CHARACTERS:
            return OAuthRefused("invalid_request", "Send a code_challenge of the method S256.")
        return None

    def approve(self, party: AmanaId, asked: Asked) -> str | NoReturn:
        """Note that a customer approved; return the address to go back to, with a code."""
        refused = self.decide(asked)
        if isinstance(refused, NoReturn):
            return refused
        if refused is not None:
            return self.send_back(asked, refused)
        code = self._draw()
        self._codes.put(_digest(code), _Code(party, asked), self._clock.now())
        self._codes.keep_newest(OF_ONE_MAX, lambda each: each.party == party)
        return _address(asked, {"code": code, "iss": self.keys.issuer})

    def send_back(self, asked: Asked, refused: OAuthRefused) -> str:
        """Return the address that tells a client of a refusal. The request named one of ours."""
        assert asked.redirect_uri in self._redirects, "nobody is sent elsewhere"
        told = {"error": refused.error, "error_description": refused.detail}
        return _address(asked, {**told, "iss": self.keys.issuer})

    def begin_device(self, client: str) -> DeviceBegun | OAuthRefused:
        """Begin for a device without a browser: its holder types the code elsewhere."""
        if client != CLIENT_ID:
            return OAuthRefused("invalid_client", "This client is not known here.")
        drawn = self._chance.draw(2 * _USER_CODE_CHARACTERS)
        letters = [
            _USER_LETTERS[int.from_bytes(drawn[at : at + 2]) % len(_USER_LETTERS)]
            for at in range(0, len(drawn), 2)
        ]
        user_code = "".join(letters)
        device_code, now = self._draw(), self._clock.now()
        self._devices.put(_digest(device_code), _Device(client, user_code, now), now)
        half = _USER_CODE_CHARACTERS // 2
        return DeviceBegun(device_code, f"{user_code[:half]}-{user_code[half:]}")

    def answer_device(self, party: AmanaId, user_code: str, *, is_approved: bool) -> bool:
        """Note a customer's answer to a device's code; False where no device waits with it."""
        wanted = "".join(letter for letter in user_code.upper() if letter in _USER_LETTERS)
        for device in self._devices.held(self._clock.now()):
            is_open = device.party is None and not device.is_refused
            if is_open and compare_digest(device.user_code, wanted):
                device.party = party if is_approved else None
                device.is_refused = not is_approved
                return True
        return False

    def exchange(self, form: Mapping[str, str]) -> TokensGiven | OAuthRefused:
        """Answer the token endpoint."""
        if form.get("client_id") != CLIENT_ID:
            return OAuthRefused("invalid_client", "This client is not known here.")
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._by_code(form)
        if grant == DEVICE_GRANT:
            return self._by_device(form)
        if grant == "refresh_token":
            return self._by_refresh(form)
        return OAuthRefused("unsupported_grant_type", "Use a code, a device or a refresh token.")

    def party_of(self, token: str, now: Instant) -> AmanaId | None:
        """Return the customer a clear token speaks for; None where it is not good, or they left."""
        party = self.keys.party_of(token, now)
        return party if party is not None and self._is_here(party) else None

    def _by_code(self, form: Mapping[str, str]) -> TokensGiven | OAuthRefused:
        now, digest = self._clock.now(), _digest(form.get("code", ""))
        stolen = self._used.take(digest, now)
        if stolen is not None:
            # Somebody has the code twice: what came of it the first time ends here too.
            self._refreshes.take(stolen, now)
        held = self._codes.take(digest, now)
        if held is None or form.get("redirect_uri") != held.asked.redirect_uri:
            return _NOT_GOOD
        if not _meets(held.asked.code_challenge, form.get("code_verifier", "")):
            return _NOT_GOOD
        given = self._give(held.party, held.asked.client_id, nonce=held.asked.nonce)
        if isinstance(given, TokensGiven):
            self._used.put(digest, _digest(given.refresh_token), now)
        return given

    def _by_device(self, form: Mapping[str, str]) -> TokensGiven | OAuthRefused:
        now, digest = self._clock.now(), _digest(form.get("device_code", ""))
        device = self._devices.get(digest, now)
        if device is None:
            return OAuthRefused("expired_token", "The code is not known, or its time is over.")
        if device.is_refused:
            self._devices.take(digest, now)
            return OAuthRefused("access_denied", "The customer said no.")
        if device.party is None:
            is_hasty = now < device.next_poll_at
            device.next_poll_at = Instant(now + (POLL_S - 1) * SECOND_NS)
            if is_hasty:
                return OAuthRefused("slow_down", f"Ask every {POLL_S} seconds.")
            return OAuthRefused("authorization_pending", "The customer has not answered yet.")
        self._devices.take(digest, now)
        return self._give(device.party, device.client)

    def _by_refresh(self, form: Mapping[str, str]) -> TokensGiven | OAuthRefused:
        held = self._refreshes.take(_digest(form.get("refresh_token", "")), self._clock.now())
        return _NOT_GOOD if held is None else self._give(held.party, held.client)

    def _give(
        self, party: AmanaId, client: str, *, nonce: str | None = None
    ) -> TokensGiven | OAuthRefused:
        if not self._is_here(party):
            return _NOT_GOOD
        now, refresh = self._clock.now(), self._draw()
        self._refreshes.put(_digest(refresh), _Refresh(party, client), now)
        self._refreshes.keep_newest(OF_ONE_MAX, lambda each: each.party == party)
        access = self.keys.access_token(party, client, now=now)
        identity = self.keys.id_token(party, client, nonce=nonce, now=now)
        return TokensGiven(access, refresh, identity)

    def _is_here(self, party: AmanaId) -> bool:
        facts = self._directory.by_id(party)
        return facts is not None and facts.status is PartyStatus.ACTIVE

    def _draw(self) -> str:
        return urlsafe_b64encode(self._chance.draw(_SECRET_BYTES)).decode().rstrip("=")


_NOT_GOOD: Final = OAuthRefused("invalid_grant", "It is not known, was used, or its time is over.")


def _digest(text: str) -> bytes:
    """Return what a secret is kept by. It is random: it needs no salt."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _meets(challenge: str, verifier: str) -> bool:
    """Say whether a verifier is the one the challenge was made of (RFC 7636, section 4.6)."""
    if len(verifier) not in _VERIFIER_CHARACTERS or not verifier.isascii():
        return False
    made = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
    return compare_digest(made, challenge.encode("utf-8", "surrogatepass"))


def _address(asked: Asked, told: Mapping[str, str]) -> str:
    state = {} if asked.state is None else {"state": asked.state}
    return f"{asked.redirect_uri}?{urlencode({**told, **state})}"
