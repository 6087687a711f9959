"""Nothing is stored that nobody has looked at: each text says whether it is personal."""

from django.apps import apps
from django.db import models

from apps.core import personal
from apps.core.personal import Person, Where, undeclared
from apps.core.personal import personal as declared


def _own() -> list[type[models.Model]]:
    own = [config for config in apps.get_app_configs() if config.name.startswith("apps.")]
    return [m for config in own for m in config.get_models() if m._meta.managed]


def test_every_text_is_declared():
    missing = {m._meta.label: undeclared(m) for m in _own() if not m._meta.proxy}
    assert {label: names for label, names in missing.items() if names} == {}


def test_a_new_text_is_noticed(monkeypatch):
    order = apps.get_model("orders", "Order")
    entry = personal._personal[order]
    forgets = {n: v for n, v in entry.forgets.items() if n != "customer_note"}
    less = personal.Personal(**{**vars(entry), "forgets": forgets})
    monkeypatch.setitem(personal._personal, order, less)
    assert undeclared(order) == ["customer_note"]


def test_declarations_name_fields_that_exist():
    for entry in declared():
        fields = {f.name for f in entry.model._meta.concrete_fields}
        said = {*(entry.forgets or ()), *entry.keeps, *entry.plain, *entry.hidden}
        assert said <= fields, entry.label
        assert bool(entry.keeps) == bool(entry.reason), entry.label


def test_what_points_at_a_row_is_erased_before_it():
    order = [entry.model for entry in declared()]
    for number, model in enumerate(order):
        upper = [f.related_model for f in model._meta.concrete_fields if f.is_relation]
        for target in upper:
            if target in order and target is not model:
                assert order.index(target) > number, (model, target)


def test_every_declaration_finds_its_rows(db):
    somebody = Person(customers=(1,), users=(1,), emails=("a@example.com",))
    for entry in declared():
        assert list(entry.rows(somebody)) == [], entry.label
        assert list(entry.rows(Person())) == [], entry.label


def test_nobody_owns_what_is_nobodys():
    assert str(Where(customer="customer", email="email").of(Person())) == "(AND: ('pk__in', []))"
