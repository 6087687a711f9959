"""The European Commission's register of VAT numbers, as it is asked and answers. Pure.

https://ec.europa.eu/taxation_customs/vies/checkVatService.wsdl
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

_TYPES = "urn:ec.europa.eu:taxud:vies:services:checkVat:types"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_VALID = {"true": True, "1": True, "false": False, "0": False}
# What VIES writes where a Member State doesn't tell.
_UNTOLD = "---"


class AnswerUnreadable(ValueError):
    """Not an answer of VIES, or one that is made to do harm."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Either `fault` is set, or what VIES said of `country` and `number` is.

    `consultation` proves to the tax office that the requester asked.
    """

    country: str = ""
    number: str = ""
    is_valid: bool = False
    name: str = ""
    address: str = ""
    consultation: str = ""
    fault: str = ""


def request(country: str, number: str, *, requester: tuple[str, str] | None = None) -> bytes:
    """The envelope that asks for a number; with a requester, for a consultation number too."""
    fields = [("countryCode", country), ("vatNumber", number)]
    operation = "checkVat"
    if requester is not None:
        operation = "checkVatApprox"
        fields += [("requesterCountryCode", requester[0]), ("requesterVatNumber", requester[1])]
    inner = "".join(f"<t:{name}>{escape(value)}</t:{name}>" for name, value in fields)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<s:Envelope xmlns:s="{_SOAP}" xmlns:t="{_TYPES}">'
        f"<s:Body><t:{operation}>{inner}</t:{operation}></s:Body></s:Envelope>"
    ).encode()


def read(body: bytes) -> Answer:
    """What VIES answered. Raises AnswerUnreadable.

    A document type is refused before its content is read: only there can entities be declared
    that expand without end or name other files, and SOAP forbids it.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except AnswerUnreadable:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise AnswerUnreadable(f"This isn't XML: {error}") from error
    return _answer({name: text.strip() for name, text in reader.found.items()})


def _answer(found: dict[str, str]) -> Answer:
    if "faultstring" in found:
        return Answer(fault=found["faultstring"] or "FAULT")
    valid = _VALID.get(found.get(f"{_TYPES} valid", ""))
    if valid is None:
        raise AnswerUnreadable("It doesn't say whether the number is valid.")

    def told(*names: str) -> str:
        texts = [found.get(f"{_TYPES} {name}", "") for name in names]
        return next((text for text in texts if text and text != _UNTOLD), "")

    return Answer(
        country=told("countryCode"),
        number=told("vatNumber"),
        is_valid=valid,
        name=told("name", "traderName"),
        address=told("address", "traderAddress"),
        consultation=told("requestIdentifier"),
    )


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._current = ""

    def refuse(self, *declaration: Any) -> None:
        raise AnswerUnreadable("It declares a document type.")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._current = name
        self.found[name] = ""

    def text(self, data: str) -> None:
        if self._current:
            self.found[self._current] += data
