"""Two hundred guesses at once: exactly as many are looked at as the limit says."""

from __future__ import annotations

import pytest

from apps.accounts.services import second_factor
from apps.accounts.services.recovery import ask_password_reset
from apps.accounts.services.second_factor import WrongCode
from apps.accounts.services.sign_in import check_credentials
from apps.checkout.services import create_cart
from apps.checkout.services.codes import GUESSES, UnknownCode, add_code
from apps.payments.models import InvalidGiftCard
from apps.payments.services.gift_cards import LOOKUPS, look_up_balance
from tests.factories.accounts import PASSWORD, App
from tests.limits import passed

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("counter")]


@pytest.fixture
def crowd(at_once):
    def run(call):
        return [answer for _time in range(5) for answer in at_once(40, call)]

    return run


def test_passwords(crowd, shopper, settings):
    answers = crowd(lambda _n: check_credentials(email=shopper.email, password="wrong"))
    assert passed(answers) == settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT


def test_codes_of_the_second_factor(crowd, shopper, settings):
    with App.clock():
        app = App(second_factor.begin(user=shopper, password=PASSWORD).seed)
        second_factor.confirm(user=shopper, code=app.code(steps=-1))
        answers = crowd(lambda n: second_factor.prove(user=shopper, code=f"{n:06}"))
    # One attempt was the code that switched it on.
    assert passed(answers, but=WrongCode) == settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT - 1


def test_mails_that_set_a_password(crowd, shopper, store, settings):
    answers = crowd(lambda _n: ask_password_reset(email=shopper.email, store="main"))
    assert passed(answers) == settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT


def test_codes_of_gift_cards(crowd):
    answers = crowd(lambda n: look_up_balance(code=f"AAAA-{n:04}"))
    assert passed(answers, but=InvalidGiftCard) == LOOKUPS[0].number


def test_coupon_codes(crowd, store):
    carts = [create_cart(store=store) for _number in range(40)]
    answers = crowd(lambda n: add_code(cart=carts[n], code=f"SALE{n}"))
    assert passed(answers, but=UnknownCode) == GUESSES[0].number
