"""The cast is who it says it is, and the tools of the tests do what they promise."""

import pytest
from django.db import connection

from apps.accounts.models import User


def test_cast_permissions(merchant, readonly_staff, staff_without_permissions, shopper, stranger):
    assert merchant.has_perm("stores.change_store")
    assert readonly_staff.has_perm("stores.view_store")
    assert not readonly_staff.has_perm("stores.change_store")
    assert staff_without_permissions.get_all_permissions() == set()
    assert shopper.customer != stranger.customer


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after_a_flush", [False, True])
def test_cast_permissions_survive_tests_that_commit(merchant, after_a_flush):
    assert merchant.has_perm("stores.change_store")


@pytest.mark.race
def test_at_once_commits_in_connections_of_its_own(at_once):
    answers = at_once(5, lambda n: User.objects.create_user(f"{n}@example.com").email)
    assert answers == [f"{n}@example.com" for n in range(5)]
    assert User.objects.count() == 5
    assert connection.vendor == "postgresql"


@pytest.mark.race
def test_at_once_answers_with_what_was_raised(at_once):
    answers = at_once(3, lambda n: User.objects.get(pk=-1 - n))
    assert [type(answer) for answer in answers] == [User.DoesNotExist] * 3
