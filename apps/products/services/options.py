"""What a shopper chooses: options and their values, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.products.models import Option, OptionValue, Product, Variant


class OptionData(TypedDict):
    name: str
    values: list[str]


class OptionInUse(Conflict):
    code = "option_in_use"
    message = _("Variants still have this option.")


class OptionsTaken(Conflict):
    code = "options_taken"
    message = _("Another variant of the product has the same options.")


@transaction.atomic
def set_options(*, product: Product, options: Sequence[OptionData]) -> None:
    """Make the product's options exactly these, in this order.

    Raises OptionInUse when a variant has a value that isn't among them.
    """
    existing = {option.name: option for option in product.options.prefetch_related("values")}
    keep: set[int] = set()
    for position, data in enumerate(options):
        option = existing.get(data["name"])
        if option is None:
            option = Option.objects.create(product=product, name=data["name"], position=position)
        elif option.position != position:
            Option.objects.filter(pk=option.pk).update(position=position)
        keep |= _set_values(option, data["values"])
    gone = OptionValue.objects.filter(option__product=product).exclude(pk__in=keep)
    if Variant.objects.filter(option_values__in=gone).exists():
        raise OptionInUse(field="options")
    gone.delete()
    product.options.exclude(name__in=[data["name"] for data in options]).delete()


@transaction.atomic
def set_values(*, option: Option, values: Sequence[str]) -> None:
    """Make an option's values exactly these, in this order. Raises OptionInUse."""
    gone = option.values.exclude(pk__in=_set_values(option, values))
    if Variant.objects.filter(option_values__in=gone).exists():
        raise OptionInUse(field="values")
    gone.delete()


def _set_values(option: Option, values: Sequence[str]) -> set[int]:
    rows = {row.value: row for row in option.values.all()}
    for position, value in enumerate(dict.fromkeys(values)):
        row = rows.get(value)
        if row is None:
            rows[value] = OptionValue.objects.create(option=option, value=value, position=position)
        elif row.position != position:
            OptionValue.objects.filter(pk=row.pk).update(position=position)
    return {row.pk for value, row in rows.items() if value in values}


@transaction.atomic
def choose_options(*, variant: Variant, options: Mapping[str, str]) -> None:
    """Give a variant its option values ("Size": "M"), made where the product lacks them.

    Raises OptionsTaken when another variant of the product has the same ones.
    """
    product = variant.product
    known = {option.name: option for option in product.options.all()}
    chosen: list[OptionValue] = []
    for name, value in options.items():
        option = known.get(name)
        if option is None:
            option = Option.objects.create(product=product, name=name, position=len(known))
            known[name] = option
        row, _created = OptionValue.objects.get_or_create(
            option=option, value=value, defaults={"position": option.values.count()}
        )
        chosen.append(row)
    variant.option_values.set(chosen)
    _refuse_twins(variant, frozenset(row.pk for row in chosen))


def _refuse_twins(variant: Variant, chosen: frozenset[int]) -> None:
    if not chosen:
        return
    links = Variant.option_values.through.objects.filter(
        variant__product=variant.product_id
    ).exclude(variant=variant)
    others: dict[int, set[int]] = {}
    for variant_id, value_id in links.values_list("variant_id", "optionvalue_id"):
        others.setdefault(variant_id, set()).add(value_id)
    if chosen in others.values():
        raise OptionsTaken(field="options")
