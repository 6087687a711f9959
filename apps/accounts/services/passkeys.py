"""Signing in without a password: passkeys (WebAuthn), known by the device, unlocked by its owner.

A device that verified its user has proved both factors. What it signs is a challenge of ours that
works once, for minutes; `rp.id` is the host of `SITE_URL`, and its subdomains may ask as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Challenge, Passkey, User, digest
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.challenges import give_challenge, take_challenge
from apps.accounts.services.sign_in import let_in
from apps.accounts.services.tokens import Session
from apps.accounts.services.users import check_password_if_any
from apps.accounts.services.ways_in import tell_added
from apps.core import audit
from apps.core.errors import Conflict, DomainError

if TYPE_CHECKING:
    from fido2.server import Fido2Server
    from fido2.webauthn import AttestedCredentialData

MAX_PASSKEYS = 20


class PasskeyRefused(DomainError):
    code = "passkey_refused"
    message = _("This passkey isn't known here, or its answer is wrong.")


class TooManyPasskeys(Conflict):
    code = "too_many_passkeys"
    message = _("You have as many passkeys as one may have. Remove one first.")


def begin_adding(*, user: User, password: str = "") -> dict[str, Any]:
    """Options for the browser's `navigator.credentials.create`, as JSON.

    Raises WrongPassword, TooManyPasskeys and RateLimited.
    """
    check_password_if_any(user=user, password=password)
    known = [_credential(passkey) for passkey in user.passkeys.all()]
    if len(known) >= MAX_PASSKEYS:
        raise TooManyPasskeys()
    fido2 = _webauthn()
    options, _state = _server().register_begin(
        fido2.PublicKeyCredentialUserEntity(
            id=user.public_id.bytes,
            name=user.email,
            display_name=user.get_full_name() or user.email,
        ),
        known,
        resident_key_requirement=fido2.ResidentKeyRequirement.REQUIRED,
        user_verification=fido2.UserVerificationRequirement.REQUIRED,
        challenge=fido2.websafe_decode(give_challenge(Challenge.Kind.ADD_PASSKEY, user=user)),
    )
    return _json(options.public_key)


def add_passkey(*, user: User, name: str, credential: dict[str, Any]) -> Passkey:
    """Take what `navigator.credentials.create` answered; the owner is told by mail.

    Raises ChallengeOver, PasskeyRefused (a known one, too) and RateLimited.
    """
    limit_attempts("passkey", account=str(user.public_id))
    fido2 = _webauthn()
    try:
        answer = fido2.RegistrationResponse.from_dict(credential)
        challenge = fido2.websafe_encode(answer.response.client_data.challenge)
    except Exception as error:
        raise PasskeyRefused() from error
    take_challenge(Challenge.Kind.ADD_PASSKEY, challenge, user=user)
    try:
        data = _server().register_complete(_state(challenge), answer)
    except Exception as error:
        raise PasskeyRefused() from error
    found = data.credential_data
    if found is None:
        raise PasskeyRefused()
    passkey = Passkey(
        user=user,
        name=name,
        digest=_digest(found.credential_id),
        credential=bytes(found),
        sign_count=data.counter,
    )
    try:
        with transaction.atomic():
            passkey.save()
            tell_added(passkey)
    except IntegrityError as error:
        raise PasskeyRefused() from error
    return passkey


def begin_sign_in() -> dict[str, Any]:
    """Options for `navigator.credentials.get`, as JSON; the person chooses among their passkeys.

    Raises RateLimited.
    """
    limit_attempts("passkey-begin")
    fido2 = _webauthn()
    options, _state = _server().authenticate_begin(
        user_verification=fido2.UserVerificationRequirement.REQUIRED,
        challenge=fido2.websafe_decode(give_challenge(Challenge.Kind.PASSKEY)),
    )
    return _json(options.public_key)


def sign_in_by_passkey(*, credential: dict[str, Any]) -> Session:
    """New tokens; raises as `check_passkey` does."""
    return let_in(user=check_passkey(credential=credential))


def check_passkey(*, credential: dict[str, Any]) -> User:
    """The active user whose passkey answered, both factors proved.

    Raises ChallengeOver, PasskeyRefused (its counter didn't grow: somebody copied it, too) and
    RateLimited.
    """
    fido2 = _webauthn()
    try:
        answer = fido2.AuthenticationResponse.from_dict(credential)
        challenge = fido2.websafe_encode(answer.response.client_data.challenge)
        mark, counter = _digest(answer.raw_id), answer.response.authenticator_data.counter
    except Exception as error:
        raise PasskeyRefused() from error
    limit_attempts("passkey", account=mark)
    take_challenge(Challenge.Kind.PASSKEY, challenge)
    passkey = Passkey.objects.select_related("user").filter(digest=mark).first()
    if passkey is None or not passkey.user.is_active:
        raise PasskeyRefused()
    owner = answer.response.user_handle
    try:
        _server().authenticate_complete(_state(challenge), [_credential(passkey)], answer)
    except Exception as error:
        raise PasskeyRefused() from error
    if owner != passkey.user.public_id.bytes or not _count(passkey, counter):
        raise PasskeyRefused()
    return passkey.user


def _count(passkey: Passkey, counter: int) -> bool:
    """Note the use; False if the device's counter stood there before. Some have none: always 0."""
    mine = Passkey.objects.filter(pk=passkey.pk)
    unused = mine.filter(sign_count__lt=counter) if counter else mine.filter(sign_count=0)
    if unused.update(sign_count=counter, last_used_at=timezone.now()):
        return True
    audit.record("passkey_counter", passkey.user, {"name": passkey.name})
    return False


def _webauthn() -> Any:
    """The library, which a process reads once somebody uses a passkey."""
    from fido2 import webauthn  # noqa: PLC0415 (heavy)

    return webauthn


def _server() -> Fido2Server:
    from fido2.server import Fido2Server  # noqa: PLC0415 (heavy)

    host = urlsplit(settings.SITE_URL).hostname or ""
    return Fido2Server(_webauthn().PublicKeyCredentialRpEntity(id=host, name=host))


def _state(challenge: str) -> dict[str, Any]:
    verified = _webauthn().UserVerificationRequirement.REQUIRED
    return {"challenge": challenge, "user_verification": verified}


def _credential(passkey: Passkey) -> AttestedCredentialData:
    credential: AttestedCredentialData = _webauthn().AttestedCredentialData(
        bytes(passkey.credential)
    )
    return credential


def _digest(credential_id: bytes) -> str:
    return digest(_webauthn().websafe_encode(credential_id))


def _json(options: Any) -> Any:
    """The library's options as plain JSON values."""
    if isinstance(options, dict) or hasattr(options, "keys"):
        return {key: _json(options[key]) for key in options}
    if isinstance(options, (list, tuple)):
        return [_json(value) for value in options]
    return options
