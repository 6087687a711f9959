"""Asking VIES for VAT numbers."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from stdnum.eu import vat as checksum

from apps.core import http
from apps.core.errors import DomainError
from apps.core.ratelimit import ALL, NETWORK, Limit, hit_caller
from apps.stores.models import Store
from apps.taxes.engines import vies
from apps.taxes.models import TaxSettings, VATCheck
from apps.taxes.selectors import newest_check, split_vat_number

MAX_ANSWER = 64 * 1024
_HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
# How often a network, and all shoppers together, may have numbers checked.
OF_ONE = Limit("vat-number", by=NETWORK, most=10, seconds=3600)
OF_ALL = Limit("vat-number", by=ALL, most=600, seconds=3600)
# The only fault that says something about the number.
_INVALID_INPUT = "INVALID_INPUT"


class InvalidVATNumber(DomainError):
    code = "invalid_vat_number"
    message = _("This isn't a VAT number of the European Union with its country.")


def check_vat_number(*, number: str, store: Store | None = None) -> VATCheck:
    """Ask VIES whether a number is valid, and keep what it says.

    A valid answer isn't asked for again within its validity. With the own VAT number of the
    store VIES gives a consultation number. Whatever isn't a clear answer is "unknown", with the
    fault. Call it outside of a transaction: it waits for the network.
    Raises InvalidVATNumber for what can't be a number at all.
    """
    parts = split_vat_number(number)
    if parts is None:
        raise InvalidVATNumber(field="number")
    known = newest_check(*parts)
    if known is not None and known.verdict == VATCheck.Verdict.VALID:
        return known
    requester = _requester(store)
    check = VATCheck(country=parts[0], number=parts[1], requester="".join(requester or ()))
    if checksum.is_valid("".join(parts)):
        _ask(check, requester)
    else:
        check.verdict, check.fault = VATCheck.Verdict.INVALID, "CHECKSUM"
    check.save()
    return check


def check_for_shopper(*, number: str, store: Store | None = None) -> VATCheck:
    """As `check_vat_number()`, counted: raises RateLimited for a network that asks too often."""
    hit_caller(OF_ONE, OF_ALL)
    return check_vat_number(number=number, store=store)


def _requester(store: Store | None) -> tuple[str, str] | None:
    known = TaxSettings.objects.filter(store=store).first() if store is not None else None
    return split_vat_number(known.vat_number) if known is not None else None


def _ask(check: VATCheck, requester: tuple[str, str] | None) -> None:
    """Set what VIES says on the check, which is unknown until it does."""
    check.verdict = VATCheck.Verdict.UNKNOWN
    if not settings.VIES_URL:
        check.fault = "NOT_ASKED"
        return
    body = vies.request(check.country, check.number, requester=requester)
    try:
        fetched = http.post(settings.VIES_URL, body, max_bytes=MAX_ANSWER, headers=_HEADERS)
        answer = vies.read(fetched.body)
    except (http.FetchError, vies.AnswerUnreadable) as error:
        check.fault = type(error).__name__
        return
    check.answer = fetched.body.decode("utf-8", "replace").replace("\x00", "")
    check.fault = answer.fault[:60]
    if answer.fault:
        if answer.fault == _INVALID_INPUT:
            check.verdict = VATCheck.Verdict.INVALID
        return
    if fetched.status != 200 or (answer.country, answer.number) != (check.country, check.number):
        check.fault = "ANOTHER_ANSWER"
        return
    check.verdict = VATCheck.Verdict.VALID if answer.is_valid else VATCheck.Verdict.INVALID
    check.name, check.address = answer.name[:300], answer.address[:500]
    check.consultation = answer.consultation[:60]
