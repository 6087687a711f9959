"""Secrets that are in the memory of a process are in none of its words: repr, logs, error pages."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as configured
from django.db import models
from django.test import Client
from django.utils import timezone
from django.views.debug import SafeExceptionReporterFilter
from rest_framework.test import APIClient

from apps.core import rotating
from apps.core.fields import SealedField
from apps.core.logs import JSONFormatter
from apps.core.models import EncryptionKey
from apps.core.secrets import Sealed

MARK = "s3cr3t-marker"
WORDS = ("token", "secret", "password", "digest", "code_index", "seed", "credentials", "client_")
# Digests of what is no secret.
PLAIN = {"core.AuditEntry", "core.AuditSeal", "core.IdempotencyRecord"}
OURS = [model for model in apps.get_models() if model.__module__.startswith("apps.")]


def _secret_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, (models.CharField, models.TextField))
        and any(word in field.name for word in WORDS)
    ]


def test_no_repr_tells_a_secret(db: None) -> None:
    told = {}
    for model in OURS:
        fields = _secret_fields(model)
        if not fields or model._meta.label in PLAIN:
            continue
        row = model()
        for field in fields:
            value = Sealed(MARK) if isinstance(field, SealedField) else MARK
            setattr(row, field.name, value)
        try:
            told[model._meta.label] = repr(row)
        except models.ObjectDoesNotExist:
            # It names what it belongs to, which isn't there.
            told[model._meta.label] = ""
    assert {"accounts.ApiKey", "accounts.RefreshToken", "payments.Payment"} <= {*told}
    assert [label for label, text in told.items() if MARK in text] == []


def test_an_error_page_and_its_log_line_tell_none(
    db: None, monkeypatch: Any, caplog: Any, settings: Any
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        password = MARK  # noqa: F841 (a local variable of a frame)
        raise RuntimeError("broken")

    monkeypatch.setattr("apps.accounts.services.sign_in.check_credentials", fail)
    monkeypatch.setattr("apps.accounts.api.views.check_credentials", fail, raising=False)
    body = {"email": "ana@example.com", "password": MARK}
    clients = (
        APIClient(raise_request_exception=False).post("/api/v1/auth/token/", body),
        Client(raise_request_exception=False).post(
            "/admin/login/", {"username": "ana@example.com", "password": MARK}
        ),
    )
    assert [answer.status_code for answer in clients] == [500, 500]
    lines = [JSONFormatter().format(record) for record in caplog.records]
    assert any("RuntimeError" in line for line in lines)
    assert MARK not in "".join(lines) + "".join(a.content.decode() for a in clients)


def test_the_debug_page_hides_settings(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [f"k1:{MARK}"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = MARK, [MARK]
    settings.METRICS_TOKEN = MARK
    assert MARK not in str(SafeExceptionReporterFilter().get_safe_settings())
    assert configured.SECRET_KEY == MARK


def test_an_old_key_is_told(db: None, api: APIClient, settings: Any, caplog: Any) -> None:
    rotating.note_key()
    assert "encryption_key" not in api.get("/health/ready/").json()["reported"]
    later = timezone.now() + timedelta(days=91)
    with time_machine.travel(later, tick=False), caplog.at_level(logging.WARNING):
        rotating.note_key()
        told = api.get("/health/ready/").json()["reported"]["encryption_key"]
        assert told == {"status": "old", "days": 91}
        assert "encryption key is old" in caplog.messages
        # Another one in front, and all is well.
        settings.FIELD_ENCRYPTION_KEYS = ["new:" + "1" * 43 + "=", *settings.FIELD_ENCRYPTION_KEYS]
        rotating.note_key()
        assert "encryption_key" not in api.get("/health/ready/").json()["reported"]
    keys = EncryptionKey.objects.order_by("pk").values_list("key_id", flat=True)
    assert [*keys] == ["tests", "new"]


@pytest.mark.parametrize("keys", [[], ["broken"]])
def test_without_keys_there_is_none_to_be_old(db: None, settings: Any, keys: list[str]) -> None:
    settings.FIELD_ENCRYPTION_KEYS, settings.DEBUG, settings.DEMO = keys, False, False
    rotating.note_key()
    assert not EncryptionKey.objects.exists()
