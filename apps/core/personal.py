"""What is personal: what each model holds of a person, how it is found, and what becomes of it.

Every app says it of its models in its room `privacy.py`. Export and erasure read it here; a test
refuses a text that nobody declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.files.storage import Storage
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """Why something is kept though its person is erased (docs/privacy.md)."""

    TAX = "tax", _("tax and commercial law")
    PUBLISHED = "published", _("published, without its author's name")
    AUDIT = "audit", _("proof of what was done in the shop")
    FRAUD = "fraud", _("protection against fraud")


# Years after the end of the calendar year that a business of a country keeps invoices and the
# books they stand in. docs/privacy.md names the laws.
TAX_YEARS = {
    "AT": 7,
    "BE": 10,
    "DE": 8,
    "ES": 6,
    "FR": 10,
    "GB": 6,
    "IE": 6,
    "IT": 10,
    "NL": 7,
    "PT": 10,
}
TAX_YEARS_ELSEWHERE = 10


@dataclass(frozen=True)
class Person:
    """Whose data are meant: primary keys, and addresses in lower case that are proved theirs."""

    customers: tuple[int, ...] = ()
    users: tuple[int, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Where:
    """The paths from a model to its person.

    `email` finds what names the address and no customer (`customer` being null, where there is
    one): a stranger's order with my address isn't mine. `mentions` are JSON and texts in which
    the address stands somewhere.
    """

    customer: str = ""
    user: str = ""
    email: str = ""
    mentions: tuple[str, ...] = ()
    also: Callable[[Person], Q] | None = None

    def of(self, person: Person) -> Q:
        """The rows of `person`; none for nobody."""
        found = Q(pk__in=[])
        if self.customer and person.customers:
            found |= Q(**{f"{self.customer}__in": person.customers})
        if self.user and person.users:
            found |= Q(**{f"{self.user}__in": person.users})
        for address in person.emails:
            if self.email:
                guest = {f"{self.customer}__isnull": True} if self.customer else {}
                found |= Q(**{f"{self.email}__iexact": address}, **guest)
            for name in self.mentions:
                found |= Q(**{f"{name}__icontains": address})
        return found | self.also(person) if self.also else found


@dataclass(frozen=True)
class Personal:
    """What one model holds of people, as the functions below declare it."""

    model: type[models.Model]
    where: Where
    # Field → what stands there afterwards; None: the row is deleted.
    forgets: Mapping[str, Any] | None = None
    # The same, for what is kept until its term is over.
    keeps: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    # The date that a term counts from, and the path to the country whose law it is.
    since: str = "created_at"
    country: str = ""
    plain: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    # Rows that the business with the person isn't over with.
    open: Q | None = None
    # Whether such rows, wherever they are, still need this model's.
    waits: bool = False
    files: Callable[[Any], Iterable[tuple[Storage, str]]] | None = None
    # The keys of public answers that show a row (`core.outdated`).
    outdates: Callable[[Any], Iterable[str]] | None = None

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    @property
    def names(self) -> frozenset[str]:
        """The fields that are personal."""
        if self.forgets is None:
            return frozenset(f.name for f in texts(self.model)) - self.plain
        return frozenset(self.forgets) | frozenset(self.keeps)

    def rows(self, person: Person) -> QuerySet[Any]:
        found = self.model._base_manager.filter(self.where.of(person))
        # A path through several rows names some twice.
        return self.model._base_manager.filter(pk__in=found.values("pk"))


@dataclass(frozen=True)
class Term:
    """Rows that go, or are emptied, so many days after a date of theirs, whoever's they are."""

    model: type[models.Model]
    days: int
    since: str
    rows: Q
    forgets: Mapping[str, Any] | None

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def over(self, now: datetime) -> QuerySet[Any]:
        old = Q(**{f"{self.since}__lt": now - timedelta(days=self.days)})
        found = self.model._base_manager.filter(self.rows & old)
        return found.exclude(**self.forgets) if self.forgets else found


_terms: list[Term] = []
_personal: dict[type[models.Model], Personal] = {}
_impersonal: dict[type[models.Model], frozenset[str] | None] = {}


def deleted(
    model: type[models.Model],
    where: Where,
    *,
    plain: str = "",
    hidden: str = "",
    open: Q | None = None,  # noqa: A002 (the word for it)
    waits: bool = False,
    files: Callable[[Any], Iterable[tuple[Storage, str]]] | None = None,
) -> None:
    """Rows of `model` go with their person. `hidden` fields (secrets) aren't exported."""
    _personal[model] = Personal(
        model,
        where,
        plain=frozenset(plain.split()),
        hidden=frozenset(hidden.split()),
        open=open,
        waits=waits,
        files=files,
    )


def emptied(
    model: type[models.Model],
    where: Where,
    *,
    forgets: Mapping[str, Any],
    plain: str = "",
    hidden: str = "",
    **more: Any,
) -> None:
    """Rows of `model` stay, without what is personal in them.

    `forgets` maps fields to what stands there afterwards, `keeps` those that a `reason` keeps
    first; `plain` are the texts that say nothing about anybody. The rest as in `Personal`.
    """
    _personal[model] = Personal(
        model,
        where,
        forgets=forgets,
        plain=frozenset(plain.split()),
        hidden=frozenset(hidden.split()),
        **more,
    )


def lasts(
    model: type[models.Model],
    *,
    days: int,
    since: str = "created_at",
    rows: Q | None = None,
    forgets: Mapping[str, Any] | None = None,
) -> None:
    """`rows` of `model` (all of them) are deleted after `days`, or forget those fields."""
    _terms.append(Term(model, days, since, rows or Q(), forgets))


def terms() -> list[Term]:
    return list(_terms)


def impersonal(*whole: type[models.Model]) -> None:
    """Models that hold nothing of anybody: the merchant's own words and figures."""
    _impersonal.update(dict.fromkeys(whole))


def impersonal_texts(model: type[models.Model], names: str) -> None:
    """The same of a model that stands beside people: each of its texts is named."""
    _impersonal[model] = frozenset(names.split())


def personal() -> list[Personal]:
    """What is declared, in the order of erasure: what points at a row comes before it."""
    return list(reversed(_personal.values()))


def personal_names(model: type[models.Model]) -> frozenset[str]:
    """The personal fields of `model`; none where it has none."""
    found = _personal.get(model._meta.concrete_model or model)
    return found.names if found else frozenset()


def undeclared(model: type[models.Model]) -> list[str]:
    """The texts of `model` of which nobody said whether they are personal."""
    names = {f.name for f in texts(model)}
    if model in _personal:
        found = _personal[model]
        return sorted(names - found.names - found.plain - found.hidden)
    if model not in _impersonal:
        return sorted(names)
    said = _impersonal[model]
    if said is None:
        return sorted(names) if _stands_beside_people(model) else []
    return sorted(names - said)


def texts(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The fields that could hold anything; a choice can't."""
    kinds = (
        models.CharField,
        models.TextField,
        models.JSONField,
        models.BinaryField,
        models.FileField,
        models.GenericIPAddressField,
    )
    return [f for f in model._meta.concrete_fields if isinstance(f, kinds) and not f.choices]


def kept_until(entry: Personal, row: models.Model) -> date | None:
    """The last day that the law wants `row`; None for what has no term."""
    if entry.reason != Reason.TAX:
        return None
    country: Any = row
    for part in entry.country.split("__"):
        country = getattr(country, part, None)
    began = getattr(row, entry.since)
    return date(began.year + TAX_YEARS.get(country, TAX_YEARS_ELSEWHERE), 12, 31)


def _stands_beside_people(model: type[models.Model]) -> bool:
    return any(f.related_model in _personal for f in model._meta.concrete_fields if f.is_relation)
