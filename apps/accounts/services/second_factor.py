"""A second proof beside the password: codes of an app or a passkey, and codes for their loss.

Whoever has one is never signed in by the password alone, and switching it on or off ends every
session: so whoever is signed in has proved both.
"""

from __future__ import annotations

import secrets
import time
from base64 import b32encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyotp
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import BackupCode, Passkey, SecondFactor, User, digest
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.tokens import close_sessions
from apps.accounts.services.users import check_password_if_any
from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.core.secrets import seal

BACKUP_CODES = 10
# A code is good in its half minute, the one before and the one after (RFC 6238, 5.2).
_STEP, _DRIFT = 30, 1


class SecondFactorRequired(DomainError):
    code = "second_factor_required"
    status = 401
    message = _("Send the code of your authenticator app as well, or a backup code.")


class WrongCode(DomainError):
    code = "wrong_code"
    message = _("This code is wrong, was used, or is too old. Take the one that is shown now.")


class SecondFactorExists(Conflict):
    code = "second_factor_exists"
    message = _("The second factor is on. Switch it off first.")


class NoSecondFactor(Conflict):
    code = "no_second_factor"
    message = _("The second factor isn't on.")


class NoPasskey(Conflict):
    code = "no_passkey"
    message = _("Add a passkey first.")


@dataclass(frozen=True, slots=True)
class Setup:
    """What the authenticator app takes in: the seed typed, or its address as a QR code."""

    seed: str
    uri: str


def begin(*, user: User, password: str = "") -> Setup:
    """A new seed; nothing is asked for until `confirm`.

    Raises WrongPassword, SecondFactorExists and RateLimited.
    """
    check_password_if_any(user=user, password=password)
    if user.has_second_factor:
        raise SecondFactorExists()
    seed = pyotp.random_base32()
    SecondFactor.objects.update_or_create(
        user=user, defaults={"seed": seal({"seed": seed}), "confirmed_at": None, "last_step": 0}
    )
    uri = pyotp.TOTP(seed).provisioning_uri(name=user.email, issuer_name=_issuer())
    return Setup(seed, uri)


def confirm(*, user: User, code: str) -> list[str]:
    """Switch it on by a first code; the backup codes, shown only now. Ends every session.

    Raises WrongCode, SecondFactorExists and RateLimited.
    """
    limit_attempts("second-factor", account=str(user.public_id))
    with transaction.atomic():
        factor = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
        if factor is None:
            raise SecondFactorExists() if user.has_second_factor else WrongCode()
        step = _step_of(factor, code)
        mine = SecondFactor.objects.filter(
            pk=factor.pk, confirmed_at=None, seed=factor.seed, last_step__lt=step or 0
        )
        if step is None or not mine.update(last_step=step, confirmed_at=timezone.now()):
            raise WrongCode(field="code")
        _switch(user, on=True)
        return _new_backup_codes(user)


def rely_on_passkeys(*, user: User, password: str = "") -> list[str]:
    """Switch it on without an app; the backup codes, shown only now. Ends every session.

    Whoever gives the password then signs in by a passkey, or gives one of these codes. Raises
    WrongPassword, SecondFactorExists, NoPasskey and RateLimited.
    """
    check_password_if_any(user=user, password=password)
    with transaction.atomic():
        # With its row locked, nobody takes the last passkey away meanwhile.
        locked(User.objects.filter(pk=user.pk)).get()
        user.refresh_from_db()
        if user.has_second_factor:
            raise SecondFactorExists()
        if not Passkey.objects.filter(user=user).exists():
            raise NoPasskey()
        _switch(user, on=True)
        return _new_backup_codes(user)


def prove(*, user: User, code: str) -> None:
    """Check a code of the app, or a backup code, and use it up: of two at once one passes.

    Raises WrongCode and RateLimited. Not inside a transaction: the attempt has to stay counted.
    """
    limit_attempts("second-factor", account=str(user.public_id))
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    step = _step_of(factor, code) if factor else None
    if step is not None:
        mine = SecondFactor.objects.filter(user=user, last_step__lt=step)
        used = mine.update(last_step=step)
    else:
        used = BackupCode.objects.filter(
            user=user, digest=_backup_digest(user, code), used_at=None
        ).update(used_at=timezone.now())
        if used:
            audit.record("use_backup_code", user)
    if not used:
        raise WrongCode(field="code")


def prove_if_any(*, user: User, code: str, **extra: Any) -> None:
    """The same, of who has a second factor.

    Raises SecondFactorRequired, with what is to be known besides, without a code.
    """
    if not user.has_second_factor:
        return
    if not code:
        raise SecondFactorRequired(field="code", extra=extra)
    prove(user=user, code=code)


def renew_backup_codes(*, user: User, code: str) -> list[str]:
    """New backup codes, shown only now; the former ones are gone. Raises WrongCode, RateLimited."""
    prove(user=user, code=code)
    with transaction.atomic():
        audit.record("renew_backup_codes", user)
        return _new_backup_codes(user)


def switch_off(*, user: User, code: str, password: str = "") -> None:
    """Sign in by the password alone again. Ends every session.

    Raises WrongPassword, WrongCode, NoSecondFactor and RateLimited.
    """
    if not user.has_second_factor:
        raise NoSecondFactor()
    check_password_if_any(user=user, password=password)
    prove(user=user, code=code)
    take_away(user=user)


@transaction.atomic
def take_away(*, user: User) -> None:
    """Switch somebody's second factor off: they lost the app and the codes. Ends every session."""
    SecondFactor.objects.filter(user=user).delete()
    BackupCode.objects.filter(user=user).delete()
    _switch(user, on=False)


def backup_codes_left(user: User) -> int:
    return BackupCode.objects.filter(user=user, used_at=None).count()


def _issuer() -> str:
    """What the app shows beside the address: where the shop is."""
    return urlsplit(settings.SITE_URL).hostname or settings.SITE_URL


def _step_of(factor: SecondFactor, code: str) -> int | None:
    """The half minute whose code it is, of those around now."""
    digits = code.replace(" ", "")
    totp, now = pyotp.TOTP(factor.seed.open()["seed"]), int(time.time()) // _STEP
    fitting = [
        step
        for step in range(now - _DRIFT, now + _DRIFT + 1)
        if constant_time_compare(totp.at(step * _STEP), digits)
    ]
    return fitting[-1] if fitting else None


def _switch(user: User, *, on: bool) -> None:
    audit.record("second_factor_on" if on else "second_factor_off", user)
    User.objects.filter(pk=user.pk).update(
        has_second_factor=on, security_stamp=F("security_stamp") + 1, updated_at=timezone.now()
    )
    close_sessions(user=user)
    user.refresh_from_db()


def _new_backup_codes(user: User) -> list[str]:
    codes = [b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(BACKUP_CODES)]
    BackupCode.objects.filter(user=user).delete()
    BackupCode.objects.bulk_create(
        BackupCode(user=user, digest=_backup_digest(user, code)) for code in codes
    )
    return ["-".join(code[n : n + 4] for n in range(0, 16, 4)) for code in codes]


def _backup_digest(user: User, code: str) -> str:
    plain = code.replace("-", "").replace(" ", "").lower()
    return digest(f"{user.public_id}:{plain}")
