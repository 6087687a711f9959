"""Signing in by the account one has elsewhere.

A provider vouches for a subject, no more: an address that it tells never opens the account that
has it here. Whoever comes so for the first time gives that account's password, and its second
factor, and the two are linked from then on.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.events import EmailVerified, SignedUp
from apps.accounts.models import (
    Challenge,
    IdentityProvider,
    SocialAccount,
    User,
    digest,
    normalize_email,
)
from apps.accounts.services import oidc, second_factor
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.challenges import give_challenge, look_at_challenge, take_challenge
from apps.accounts.services.sign_in import InvalidCredentials, check_credentials
from apps.accounts.services.ways_in import tell_added
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish

_KIND = Challenge.Kind


class EmailRequired(DomainError):
    code = "email_required"
    status = 401
    message = _("We weren't told your e-mail address: please type it.")


class PasswordRequired(DomainError):
    code = "password_required"
    status = 401
    message = _("There is an account with this address: give its password, to link the two.")


class IdentityTaken(Conflict):
    code = "identity_taken"
    message = _("This signs in to another account here already.")


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the `state` it has to come back with."""

    authorization_url: str
    state: str


def depart(*, provider: IdentityProvider, user: User | None = None) -> Departure:
    """Begin to sign in, or, for who is signed in, to link; good for ten minutes, once.

    Raises ProviderFailed and RateLimited.
    """
    limit_attempts("social")
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    state = give_challenge(
        _KIND.DEPARTURE, user=user, provider=provider.pk, verifier=verifier, nonce=nonce
    )
    address = oidc.authorization_url(provider, state=state, nonce=nonce, verifier=verifier)
    return Departure(address, state)


def link(*, provider: IdentityProvider, code: str, state: str, user: User) -> SocialAccount:
    """Let the account of the provider sign `user` in; the owner is told by mail. Safe to repeat.

    Raises ChallengeOver, IdentityRefused, ProviderFailed, IdentityTaken and RateLimited.
    """
    identity = _identity(provider, code, state, user)
    return _link(user, provider.pk, digest(identity.subject), identity.email)


def arrive(*, provider: IdentityProvider, code: str, state: str, store: str) -> str:
    """A ticket for `enter`, good for ten minutes, for who came back from the provider.

    Raises ChallengeOver, IdentityRefused, ProviderFailed and RateLimited.
    """
    identity = _identity(provider, code, state, None)
    told = {**asdict(identity), "subject": digest(identity.subject)}
    return give_challenge(_KIND.ARRIVAL, provider=provider.pk, store=store, **told)


def enter(
    *, ticket: str, email: str = "", password: str = "", code: str = "", language: str = ""
) -> User:
    """Who the ticket's holder is, both factors proved: linked before, now, or a new account.

    What is missing is said by EmailRequired, PasswordRequired and SecondFactorRequired, whose
    `extra` has the ticket: call again with it. Raises ChallengeOver, InvalidCredentials, WrongCode
    and RateLimited, too.
    """
    told = look_at_challenge(_KIND.ARRIVAL, ticket)
    known = _known(told["provider"], told["subject"])
    address = normalize_email(told["email"] or email)
    if known is not None:
        user = known.user
        if not user.is_active:
            raise InvalidCredentials()
    elif not address:
        raise EmailRequired(field="email", extra={"ticket": ticket})
    elif User.objects.filter(email=address).exists():
        user = _owner(address, password, ticket)
    else:
        return _sign_up(ticket, told, address, language)
    second_factor.prove_if_any(user=user, code=code, ticket=ticket)
    take_challenge(_KIND.ARRIVAL, ticket)
    _link(user, told["provider"], told["subject"], told["email"])
    return user


def _identity(
    provider: IdentityProvider, code: str, state: str, user: User | None
) -> oidc.Identity:
    limit_attempts("social")
    begun = take_challenge(_KIND.DEPARTURE, state, user=user)
    if begun["provider"] != provider.pk:
        raise oidc.IdentityRefused()
    return oidc.identify(provider, code=code, nonce=begun["nonce"], verifier=begun["verifier"])


def _known(provider_id: int, subject: str) -> SocialAccount | None:
    return (
        SocialAccount.objects.filter(provider=provider_id, subject=subject)
        .select_related("user")
        .first()
    )


def _owner(email: str, password: str, ticket: str) -> User:
    """The person whose address it is: they know the password."""
    if not password:
        raise PasswordRequired(field="password", extra={"ticket": ticket})
    user = check_credentials(email=email, password=password)
    if user is None:
        raise InvalidCredentials(field="password", extra={"ticket": ticket})
    return user


def _sign_up(ticket: str, told: dict[str, Any], email: str, language: str) -> User:
    """A new account without a password. The address is proved only by a provider to be trusted."""
    limit_attempts("register", account=email)
    trusted = IdentityProvider.objects.filter(pk=told["provider"], trusts_email=True).exists()
    proved = trusted and told["is_email_verified"] and bool(told["email"])
    user = User(
        email=email,
        first_name=told["first_name"],
        last_name=told["last_name"],
        language=language,
        email_verified_at=timezone.now() if proved else None,
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            take_challenge(_KIND.ARRIVAL, ticket)
            user.save()
            SocialAccount.objects.create(
                user=user, provider_id=told["provider"], subject=told["subject"], email=email
            )
            publish(SignedUp(user_id=str(user.public_id), store=told["store"]))
            if proved:
                publish(EmailVerified(user_id=str(user.public_id)))
    except IntegrityError as error:
        # Meanwhile somebody else's, or one's own in another window.
        raise Conflict(extra={"ticket": ticket}) from error
    return user


def _link(user: User, provider_id: int, subject: str, email: str) -> SocialAccount:
    try:
        with transaction.atomic():
            account, is_new = SocialAccount.objects.get_or_create(
                provider_id=provider_id, subject=subject, defaults={"user": user, "email": email}
            )
            if account.user_id != user.pk:
                raise IdentityTaken()
            if is_new:
                tell_added(account)
    except IntegrityError as error:
        raise IdentityTaken() from error
    return account
