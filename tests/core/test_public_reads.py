"""Public reads are answered without sessions and pages, and are as safe as everything else."""

from __future__ import annotations

import pytest

LIST = "/api/v1/products/"


@pytest.fixture(autouse=True)
def _store(store):
    """The shop that is read."""


def test_answer_says_its_length_and_may_not_be_shown_as_a_page(client):
    answer = client.get(LIST)
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Language"] == "en"


def test_session_is_neither_read_nor_written(client, merchant):
    client.force_login(merchant)
    client.get(LIST)
    asked = client.get(LIST)
    assert not asked.cookies
    assert "Cookie" not in asked.headers["Vary"]


def test_refusal_is_a_problem_like_any_other(client):
    answer = client.get(LIST, {"colour": "red"})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert answer.headers["Content-Length"] == str(len(answer.content))


def test_foreign_host_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    assert client.get(LIST, headers={"host": "evil.example.com"}).status_code == 400
    assert client.get(LIST, headers={"host": "shop.example.com"}).status_code == 200


def test_other_methods_go_the_usual_way(client):
    assert client.post(LIST).status_code == 405
    head = client.head(LIST)
    assert (head.status_code, head.content) == (200, b"")
