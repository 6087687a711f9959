"""A promotion's JSON: what is taken, and what is refused by which name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.promotions.engines import schema
from apps.promotions.engines.rules import (
    AmountOff,
    BuyXGetY,
    FixedPrice,
    FreeGift,
    FreeShipping,
    Percentage,
    QuantityTiers,
    Selection,
)

MUGS = Selection((frozenset({"category:mugs"}),))


@pytest.mark.parametrize(
    ("data", "effect"),
    [
        ({"type": "percentage", "percent": "12.5"}, Percentage(Decimal("12.5"), "items")),
        (
            {"type": "percentage", "percent": "100", "of": "order"},
            Percentage(Decimal(100), "order"),
        ),
        ({"type": "amount_off", "amount": {"EUR": "5.00", "JPY": "800"}}, AmountOff(500, "order")),
        ({"type": "amount_off", "amount": {"EUR": "5"}, "per": "item"}, AmountOff(500, "item")),
        ({"type": "fixed_price", "price": {"EUR": "0.00"}}, FixedPrice(0)),
        (
            {"type": "quantity_tiers", "tiers": [{"from": 2, "percent": "5"}]},
            QuantityTiers(((2, Decimal(5)),)),
        ),
        ({"type": "buy_x_get_y", "buy": 2, "get": 1}, BuyXGetY(2, 1)),
        (
            {
                "type": "buy_x_get_y",
                "buy": 1,
                "get": 1,
                "percent": "50",
                "get_items": {"category": ["mugs"]},
            },
            BuyXGetY(1, 1, Decimal(50), MUGS),
        ),
        ({"type": "free_shipping"}, FreeShipping()),
        (
            {"type": "free_shipping", "methods": ["standard"], "up_to": {"EUR": "4.95"}},
            FreeShipping(frozenset({"standard"}), 495),
        ),
        ({"type": "free_gift", "sku": "CUP"}, FreeGift("CUP", 1)),
    ],
)
def test_an_effect_is_read(data, effect):
    assert schema.effect_of(data, "EUR") == effect


def test_amounts_have_the_decimals_of_their_currency():
    data = {"type": "amount_off", "amount": {"JPY": "800", "KWD": "1.234"}}
    assert schema.effect_of(data, "JPY") == AmountOff(800)
    assert schema.effect_of(data, "KWD") == AmountOff(1234)
    with pytest.raises(schema.OtherCurrency):
        schema.effect_of(data, "EUR")


def test_conditions_are_read():
    data = {
        "items": {"category": ["mugs"], "exclude": {"brand": ["acme"]}, "reduced": False},
        "min_spend": {"EUR": "50.00"},
        "min_quantity": 2,
        "customer_groups": ["vip"],
        "segments": ["regulars"],
        "first_order": True,
    }
    assert schema.conditions_of(data, "EUR") == schema.Conditions(
        Selection((frozenset({"category:mugs"}),), frozenset({"brand:acme"}), False),
        5000,
        2,
        frozenset({"vip"}),
        frozenset({"regulars"}),
        True,
    )
    assert schema.conditions_of({}, "EUR") == schema.Conditions()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "effect"),
        ({}, "effect.type"),
        ({"type": []}, "effect.type"),
        ({"type": "gift"}, "effect.type"),
        ({"type": "percentage"}, "effect.percent"),
        ({"type": "percentage", "percent": 10}, "effect.percent"),
        ({"type": "percentage", "percent": "0"}, "effect.percent"),
        ({"type": "percentage", "percent": "100.01"}, "effect.percent"),
        ({"type": "percentage", "percent": "-1"}, "effect.percent"),
        ({"type": "percentage", "percent": "NaN"}, "effect.percent"),
        ({"type": "percentage", "percent": "1E+40"}, "effect.percent"),
        ({"type": "percentage", "percent": "1.00001"}, "effect.percent"),
        ({"type": "percentage", "percent": "1", "of": "world"}, "effect.of"),
        ({"type": "percentage", "percent": "1", "and": 1}, "effect.and"),
        ({"type": "amount_off"}, "effect.amount"),
        ({"type": "amount_off", "amount": {}}, "effect.amount"),
        ({"type": "amount_off", "amount": {"EUR": "0.00"}}, "effect.amount.EUR"),
        ({"type": "amount_off", "amount": {"EUR": "-5"}}, "effect.amount.EUR"),
        ({"type": "amount_off", "amount": {"EUR": "0.001"}}, "effect.amount.EUR"),
        ({"type": "amount_off", "amount": {"EUR": 5}}, "effect.amount.EUR"),
        ({"type": "amount_off", "amount": {"EUR": "5", "XXX": "5"}}, "effect.amount.XXX"),
        ({"type": "fixed_price", "price": "5"}, "effect.price"),
        ({"type": "quantity_tiers", "tiers": []}, "effect.tiers"),
        ({"type": "quantity_tiers", "tiers": [{"from": 0, "percent": "5"}]}, "effect.tiers.from"),
        ({"type": "quantity_tiers", "tiers": [{"from": 2}]}, "effect.tiers.percent"),
        (
            {
                "type": "quantity_tiers",
                "tiers": [{"from": 2, "percent": "5"}, {"from": 2, "percent": "9"}],
            },
            "effect.tiers",
        ),
        ({"type": "buy_x_get_y", "buy": 0, "get": 1}, "effect.buy"),
        ({"type": "buy_x_get_y", "buy": True, "get": 1}, "effect.buy"),
        ({"type": "buy_x_get_y", "buy": 1, "get": 1.5}, "effect.get"),
        ({"type": "buy_x_get_y", "buy": 1, "get": 1, "get_items": []}, "effect.get_items"),
        ({"type": "free_shipping", "methods": "standard"}, "effect.methods"),
        ({"type": "free_gift", "sku": ""}, "effect.sku"),
        ({"type": "free_gift", "sku": "CUP", "quantity": 0}, "effect.quantity"),
    ],
)
def test_an_impossible_effect_is_refused_by_name(data, field):
    with pytest.raises(schema.InvalidRule) as caught:
        schema.effect_of(data, "EUR")
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ("x", "conditions"),
        ({"itmes": {}}, "conditions.itmes"),
        ({"items": {"colour": ["red"]}}, "conditions.items.colour"),
        ({"items": {"category": "mugs"}}, "conditions.items.category"),
        ({"items": {"category": [1]}}, "conditions.items.category"),
        ({"items": {"exclude": {"x": ["y"]}}}, "conditions.items.exclude.x"),
        ({"items": {"reduced": "no"}}, "conditions.items.reduced"),
        ({"items": {"sku": ["x"] * 1001}}, "conditions.items.sku"),
        ({"min_spend": {"EUR": "1.001"}}, "conditions.min_spend.EUR"),
        ({"min_quantity": -1}, "conditions.min_quantity"),
        ({"customer_groups": [""]}, "conditions.customer_groups"),
        ({"first_order": 1}, "conditions.first_order"),
    ],
)
def test_an_impossible_condition_is_refused_by_name(data, field):
    with pytest.raises(schema.InvalidRule) as caught:
        schema.conditions_of(data, "EUR")
    assert caught.value.field == field
