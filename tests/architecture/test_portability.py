"""What one of the three engines drops in silence is not written at all."""

from django.apps import apps
from django.db.models import FloatField, Model, UniqueConstraint

from tests.architecture.house import rank


def _models() -> list[type[Model]]:
    return [m for m in apps.get_models() if apps.get_app_config(m._meta.app_label).name in rank()]


def test_uniqueness_is_unconditional():
    """MariaDB drops conditional unique constraints: nullable unique columns stand for them."""
    conditional = [
        constraint.name
        for model in _models()
        for constraint in model._meta.constraints
        if isinstance(constraint, UniqueConstraint) and constraint.condition is not None
    ]
    assert conditional == []


def test_nothing_is_stored_as_a_float():
    """But for the index by which measures (12.5 cm) are filtered: it is compared, never added."""
    floats = {
        f"{model._meta.label}.{field.name}"
        for model in _models()
        for field in model._meta.get_fields()
        if isinstance(field, FloatField)
    }
    assert floats <= {"products.AttributeIndex.number"}


def test_constraint_and_index_names_are_the_projects_own():
    """Names are global on PostgreSQL and SQLite."""
    names = [part.name for m in _models() for part in (*m._meta.constraints, *m._meta.indexes)]
    assert sorted(names) == sorted(set(names))
