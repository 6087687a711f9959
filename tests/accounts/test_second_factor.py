"""The second factor: RFC 6238's codes, each once, asked for wherever a password is."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pyotp
import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import BackupCode, SecondFactor, User
from apps.accounts.services import second_factor, tokens
from apps.accounts.services.second_factor import WrongCode
from apps.core.models import AuditEntry
from tests.factories.accounts import PASSWORD, App

TOKEN = "/api/v1/auth/token/"
URL = "/api/v1/auth/second-factor/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with App.clock():
        yield


@pytest.fixture
def app(shopper) -> App:
    """The shopper's, one step behind the code that switched it on."""
    made = App(second_factor.begin(user=shopper, password=PASSWORD).seed)
    shopper.backup = second_factor.confirm(user=shopper, code=made.code(steps=-1))
    return made


def _sign_in(api, user, **code):
    return api.post(TOKEN, {"email": user.email, "password": PASSWORD, **code})


def test_codes_are_those_of_the_rfc():
    """RFC 6238, appendix B, for SHA-1; the last six of its eight digits."""
    app = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert [app.at(at) for at in (59, 1111111109, 2000000000)] == ["287082", "081804", "279037"]


def test_it_is_set_up_and_asked_for(api, as_shopper, shopper):
    assert as_shopper.get(URL).json() == {
        "is_on": False,
        "is_required": False,
        "backup_codes_left": 0,
    }
    wrong = as_shopper.post(URL, {"password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_password")
    setup = as_shopper.post(URL, {"password": PASSWORD}).json()
    assert setup["uri"].startswith("otpauth://totp/localhost:shopper%40example.com?secret=")
    app = App(setup["seed"])
    # Nothing is asked for before a first code has come back.
    assert _sign_in(api, shopper).status_code == 200
    assert as_shopper.post(f"{URL}confirm/", {"code": "000000"}).json()["code"] == "wrong_code"

    told = as_shopper.post(f"{URL}confirm/", {"code": app.code(steps=-1)}).json()
    assert len(set(told["backup_codes"])) == 10
    # Every session has ended but the one in the answer.
    assert as_shopper.get(URL).status_code == 401
    headers = {"Authorization": f"Bearer {told['session']['access']}"}
    assert api.get(URL, headers=headers).json()["is_on"] is True
    assert [e.action for e in AuditEntry.objects.order_by("pk")] == ["second_factor_on"]

    asked = _sign_in(api, shopper)
    assert (asked.status_code, asked.json()["code"]) == (401, "second_factor_required")
    assert _sign_in(api, shopper, code=app.code()).status_code == 200


def test_wrong_password_tells_nothing_of_a_second_factor(api, shopper, app):
    answer = api.post(TOKEN, {"email": shopper.email, "password": "wrong", "code": app.code()})
    assert answer.json()["code"] == "invalid_credentials"


def test_code_works_once(api, shopper, app):
    code = app.code()
    assert _sign_in(api, shopper, code=code).status_code == 200
    again = _sign_in(api, shopper, code=code)
    assert (again.status_code, again.json()["code"]) == (400, "wrong_code")


@pytest.mark.parametrize(
    ("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clock_may_be_half_a_minute_off(shopper, app, steps, good):
    SecondFactor.objects.update(last_step=0)
    if good:
        second_factor.prove(user=shopper, code=app.code(steps=steps))
    else:
        with pytest.raises(WrongCode):
            second_factor.prove(user=shopper, code=app.code(steps=steps))


def test_code_of_before_the_last_one_is_too_old(shopper, app):
    second_factor.prove(user=shopper, code=app.code(steps=1))
    with pytest.raises(WrongCode):
        second_factor.prove(user=shopper, code=app.code())


def test_backup_code_works_once_however_it_is_typed(shopper, app):
    code = shopper.backup[0]
    second_factor.prove(user=shopper, code=f" {code.upper().replace('-', ' ')}")
    with pytest.raises(WrongCode):
        second_factor.prove(user=shopper, code=code)
    assert second_factor.backup_codes_left(shopper) == 9
    assert AuditEntry.objects.filter(action="use_backup_code").count() == 1


def test_backup_code_of_somebody_else_is_none(shopper, stranger, app):
    other = App(second_factor.begin(user=stranger, password=PASSWORD).seed)
    codes = second_factor.confirm(user=stranger, code=other.code())
    for code in (codes[0], other.code(steps=1)):
        with pytest.raises(WrongCode):
            second_factor.prove(user=shopper, code=code)


def test_new_backup_codes_end_the_former(shopper, app):
    codes = second_factor.renew_backup_codes(user=shopper, code=app.code())
    with pytest.raises(WrongCode):
        second_factor.prove(user=shopper, code=shopper.backup[0])
    second_factor.prove(user=shopper, code=codes[0])


def test_nothing_of_it_can_be_read_in_the_database(shopper, app):
    stored = f"{SecondFactor.objects.values_list('seed', flat=True).get().stored}"
    stored += "".join(BackupCode.objects.values_list("digest", flat=True))
    assert app.totp.secret not in stored
    assert not any(code.replace("-", "") in stored for code in shopper.backup)


def test_guesses_are_counted(api, shopper, app, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 5
    answers = []
    for _ in range(7):
        try:
            second_factor.prove(user=shopper, code="000000")
        except Exception as error:
            answers.append(error.code)
    # One attempt was the code that switched it on.
    assert answers == ["wrong_code"] * 4 + ["rate_limited"] * 3


def test_it_is_switched_off_by_both_proofs(shopper, app):
    session = tokens.open_session(user=shopper)
    with pytest.raises(WrongCode):
        second_factor.switch_off(user=shopper, password=PASSWORD, code="000000")
    second_factor.switch_off(user=shopper, password=PASSWORD, code=app.code())
    assert User.objects.get(pk=shopper.pk).has_second_factor is False
    assert (SecondFactor.objects.count(), BackupCode.objects.count()) == (0, 0)
    with pytest.raises(tokens.InvalidToken):
        tokens.user_of(session.access)


def test_new_seed_isnt_set_while_one_is_on(shopper, app):
    with pytest.raises(second_factor.SecondFactorExists):
        second_factor.begin(user=shopper, password=PASSWORD)


def test_owner_without_phone_is_let_in_by_a_command(shopper, app):
    told = StringIO()
    call_command("reset_second_factor", "Shopper@example.com", stdout=told)
    assert told.getvalue() == "The second factor is off.\n"
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "shopper@example.com")


def test_staff_open_nothing_of_theirs_without_it(api, as_merchant, merchant, settings):
    settings.STAFF_SECOND_FACTOR = True
    refused = as_merchant.get("/api/v1/admin/orders/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_missing")
    assert as_merchant.get(URL).json()["is_required"] is True
    app = App(as_merchant.post(URL, {"password": PASSWORD}).json()["seed"])
    told = as_merchant.post(f"{URL}confirm/", {"code": app.code()}).json()
    headers = {"Authorization": f"Bearer {told['session']['access']}"}
    assert api.get("/api/v1/admin/orders/", headers=headers).status_code == 200


@pytest.mark.race
def test_code_used_at_once_passes_once(at_once, shopper, app, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 100
    code, backup = app.code(), shopper.backup[0]
    for used in (code, backup):
        answers = at_once(8, lambda n, used=used: second_factor.prove(user=shopper, code=used))
        assert sum(answer is None for answer in answers) == 1
        assert sum(isinstance(answer, WrongCode) for answer in answers) == 7
