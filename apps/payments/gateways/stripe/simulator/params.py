"""Typed reading of request parameters, with Stripe's validation errors.

Every method raises StripeError (400, not executed) for a value it cannot read. An empty string
means "unset", as in Stripe's API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from apps.payments.gateways.simulation.wire import JsonObject

from .errors import invalid

_INTEGER = re.compile(r"-?\d{1,18}\Z")
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


class Params:
    """The parameters of a request, or of one nested object in it (`path` is its name)."""

    def __init__(self, values: JsonObject, path: str = "") -> None:
        self.values = values
        self.path = path

    def name(self, key: str) -> str:
        return f"{self.path}[{key}]" if self.path else key

    def given(self, key: str) -> bool:
        return key in self.values

    def only(self, allowed: Iterable[str]) -> None:
        """Refuse what the endpoint does not document: `parameter_unknown`."""
        unknown = [self.name(key) for key in self.values if key not in set(allowed)]
        if unknown:
            plural = "s" if len(unknown) > 1 else ""
            message = f"Received unknown parameter{plural}: {', '.join(unknown)}"
            raise invalid(message, unknown[0], "parameter_unknown")

    def require(self, *keys: str) -> None:
        for key in keys:
            if self.values.get(key) in (None, ""):
                name = self.name(key)
                raise invalid(f"Missing required param: {name}.", name, "parameter_missing")

    def text(self, key: str, limit: int = 5000) -> str | None:
        value = self.values.get(key)
        if value in (None, ""):
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {self.name(key)}", self.name(key))
        if len(value) > limit:
            raise invalid(
                f"Invalid string: {value[:20]}…; must be at most {limit} characters", self.name(key)
            )
        return value

    def needed(self, key: str) -> str:
        self.require(key)
        return self.text(key) or ""

    def integer(self, key: str, minimum: int | None = None) -> int | None:
        value = self.text(key)
        if value is None:
            return None
        if not _INTEGER.match(value):
            raise invalid(f"Invalid integer: {value}", self.name(key), "parameter_invalid_integer")
        number = int(value)
        if minimum is not None and number < minimum:
            raise invalid(
                f"This value must be greater than or equal to {minimum}.",
                self.name(key),
                "parameter_invalid_integer",
            )
        return number

    def boolean(self, key: str) -> bool | None:
        value = self.text(key)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", self.name(key))
        return value.lower() == "true"

    def choice(self, key: str, options: tuple[str, ...]) -> str | None:
        value = self.text(key)
        if value is None or value in options:
            return value
        names = ", ".join(options[:-1]) + f", or {options[-1]}"
        raise invalid(f"Invalid {self.name(key)}: must be one of {names}", self.name(key))

    def url(self, key: str) -> str | None:
        value = self.text(key)
        if value is None:
            return None
        parts = urlsplit(value)
        # Scripts in a redirect target would run on the page of whoever follows it.
        if not parts.scheme or parts.scheme in ("javascript", "data") or not parts.netloc:
            raise invalid("Not a valid URL", self.name(key), "url_invalid")
        return value

    def email(self, key: str) -> str | None:
        value = self.text(key, 512)
        if value is not None and "@" not in value.strip("@"):
            raise invalid(f"Invalid email address: {value}", self.name(key), "email_invalid")
        return value

    def nested(self, key: str) -> Params:
        value = self.values.get(key)
        if value in (None, ""):
            return Params({}, self.name(key))
        if not isinstance(value, dict):
            raise invalid("Invalid object", self.name(key))
        return Params(value, self.name(key))

    def items(self, key: str) -> list[Any]:
        """A list parameter, in the order of its indexes."""
        value = self.values.get(key)
        if value in (None, ""):
            return []
        if not isinstance(value, dict) or not all(index.isdigit() for index in value):
            raise invalid("Invalid array", self.name(key))
        return [value[index] for index in sorted(value, key=int)]

    def objects(self, key: str) -> list[JsonObject]:
        found = self.items(key)
        if not all(isinstance(item, dict) for item in found):
            raise invalid("Invalid object", self.name(key))
        return found

    def texts(self, key: str) -> list[str]:
        found = self.items(key)
        if not all(isinstance(item, str) for item in found):
            raise invalid("Invalid array", self.name(key))
        return found

    def metadata(self, current: JsonObject | None = None) -> JsonObject:
        """The metadata after the request: given keys are set, empty ones removed ("Metadata")."""
        if self.values.get("metadata") == "":
            return {}
        merged = dict(current or {})
        for key, value in self.nested("metadata").values.items():
            name = f"metadata[{key}]"
            if not isinstance(value, str):
                raise invalid("Invalid value: metadata values must be strings", name)
            if len(key) > METADATA_KEY_LENGTH or len(value) > METADATA_VALUE_LENGTH:
                raise invalid(
                    "Metadata keys can have up to 40 characters and values up to 500.", name
                )
            if value:
                merged[key] = value
            else:
                merged.pop(key, None)
        if len(merged) > METADATA_KEYS:
            raise invalid("You can specify up to 50 metadata keys.", "metadata")
        return merged

    def address(self, key: str = "address") -> JsonObject | None:
        if not self.given(key) or self.values[key] == "":
            return None
        part = self.nested(key)
        part.only(ADDRESS)
        return {field: part.text(field) for field in ADDRESS}

    def shipping(self, key: str = "shipping") -> JsonObject | None:
        if not self.given(key) or self.values[key] == "":
            return None
        part = self.nested(key)
        part.only(("address", "name", "phone", "carrier", "tracking_number"))
        part.require("address", "name")
        shipping = {"address": part.address(), "name": part.text("name")}
        for field in ("phone", "carrier", "tracking_number"):
            shipping[field] = part.text(field)
        return shipping
