"""The map, the settings and the contracts show the same house."""

import re

from django.conf import settings

from tests.architecture.house import CONTRACTS, ROOT, floors, rank


def test_house_in_settings_is_in_the_order_of_the_floors():
    assert sorted(settings.HOUSE) == sorted(rank())
    ranks = [rank()[app] for app in settings.HOUSE]
    assert ranks == sorted(ranks)


def test_every_folder_of_apps_stands_on_a_floor():
    folders = {f"apps.{path.parent.name}" for path in (ROOT / "apps").glob("*/apps.py")}
    assert folders == {app for floor in floors() for app in floor} - {"commerce"}


def test_every_app_but_core_keeps_to_the_rooms():
    assert set(CONTRACTS["rooms"]["containers"]) == set(rank()) - {"apps.core", "commerce"}


def test_map_in_the_readme_is_the_house():
    text = (ROOT / "apps" / "README.md").read_text().split("## The rooms")[0]
    shown = [f"apps.{name}" for name in re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)]
    assert shown == [app for app in settings.HOUSE if app != "commerce"]
