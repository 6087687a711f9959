"""Writes of search synonyms and redirects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.audit import assign, note
from apps.core.errors import Conflict, DomainError
from apps.storefront.engines.words import chunks, phrase
from apps.storefront.models import SearchRedirect, SearchSynonym
from apps.storefront.selectors.search.rules import words_of


class InvalidSynonym(DomainError):
    code = "invalid_synonym"
    message = _("Two or more single words, separated by commas.")


class InvalidRedirect(DomainError):
    code = "invalid_redirect"
    message = _("A path of the shop begins with one slash.")


class RedirectExists(Conflict):
    code = "redirect_exists"
    message = _("The search leads somewhere already.")


def check_synonym(*, words: str) -> None:
    """Raises InvalidSynonym for fewer than two words, or one that isn't single."""
    given = words_of(words)
    if len(given) < 2 or any(not list(chunks(word)) or " " in word for word in given):
        raise InvalidSynonym(field="words")


def check_redirect(*, query: str, target: str) -> None:
    """Raises InvalidRedirect for an empty search, or a target that leaves the shop."""
    if not phrase(query):
        raise InvalidRedirect(_("The search is empty."), field="query")
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        raise InvalidRedirect(field="target")


@transaction.atomic
def save_synonym(*, synonym: SearchSynonym, changes: Mapping[str, Any]) -> SearchSynonym:
    """Make words mean the same, or others. Raises InvalidSynonym."""
    adding = synonym._state.adding
    before = assign(synonym, changes)
    check_synonym(words=synonym.words)
    synonym.save()
    note(synonym, adding, before, changes)
    return synonym


@transaction.atomic
def save_redirect(*, redirect: SearchRedirect, changes: Mapping[str, Any]) -> SearchRedirect:
    """Let a search lead somewhere, or elsewhere. Raises InvalidRedirect and RedirectExists."""
    adding = redirect._state.adding
    before = assign(redirect, changes)
    check_redirect(query=redirect.query, target=redirect.target)
    redirect.query = phrase(redirect.query)[:200]
    try:
        with transaction.atomic():
            redirect.save()
    except IntegrityError as error:
        raise RedirectExists(field="query") from error
    note(redirect, adding, before, changes)
    return redirect


@transaction.atomic
def delete_rule(*, rule: SearchSynonym | SearchRedirect) -> None:
    """Delete a synonym or a redirect."""
    audit.record("delete", rule)
    rule.delete()
