"""Every dotted path in the settings leads to something of the right kind."""

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from apps.fraud.engines.base import FraudEngine
from apps.payments.gateways.base import Gateway
from apps.shipping.carriers.base import Carrier
from apps.storefront.selectors.search import SearchBackend


@pytest.mark.parametrize("code", sorted(settings.PAYMENT_GATEWAYS))
def test_gateway_subclasses_its_base(code):
    assert issubclass(import_string(settings.PAYMENT_GATEWAYS[code]), Gateway)


@pytest.mark.parametrize("code", sorted(settings.SHIPPING_CARRIERS))
def test_carrier_subclasses_its_base(code):
    assert issubclass(import_string(settings.SHIPPING_CARRIERS[code]), Carrier)


def test_search_subclasses_its_base():
    assert issubclass(import_string(settings.SEARCH_BACKEND), SearchBackend)


def test_fraud_engines_subclass_their_base():
    found = [import_string(path) for path in settings.FRAUD_ENGINES.values()]
    assert all(issubclass(engine, FraudEngine) for engine in found)


def test_checkout_guards_can_be_called():
    assert all(callable(import_string(path)) for path in settings.CHECKOUT_GUARDS)


def test_beat_runs_tasks_that_exist():
    from commerce.celery import app

    app.loader.import_default_modules()
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert wanted - set(app.tasks) == set()
