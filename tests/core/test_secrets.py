"""Secrets in the database: sealed, shown nowhere, and encrypted anew by another key."""

from __future__ import annotations

import json
import pickle
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from apps.core.checks import field_encryption
from apps.core.secrets import Sealed, UndecryptableSecret, seal
from apps.payments.models import GatewayAccount

SECRET = "sk_live_51secret"
FIRST, SECOND = (Fernet.generate_key().decode() for _number in range(2))


@pytest.fixture(autouse=True)
def _keys(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [f"k1:{FIRST}"]


@pytest.fixture
def account(db: None) -> GatewayAccount:
    return GatewayAccount.objects.create(gateway="stripe", credentials=seal({"KEY": SECRET}))


def _stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM payments_gatewayaccount")
        return str(cursor.fetchone()[0])


def test_sealed_secret_opens_and_shows_nothing(account: GatewayAccount) -> None:
    account.refresh_from_db()
    sealed = account.credentials
    assert sealed.open() == {"KEY": SECRET}
    shown = f"{sealed!r} {sealed} {vars(account)} {account!r}"
    assert SECRET not in shown + serializers.serialize("json", [account]) + _stored()
    assert repr(sealed) == "•••"
    assert SECRET.encode() not in pickle.dumps(account)
    with pytest.raises(TypeError):
        json.dumps(sealed)


def test_plain_text_is_not_stored(account: GatewayAccount) -> None:
    account.credentials = {"KEY": SECRET}
    with pytest.raises(TypeError):
        account.save()


def test_rotation_encrypts_by_the_first_key(account: GatewayAccount, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [f"k2:{SECOND}", f"k1:{FIRST}"]
    out = StringIO()
    for _time in range(2):
        call_command("rotate_secrets", stdout=out)
    settings.FIELD_ENCRYPTION_KEYS = [f"k2:{SECOND}"]
    account.refresh_from_db()
    assert account.credentials.open() == {"KEY": SECRET}
    assert _stored().startswith("k2:")
    told = ["1 encrypted anew, 0 were already.", "0 encrypted anew, 1 were already."]
    assert out.getvalue().splitlines() == told


def test_lost_key_and_tampering_are_told(settings: Any) -> None:
    sealed = seal({"KEY": SECRET})
    with pytest.raises(UndecryptableSecret):
        Sealed(sealed.stored[:-8] + "AAAAAAA=").open()
    settings.FIELD_ENCRYPTION_KEYS = [f"k2:{SECOND}"]
    with pytest.raises(UndecryptableSecret, match="k1"):
        sealed.open()


@pytest.mark.parametrize("keys", [[], ["k1"], ["k1:short"], [f"k1:{FIRST}", f"k1:{SECOND}"]])
def test_production_needs_good_keys(settings: Any, keys: list[str]) -> None:
    settings.FIELD_ENCRYPTION_KEYS, settings.DEBUG, settings.DEMO = keys, False, False
    with pytest.raises(ImproperlyConfigured):
        seal({"KEY": SECRET})


def test_check_tells_of_bad_keys(settings: Any) -> None:
    assert field_encryption(None) == []
    settings.FIELD_ENCRYPTION_KEYS = ["k1:short"]
    assert [found.id for found in field_encryption(None)] == ["commerce.E008"]


def test_check_asks_for_keys_where_staff_need_a_second_factor(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS, settings.DEBUG, settings.DEMO = [], False, False
    assert field_encryption(None) == []
    settings.STAFF_SECOND_FACTOR = True
    assert [found.id for found in field_encryption(None)] == ["commerce.E008"]


def test_debug_derives_a_key(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS, settings.DEBUG = [], True
    assert seal({"KEY": SECRET}).open() == {"KEY": SECRET}
    assert seal({}) == Sealed("")
