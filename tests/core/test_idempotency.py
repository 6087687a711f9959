"""Keyed requests: the first answer, again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.core.idempotency import (
    InvalidKey,
    KeyReused,
    RequestInProgress,
    Stored,
    begin,
    finish,
    key_digest,
    prune,
)
from apps.core.models import IdempotencyRecord

ANSWER = Stored(201, "application/json", b'{"a": "\xc3\xa9"}')


@pytest.fixture
def digest(db):
    return key_digest("user:1", "POST", "/orders/", "k")


def test_the_kept_answer_is_the_same_bytes(digest):
    assert begin(digest, b"body") is None
    finish(digest, ANSWER)
    assert begin(digest, b"body") == ANSWER


def test_another_body_is_refused(digest):
    begin(digest, b"body")
    with pytest.raises(KeyReused):
        begin(digest, b"other")
    finish(digest, ANSWER)
    with pytest.raises(KeyReused):
        begin(digest, b"other")


def test_a_running_request_is_not_run_twice(digest):
    begin(digest, b"body")
    with pytest.raises(RequestInProgress) as refused:
        begin(digest, b"body")
    assert (refused.value.status, refused.value.extra) == (409, {"retry_after": 1})


def test_a_request_whose_process_died_is_taken_over_once(digest):
    begin(digest, b"body")
    later = timezone.now() + timedelta(seconds=61)
    with time_machine.travel(later, tick=False):
        assert begin(digest, b"body") is None
        with pytest.raises(RequestInProgress):
            begin(digest, b"body")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_refusals_and_crashes_give_the_key_back(digest, status):
    begin(digest, b"body")
    finish(digest, Stored(status, "application/problem+json", b"{}"))
    assert begin(digest, b"corrected") is None


@pytest.mark.parametrize("status", [200, 201, 202, 204, 402])
def test_what_ends_the_story_is_kept(digest, status):
    begin(digest, b"body")
    finish(digest, Stored(status, "application/json", b"{}"))
    assert begin(digest, b"body").status == status


def test_a_key_lives_for_a_day(digest):
    begin(digest, b"body")
    finish(digest, ANSWER)
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1), tick=False):
        assert begin(digest, b"another body") is None


def test_old_records_are_pruned(digest):
    begin(digest, b"body")
    assert prune() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        assert prune() == 1
    assert not IdempotencyRecord.objects.exists()


def test_a_key_belongs_to_its_caller_and_its_address():
    parts = ("user:1", "POST", "/orders/", "k")
    others = [
        ("user:2", "POST", "/orders/", "k"),
        ("user:1", "PUT", "/orders/", "k"),
        ("user:1", "POST", "/carts/", "k"),
        ("user:1", "POST", "/orders/", "l"),
        ("user:1", "POST", "/orders/k", ""),
    ]
    digests = {key_digest(*parts)} | {key_digest(*other) for other in others[:4]}
    assert len(digests) == 5
    with pytest.raises(InvalidKey):
        key_digest(*others[4])


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\x00b", "\x7f"])
def test_keys_are_printable_and_short(key):
    with pytest.raises(InvalidKey):
        key_digest("user:1", "POST", "/", key)
    assert len(key_digest("user:1", "POST", "/", "x" * 255)) == 64


@pytest.mark.race
def test_one_of_many_at_once_runs(transactional_db, at_once):
    digest = key_digest("user:1", "POST", "/orders/", "k")
    answers = at_once(20, lambda _n: begin(digest, b"body"))
    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, RequestInProgress) for answer in answers) == 19
