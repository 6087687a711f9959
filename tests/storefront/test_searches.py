"""What was searched for: counted without anybody, and told to staff."""

import datetime

import pytest
from django.utils import timezone

from apps.storefront.models import SearchQuery
from apps.storefront.services.searches import prune_searches, write_searches

REPORT = "/api/v1/admin/search-report/"


@pytest.fixture
def search(api, settings, sell):
    settings.SEARCH_LOG_DAYS = 90
    sell(100, name="Lamp")
    write_searches()

    def searched(*phrases, **query):
        for phrase in phrases:
            api.get("/api/v1/products/", {"search": phrase, **query})
        write_searches()

    return searched


def _counted():
    return {(q.phrase, q.searches, q.without_result) for q in SearchQuery.objects.all()}


def test_searches_are_added_up_by_day_and_phrase(search, django_assert_num_queries):
    search("Lamp", " lámp ", "sofa")
    search("lamp", "SOFA")
    assert _counted() == {("lamp", 3, 0), ("sofa", 2, 2)}
    # Nothing was asked for since: nothing is written.
    with django_assert_num_queries(0):
        write_searches()


def test_empty_page_of_a_narrow_filter_is_no_search_without_result(search):
    search("lamp", price_max="0.01")
    assert _counted() == {("lamp", 1, 0)}


@pytest.mark.parametrize(
    "personal", ["ana@example.com", "+34 600 11 22 33", "4111-1111-1111-1111", "x" * 101]
)
def test_what_may_be_personal_is_not_counted(search, personal):
    search(personal)
    assert _counted() == set()


def test_counts_are_kept_for_as_long_as_the_setting_says(search, store):
    today = timezone.localdate()
    for days in (90, 91):
        SearchQuery.objects.create(
            store=store, day=today - datetime.timedelta(days=days), phrase="lamp", searches=1
        )
    assert prune_searches() == 1


def test_report_tells_the_most_frequent_of_a_period(search, as_merchant, store):
    search("lamp", "sofa", "sofa", "kayak")
    SearchQuery.objects.create(store=store, day="2020-01-01", phrase="old", searches=9)
    row = {"store": store.code, "phrase": "sofa", "searches": 2, "without_result": 2}
    found = as_merchant.get(REPORT).json()["results"]
    assert [entry["phrase"] for entry in found] == ["sofa", "kayak", "lamp"]
    assert found[0] == row
    found = as_merchant.get(REPORT, {"zero": "true", "limit": 1}).json()["results"]
    assert found == [row]
    found = as_merchant.get(REPORT, {"from": "2020-01-01", "to": "2020-01-02"}).json()["results"]
    assert [entry["phrase"] for entry in found] == ["old"]
    assert as_merchant.get(REPORT, {"from": "yesterday"}).status_code == 400


def test_back_office_shows_it_and_makes_rules_of_it(search, merchant, client):
    search("lamp", "<b>sofa</b>")
    client.force_login(merchant)
    address = "/admin/storefront/searchquery/"
    page = client.get(address, {"zero": "on"}).content.decode()
    assert "&lt;b&gt;sofa&lt;/b&gt;" in page
    assert "query=%3Cb%3Esofa" in page
    assert "lamp" not in page.split("<tbody>")[1].split("</tbody>")[0]
    assert client.get(address, {"since": "never"}).status_code == 200
