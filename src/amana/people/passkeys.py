"""Sign-up and sign-in by passkey: WebAuthn ceremonies, discoverable, with user verification.

Source: W3C Web Authentication, Level 2, sections 7.1 and 7.2, as the library `webauthn` does them.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from amana.kernel import MINUTE_NS, Chance, Clock, Instant
from amana.people.model import (
    Customer,
    IssuedToken,
    PartyStatus,
    Passkey,
    RefusalReason,
    Refused,
)
from amana.people.ports import PeopleReader, PeopleWriter
from amana.people.service import People

CEREMONY_LIFE_NS: Final = 5 * MINUTE_NS
CEREMONIES_OPEN_MAX: Final = 10_000
"""Ceremonies begun and not ended; beyond it the oldest is forgotten. How often one address may
begin is bounded at the edge."""

CREDENTIAL_ID_BYTES_MAX: Final = 1_023
"""Source: Web Authentication, Level 2, section 4, credential id."""

_CHALLENGE_BYTES: Final = 32
_CEREMONY_BYTES: Final = 16
_USER_HANDLE_BYTES: Final = 32
_TIMEOUT_MS: Final = 300_000

_UNREADABLE: Final = (
    WebAuthnException,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What the library and its parsers raise on a credential that is not one."""

_REFUSED: Final = Refused(
    RefusalReason.PASSKEY_REFUSED,
    "The passkey was not accepted. Begin again, and choose a passkey made for this wallet.",
)


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """Whom passkeys are made for, and the pages that may ask for them."""

    rp_id: str
    rp_name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CeremonyBegun:
    """A ceremony's id, and the options for the browser as JSON."""

    ceremony: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A customer, and the session's token at the only moment when its text is known."""

    customer: Customer
    issued: IssuedToken


@dataclass(frozen=True, slots=True)
class _Ceremony:
    """A challenge that was given out, and for a sign-up the customer it is to open."""

    challenge: bytes
    expires_at: Instant
    newcomer: Customer | None


class Passkeys:
    """The two ceremonies. Challenges live in memory, five minutes, and are used once."""

    def __init__(
        self,
        *,
        people: People,
        reader: PeopleReader,
        writer: PeopleWriter,
        settings: SignInSettings,
        clock: Clock,
        chance: Chance,
        open_max: int = CEREMONIES_OPEN_MAX,
    ) -> None:
        self._people = people
        self._reader = reader
        self._writer = writer
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._open_max = open_max
        self._ceremonies: dict[str, _Ceremony] = {}

    def begin_sign_up(
        self, handle: str, display_name: str, *, language: str = "en"
    ) -> CeremonyBegun | Refused:
        """Give out a challenge for a new customer's first passkey."""
        newcomer = self._people.new_customer(
            handle,
            display_name,
            language=language,
            user_handle=self._chance.draw(_USER_HANDLE_BYTES),
        )
        refusal = self._people.decide_opening(newcomer)
        if refusal is not None:
            return refusal
        challenge = self._chance.draw(_CHALLENGE_BYTES)
        options = generate_registration_options(
            rp_id=self._settings.rp_id,
            rp_name=self._settings.rp_name,
            user_id=newcomer.user_handle,
            user_name=handle,
            user_display_name=display_name,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return CeremonyBegun(self._open(challenge, newcomer), options_to_json_dict(options))

    async def sign_up(
        self, ceremony: str, credential: Mapping[str, Any], *, is_confirmation_exempt: bool = False
    ) -> SignedIn | Refused:
        """Verify a new passkey and open its customer, signed in.

        Raises:
            Unavailable: Whether the customer was opened is not known; try to sign in.
        """
        begun = self._take(ceremony)
        if begun is None or begun.newcomer is None:
            return _REFUSED
        verified = self._verify_new(credential, begun.challenge)
        if verified is None or self._reader.passkey(verified.credential_id) is not None:
            return _REFUSED
        newcomer = begun.newcomer
        token, issued = self._people.make_session(
            newcomer.customer, is_confirmation_exempt=is_confirmation_exempt
        )
        passkey = Passkey(
            credential_id=verified.credential_id,
            customer=newcomer.customer,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
        )
        opened = await self._people.open_customer(newcomer, passkey=passkey, token=token)
        return opened if isinstance(opened, Refused) else SignedIn(opened, issued)

    def begin_sign_in(self) -> CeremonyBegun:
        """Give out a challenge for any passkey that the device holds for us."""
        challenge = self._chance.draw(_CHALLENGE_BYTES)
        options = generate_authentication_options(
            rp_id=self._settings.rp_id,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return CeremonyBegun(self._open(challenge, None), options_to_json_dict(options))

    async def sign_in(
        self, ceremony: str, credential: Mapping[str, Any], *, is_confirmation_exempt: bool = False
    ) -> SignedIn | Refused:
        """Verify a passkey and sign its customer in."""
        begun = self._take(ceremony)
        passkey = self._passkey_of(credential)
        if begun is None or begun.newcomer is not None or passkey is None:
            return _REFUSED
        customer = self._reader.customer(passkey.customer)
        if customer is None or customer.status is not PartyStatus.ACTIVE:
            return _REFUSED
        verified = self._verify_known(credential, begun.challenge, passkey)
        if verified is None or _user_handle_of(credential) != customer.user_handle:
            return _REFUSED
        if verified.new_sign_count and not await self._writer.raise_sign_count(
            passkey.credential_id, verified.new_sign_count
        ):
            # Somebody used the same count a moment ago: two authenticators hold one key.
            return _REFUSED
        issued = await self._people.issue_session(
            customer.customer, is_confirmation_exempt=is_confirmation_exempt
        )
        return issued if isinstance(issued, Refused) else SignedIn(customer, issued)

    def _verify_new(
        self, credential: Mapping[str, Any], challenge: bytes
    ) -> VerifiedRegistration | None:
        try:
            verified = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._settings.rp_id,
                expected_origin=list(self._settings.origins),
                require_user_verification=True,
            )
        except _UNREADABLE:
            return None
        is_id_bounded = 0 < len(verified.credential_id) <= CREDENTIAL_ID_BYTES_MAX
        return verified if is_id_bounded else None

    def _verify_known(
        self, credential: Mapping[str, Any], challenge: bytes, passkey: Passkey
    ) -> VerifiedAuthentication | None:
        try:
            return verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._settings.rp_id,
                expected_origin=list(self._settings.origins),
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except _UNREADABLE:
            return None

    def _passkey_of(self, credential: Mapping[str, Any]) -> Passkey | None:
        credential_id = _bytes_of(credential.get("rawId"))
        return None if credential_id is None else self._reader.passkey(credential_id)

    def _open(self, challenge: bytes, newcomer: Customer | None) -> str:
        now = self._clock.now()
        self._forget_ceremonies(now)
        ceremony = urlsafe_b64encode(self._chance.draw(_CEREMONY_BYTES)).decode().rstrip("=")
        self._ceremonies[ceremony] = _Ceremony(challenge, Instant(now + CEREMONY_LIFE_NS), newcomer)
        return ceremony

    def _forget_ceremonies(self, now: Instant) -> None:
        """Drop what has expired, and the oldest where there are too many; the oldest come first."""
        while self._ceremonies:
            oldest = next(iter(self._ceremonies))
            is_over = now >= self._ceremonies[oldest].expires_at
            if not is_over and len(self._ceremonies) < self._open_max:
                return
            del self._ceremonies[oldest]

    def _take(self, ceremony: str) -> _Ceremony | None:
        """Return a ceremony that still lives, and end it: a challenge is answered once."""
        begun = self._ceremonies.pop(ceremony, None)
        return None if begun is None or self._clock.now() >= begun.expires_at else begun


def _user_handle_of(credential: Mapping[str, Any]) -> bytes | None:
    """Return the handle a discoverable credential names its user by; required here."""
    response = credential.get("response")
    return _bytes_of(response.get("userHandle")) if isinstance(response, Mapping) else None


def _bytes_of(text: object) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
