"""Staff who see the shop as a customer does: for half an hour, in their own session.

Staff stay signed in as themselves, and the back office knows them as themselves; on every other
page of that session `request.user` is the customer and `request.impersonator` who it really is,
whose name is beside the customer's in the audit log and on timelines. The API, which reads no
sessions, isn't concerned. What staff may not do meanwhile is decided by the pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import acting, current_actor
from apps.core.errors import Conflict, DomainError

LASTS = timedelta(minutes=30)
PERMISSION = "customers.impersonate_customer"
_SESSION = "impersonation"
_ELSEWHERE = (f"/{settings.ADMIN_PATH}", "/api/")


class NotImpersonable(Conflict):
    code = "not_impersonable"
    message = _("Nobody can be signed in as this person: they have no account, or are staff.")


class NotForStaff(DomainError):
    code = "not_for_staff"
    status = 403
    message = _("This is for the customer alone: end being signed in as them first.")


def check(user: Any) -> None:
    """Raises NotImpersonable for nobody, for who is blocked, and for staff."""
    if user is None or not user.is_active or user.is_staff or user.is_superuser:
        raise NotImpersonable()


def begin(request: HttpRequest, user: Any, reason: str) -> None:
    """Let the signed-in staff be `user` in this session. Raises NotImpersonable."""
    check(user)
    until = timezone.now() + LASTS
    request.session[_SESSION] = {
        "user": user.pk,
        "until": until.isoformat(),
        # Ends with the customer's sessions: a new password, a blocked account.
        "stamp": user.get_session_auth_hash(),
    }
    request.session.cycle_key()
    audit.record("impersonation.begin", user, {"reason": reason, "until": until})


def end(request: HttpRequest) -> str:
    """Be oneself again; the address in the back office to go on at."""
    known = request.session.pop(_SESSION, None)
    if known is None:
        return reverse("admin:index")
    request.session.cycle_key()
    user = get_user_model().objects.filter(pk=known["user"]).first()
    if user is not None:
        audit.record("impersonation.end", user)
    customer = getattr(user, "customer", None)
    if customer is None:
        return reverse("admin:index")
    return reverse("admin:customers_customer_change", args=[customer.pk])


class ImpersonationMiddleware:
    """Behind the middleware that knows who is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.impersonator = None  # type: ignore[attr-defined]
        is_page = settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(
            _ELSEWHERE
        )
        known = request.session.get(_SESSION) if is_page else None
        if known is None:
            return self.get_response(request)
        staff, user = request.user, _customer(request, known)
        actor = replace(current_actor(), label=str(staff), user_id=staff.pk)
        if user is None:
            with acting(actor):
                back = end(request)
            messages.info(request, _("You are signed in as yourself again."))
            return redirect(back)
        request.user, request.impersonator = user, staff  # type: ignore[attr-defined]
        with acting(replace(actor, label=f"{staff} as {user}"[:254])):
            return self.get_response(request)


def _customer(request: HttpRequest, known: dict[str, Any]) -> Any:
    """Who the staff are now; None if it is over."""
    staff = request.user
    if not (staff.is_authenticated and staff.is_staff and staff.has_perm(PERMISSION)):
        return None
    if datetime.fromisoformat(known["until"]) <= timezone.now():
        return None
    user: Any = get_user_model().objects.filter(pk=known["user"]).first()
    try:
        check(user)
    except NotImpersonable:
        return None
    same = constant_time_compare(known["stamp"], user.get_session_auth_hash())
    return user if same else None
