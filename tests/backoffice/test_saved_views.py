"""Lists of the back office, kept under a name."""

import pytest

from apps.core.models import SavedView

LIST = "/admin/products/brand/"


@pytest.fixture
def staff(client, merchant):
    client.force_login(merchant)
    return client


def _save(client, **form):
    return client.post(f"{LIST}views/", {"name": "Mine", "query": "q=acme&o=1&p=3", **form})


def test_view_is_saved_shown_and_forgotten(staff):
    saved = _save(staff)
    assert (saved.status_code, saved["Location"]) == (302, f"{LIST}?q=acme&o=1")
    view = SavedView.objects.get()
    page = staff.get(LIST).content.decode()
    assert 'href="?q=acme&amp;o=1">Mine</a>' in page
    # Another list has its own.
    assert ">Mine</a>" not in staff.get("/admin/products/tag/").content.decode()
    # The same name again is the same view.
    _save(staff, query="q=other")
    assert SavedView.objects.get().query == "q=other"
    assert staff.post(f"{LIST}views/{view.pk}/").status_code == 302
    assert not SavedView.objects.exists()


def test_only_shared_views_are_others_and_nobody_else_forgets_them(staff, readonly_staff):
    _save(staff)
    _save(staff, name="Ours", is_shared="on")
    staff.force_login(readonly_staff)
    page = staff.get(LIST).content.decode()
    assert ">Ours</a>" in page
    assert ">Mine</a>" not in page
    for view in SavedView.objects.all():
        assert staff.post(f"{LIST}views/{view.pk}/").status_code == 404
    assert SavedView.objects.count() == 2


def test_who_may_not_see_the_list_has_no_views(staff, staff_without_permissions):
    _save(staff, is_shared="on")
    staff.force_login(staff_without_permissions)
    view = SavedView.objects.get()
    assert _save(staff).status_code == 403
    assert staff.post(f"{LIST}views/{view.pk}/").status_code == 403
    assert staff.get(LIST).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["//evil.example/", "https://evil.example/?a=b", "\\r\\nX: y", '"><script>', "a" * 1001],
)
def test_hostile_query_stays_a_query_of_the_list(staff, query):
    saved = _save(staff, query=query)
    assert saved["Location"].startswith(LIST)
    assert "evil.example/" not in saved["Location"].split("?")[0]
    assert "<script>alert" not in staff.get(LIST).content.decode()
    assert staff.get(f"{LIST}views/").status_code == 405
