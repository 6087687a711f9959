"""E-mail addresses as keys: the same person by whatever spelling."""

from __future__ import annotations

import hashlib

# Mailboxes whose provider ignores dots (support.google.com/mail/answer/7436150).
_DOTLESS = {"gmail.com", "googlemail.com"}


def normalised_email(email: str) -> str:
    """The mailbox behind an address: lower case, without +tag, and without dots at Gmail.

    "Ana.Diaz+shop@Gmail.com" → "anadiaz@gmail.com". Only for comparing; mails go to what was
    typed.
    """
    local, _at, domain = email.strip().casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def email_key(email: str) -> str:
    """A digest of the normalised address, to count a customer's orders by; "" for none."""
    return hashlib.sha256(normalised_email(email).encode()).hexdigest() if email else ""
