"""The query of a list of products, read strictly."""

from __future__ import annotations

import math
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import is_country
from apps.core.errors import DomainError
from apps.core.money import MoneyError, to_minor
from apps.products.models import Attribute
from apps.products.selectors import filterable_attributes
from apps.storefront.selectors.filters import Wanted
from apps.storefront.selectors.pages import PRODUCT_ORDERINGS
from apps.stores.models import Store

MAX_LENGTH = 200
MAX_VALUES = 50
MAX_CODE = 20
FILTERS = frozenset(
    "search category collection brand price_min price_max in_stock rating_min currency".split()
)
ATTRIBUTE = "attr_"
DEFAULT_LIMIT, MAX_LIMIT = 24, 100


class InvalidQuery(DomainError):
    """`field` is the parameter at fault."""

    code = "validation_error"
    message = gettext_lazy("The input isn't valid.")


def _refuse(name: str, message: str) -> InvalidQuery:
    error = {"field": name, "code": "invalid", "message": message}
    return InvalidQuery(field=name, extra={"errors": [error]})


def read_filters(query: QueryDict, *, store: Store, currency: str, at: datetime) -> Wanted:
    """The filters named by `query`. Raises InvalidQuery, naming the parameter."""
    too_long = [name for name, value in query.items() if len(value) > MAX_LENGTH * 10]
    if too_long:
        raise _refuse(too_long[0][:100], _("The value is too long."))
    texts, ranges = _attributes(query)
    return Wanted(
        store_id=store.pk,
        currency=currency,
        at=at,
        search=read_search(query, "search"),
        language=store.language,
        category=query.get("category", ""),
        collection=query.get("collection", ""),
        brands=_several("brand", query.get("brand", "")),
        price_min=_price(query, "price_min", currency),
        price_max=_price(query, "price_max", currency),
        in_stock=read_flag(query, "in_stock"),
        rating_min=_rating(query),
        texts=texts,
        ranges=ranges,
    )


def read_search(query: QueryDict, name: str) -> str:
    """What was typed. Raises InvalidQuery."""
    search = query.get(name, "")
    if len(search) > MAX_LENGTH:
        raise _refuse(name, _("At most %d characters.") % MAX_LENGTH)
    return search


def read_flag(query: QueryDict, name: str) -> bool | None:
    """`true` or `false`; None where it isn't given."""
    raw = query.get(name)
    if raw is None or raw == "":
        return None
    if raw not in ("true", "false"):
        raise _refuse(name, _("true or false."))
    return raw == "true"


def read_limit(query: QueryDict) -> int:
    """The page size. Raises InvalidQuery."""
    raw = query.get("limit")
    if raw is None:
        return DEFAULT_LIMIT
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:6]) <= MAX_LIMIT):
        raise _refuse("limit", _("A number from 1 to %d.") % MAX_LIMIT)
    return int(raw)


def read_ordering(query: QueryDict) -> str:
    """One of PRODUCT_ORDERINGS: the best matches first in a search, else the newest."""
    wanted = query.get("ordering") or ("relevance" if query.get("search") else "-created")
    if wanted not in PRODUCT_ORDERINGS:
        raise _refuse("ordering", _("One of: %s.") % ", ".join(PRODUCT_ORDERINGS))
    if wanted == "relevance" and not query.get("search", "").split():
        return "-created"
    return wanted


def read_place(query: QueryDict, *, store: Store) -> dict[str, str]:
    """`country` (the store's without it) and `postal_code`. Raises InvalidQuery."""
    country = query.get("country", "").upper() or store.country
    if not is_country(country):
        raise _refuse("country", _("An ISO 3166-1 code of two capitals."))
    code = query.get("postal_code", "")
    if len(code) > MAX_CODE:
        raise _refuse("postal_code", _("At most %d characters.") % MAX_CODE)
    return {"country": country, "postal_code": code}


def _several(name: str, raw: str) -> tuple[str, ...]:
    values = tuple(value for value in raw.split(",") if value)
    if len(values) > MAX_VALUES:
        raise _refuse(name, _("At most %d values.") % MAX_VALUES)
    return values


def _price(query: QueryDict, name: str, currency: str) -> int | None:
    raw = query.get(name)
    if not raw:
        return None
    try:
        return to_minor(raw, currency)
    except MoneyError as error:
        raise _refuse(name, str(error)[:200]) from error


def _rating(query: QueryDict) -> float:
    value = _float(query.get("rating_min") or "0")
    if value is None or not 0 <= value <= 5:
        raise _refuse("rating_min", _("A number from 0 to 5."))
    return value


def _float(raw: str) -> float | None:
    try:
        value = float(raw)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _attributes(
    query: QueryDict,
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[float | None, float | None]]]:
    names = [name for name in query if name.startswith(ATTRIBUTE)]
    if not names:
        return {}, {}
    known = filterable_attributes()
    texts: dict[str, tuple[str, ...]] = {}
    ranges: dict[str, tuple[float | None, float | None]] = {}
    for name in names:
        code = name.removeprefix(ATTRIBUTE)
        attribute = known.get(code)
        if attribute is None:
            raise _refuse(name[:100], _("Unknown parameter."))
        if not query[name]:
            continue
        if attribute.kind == Attribute.Kind.NUMBER:
            ranges[code] = _range(name, query[name])
        else:
            texts[code] = _several(name, query[name])
    return texts, ranges


def _range(name: str, raw: str) -> tuple[float | None, float | None]:
    """`min..max`, either may be missing; a single number means exactly that."""
    low, dots, high = raw.partition("..")
    bounds: list[float | None] = []

    for part in (low, high if dots else low):
        value = _float(part) if part else None
        if part and value is None:
            raise _refuse(name, _("A number, or a range: min..max."))
        bounds.append(value)
    return bounds[0], bounds[1]
