"""Deny by default: a view that names no permission answers nobody."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission

from apps.core.errors import DomainError


class SecondFactorMissing(DomainError):
    code = "second_factor_missing"
    status = 403
    message = _("Set up a second factor first: what is the staff's opens only with one.")


class DenyAll(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Public(BasePermission):
    """Anybody. What a guest may reach is decided by the unguessable id in the path."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return True


class SignedIn(BasePermission):
    """A person who signed in; machines with an API key have no account of their own."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.is_authenticated) and may_only(request) is None


class Staff(BasePermission):
    """Staff whose roles, and API keys whose scopes, hold the view's permission.

    The view's `required_permissions` maps its actions (or HTTP methods) to a Django permission
    ("orders.view_order"); what isn't named is refused.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        user = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return False
        is_person = may_only(request) is None
        if is_person and user.needs_second_factor and not user.has_second_factor:
            raise SecondFactorMissing()
        # That the address doesn't know the method (405) any staff may learn.
        if request.method == "OPTIONS" or not hasattr(view, request.method.lower()):
            return True
        action = getattr(view, "action", None) or request.method.lower()
        required = view.required_permissions.get(action)
        return required is not None and holds(request, required)


def holds(request: Any, permission: str) -> bool:
    """Whether the caller has the permission, and the API key that signed has it as a scope."""
    scopes = may_only(request)
    return request.user.has_perm(permission) and (scopes is None or permission in scopes)


def may_only(request: Any) -> frozenset[str] | None:
    """The scopes of the API key that signed the request; None for a person."""
    return getattr(request.auth, "scope_set", None)
