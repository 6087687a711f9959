"""A foreign key by string obeys the floors too; import-linter cannot see those."""

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from tests.architecture.house import rank


def _app(model: type[Model]) -> str:
    return apps.get_app_config(model._meta.app_label).name


def test_relations_point_down():
    floor = rank()
    wrong = []
    for model in apps.get_models(include_auto_created=True):
        mine = _app(model)
        if mine not in floor:
            continue
        for field in model._meta.get_fields():
            if not field.is_relation or field.auto_created or field.related_model is None:
                continue
            other = _app(field.related_model)
            if other in floor and other != mine and floor[other] >= floor[mine]:
                wrong.append(
                    f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
                )
    assert wrong == []


def test_tables_belong_to_the_house():
    """Every app's models carry its own label, so that the rank above finds them."""
    labels = {name.rpartition(".")[2] for name in settings.HOUSE}
    ours = {m._meta.app_label for m in apps.get_models() if m.__module__.startswith("apps.")}
    assert ours <= labels
