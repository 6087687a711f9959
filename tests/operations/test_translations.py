"""The Spanish catalogue: complete, compiled, and what people really read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from rest_framework.test import APIClient

from apps.notifications.services import notify
from apps.stores.models import Store
from tests.architecture.house import ROOT

MESSAGES = ROOT / "locale" / "es" / "LC_MESSAGES"
# A conversion of printf-style formatting, with or without a name; "%%" is a percent sign.
_CONVERSION = re.compile(r"%(?:\(\w+\))?[-+0#]*[\d.]*[a-zA-Z%]")
_TAG = re.compile(r"</?\w+")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return read_po((MESSAGES / "django.po").open("rb"), abort_invalid=True)


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _forms(text: Any) -> tuple[str, ...]:
    # Several forms of a plural are a tuple or, read from an .mo file, a list.
    return tuple(text) if isinstance(text, tuple | list) else (text,)


def _texts(catalogue: Catalog) -> dict[tuple[str | None, tuple[str, ...]], tuple[str, ...]]:
    return {(m.context, _forms(m.id)): _forms(m.string) for m in _messages(catalogue)}


def _placeholders(message: Message, text: str) -> list[str]:
    found = _TAG.findall(text)
    if message.python_format:
        found += _CONVERSION.findall(text)
    if "python-brace-format" in message.flags:
        found += [name for _text, name, _spec, _conv in Formatter().parse(text) if name is not None]
    return sorted(found)


def test_every_message_is_translated_and_none_is_a_guess(catalogue: Catalog) -> None:
    messages = list(_messages(catalogue))
    assert len(messages) > 700
    assert [m.id for m in messages if not all(_forms(m.string))] == []
    assert [m.id for m in messages if m.fuzzy] == []
    assert list(catalogue.obsolete) == []


def test_placeholders_and_outer_spaces_are_kept(catalogue: Catalog) -> None:
    changed = [
        (message.id, message.string)
        for message in _messages(catalogue)
        # Of a plural, each translation stands for the last form.
        for text, source in ((text, _forms(message.id)[-1]) for text in _forms(message.string))
        if _placeholders(message, text) != _placeholders(message, source)
        or text[: len(text) - len(text.lstrip())] != source[: len(source) - len(source.lstrip())]
        or text[len(text.rstrip()) :] != source[len(source.rstrip()) :]
    ]
    assert changed == []
    wrong = {m.id: list(map(str, m.check(catalogue))) for m in _messages(catalogue)}
    assert {text: errors for text, errors in wrong.items() if errors} == {}


def test_compiled_catalogue_is_the_source(catalogue: Catalog) -> None:
    compiled = read_mo((MESSAGES / "django.mo").open("rb"))
    assert _texts(compiled) == _texts(catalogue)


@pytest.mark.parametrize(
    ("accepts", "told"),
    [
        ("es", "El correo electrónico o la contraseña no son correctos."),
        ("es-MX,es;q=0.9,en;q=0.5", "El correo electrónico o la contraseña no son correctos."),
        ("en", "The e-mail address or the password is wrong."),
        ("fr", "The e-mail address or the password is wrong."),
    ],
)
def test_error_is_told_in_the_language_asked_for(
    api: APIClient, store: Store, accepts: str, told: str
) -> None:
    answer = api.post(
        "/api/v1/auth/token/",
        {"email": "nobody@example.com", "password": "wrong"},
        headers={"accept-language": accepts},
    )

    assert (answer.status_code, answer.json()["detail"]) == (401, told)


def test_rejected_input_is_explained_in_spanish(api: APIClient, store: Store) -> None:
    spanish = {"accept-language": "es"}

    answer = api.get("/api/v1/products/?limit=0", headers=spanish)
    money = api.get("/api/v1/products/?price_min=1.234", headers=spanish)

    assert answer.json()["detail"] == "Los datos enviados no son válidos."
    assert [error["message"] for error in answer.json()["errors"]] == ["Un número del 1 al 100."]
    assert [error["message"] for error in money.json()["errors"]] == ["EUR tiene 2 decimales."]


def test_mail_of_an_order_is_written_in_spanish(db: None) -> None:
    message = notify(
        kind="orders/placed",
        recipient="ana@example.com",
        language="es",
        context={
            "store_name": "La tienda",
            "number": "WEB-1",
            "lines": [{"name": "Taza", "sku": "TAZA", "quantity": 2, "total": "20,00 €"}],
            "subtotal": "20,00 €",
            "shipping": "4,90 €",
            "tax": "4,32 €",
            "discount": "",
            "total": "24,90 €",
            "shipping_address": {"first_name": "Ana", "line1": "Calle Mayor 1", "country": "ES"},
            "order_url": "https://shop.example.com/orders/WEB-1",
        },
        dedupe_key="placed:WEB-1",
    )

    assert message.subject == "La tienda: tu pedido WEB-1"
    for body in (message.body_text, message.body_html):
        assert "Gracias por tu pedido WEB-1" in body
        assert "Te avisaremos en cuanto esté en camino." in body
        assert "Envío" in body
        assert "Impuestos" in body
        assert "Dirección de entrega" in body
        assert "Thank you" not in body
    assert 'lang="es"' in message.body_html
