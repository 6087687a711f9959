"""Saving promotions, making codes, and using them up."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.utils import timezone

from apps.core.emails import email_key
from apps.core.models import AuditEntry, OutboxMessage
from apps.promotions import services
from apps.promotions.models import Coupon, Promotion, Redemption
from apps.promotions.selectors import offered
from apps.promotions.services import Use, redeem, release
from tests.factories.promotions import CouponFactory, PromotionFactory

pytestmark = pytest.mark.django_db
ANA = email_key("ana@example.com")


def new(**kwargs):
    values = {
        "code": "summer",
        "name": "Summer",
        "effect": {"type": "percentage", "percent": "10", "of": "items"},
        "is_active": True,
    }
    return Promotion(**{**values, **kwargs})


def rules(store, **kwargs):
    return offered(store=store, currency="EUR", at=timezone.now(), **kwargs).rules


def test_a_promotion_is_saved_with_its_history_and_offered_at_once(store):
    promotion = services.save_promotion(promotion=new())
    assert [rule.code for rule in rules(store)] == ["summer"]
    promotion.effect = {"type": "percentage", "percent": "20"}
    services.save_promotion(promotion=promotion)
    [rule] = rules(store)
    assert rule.effect.percent == 20
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["promotion.created", "promotion.changed"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Not a slug"}, "code"),
        ({"name": ""}, "name"),
        ({"effect": {}}, "effect.type"),
        ({"effect": None}, "effect"),
        ({"conditions": {"min_spend": {"USD": "-1"}}}, "conditions.min_spend.USD"),
        (
            {
                "effect": {"type": "amount_off", "amount": {"EUR": "5"}},
                "conditions": {"min_spend": {"USD": "50"}},
            },
            "conditions.min_spend",
        ),
        ({"weekdays": [7]}, "weekdays"),
        ({"weekdays": "monday"}, "weekdays"),
        ({"hours_from": time(9), "hours_to": time(9)}, "hours_to"),
        ({"is_catalogue": True, "effect": {"type": "free_shipping"}}, "effect.type"),
        (
            {"is_catalogue": True, "conditions": {"customer_groups": ["vip"]}},
            "is_catalogue",
        ),
        ({"is_catalogue": True, "needs_code": True}, "is_catalogue"),
    ],
)
def test_what_the_till_could_not_read_is_not_saved(changes, field):
    with pytest.raises(services.InvalidPromotion) as caught:
        services.save_promotion(promotion=new(**changes))
    assert (caught.value.field, Promotion.objects.count()) == (field, 0)


def test_code_that_is_an_address_of_the_api_is_not_taken():
    with pytest.raises(services.InvalidPromotion) as caught:
        services.save_promotion(promotion=new(code="preview"))
    assert (caught.value.code, caught.value.field) == ("invalid_promotion", "code")
    # One that has it from before can still be changed and ended.
    old = PromotionFactory(code="preview")
    assert not services.set_active(promotion=old, active=False).is_active


def test_it_cannot_end_before_it_starts():
    now = timezone.now()
    with pytest.raises(services.InvalidPromotion):
        services.save_promotion(promotion=new(starts_at=now, ends_at=now))


def test_a_first_order_is_one(store):
    promotion = services.save_promotion(promotion=new(conditions={"first_order": True}))
    assert promotion.usage_limit_per_customer == 1


def test_lists_hear_of_catalogue_prices_only(store):
    services.save_promotion(promotion=new())
    catalogue = services.save_promotion(promotion=new(code="shown", is_catalogue=True))
    catalogue.is_catalogue = False
    services.save_promotion(promotion=catalogue)
    told = OutboxMessage.objects.order_by("event_id")
    events = {row.event_id: (row.name, row.payload) for row in told}
    name = "promotion.catalogue_prices_changed"
    assert list(events.values()) == [(name, {"promotion": "shown"})] * 2


def test_a_promotion_ends_now(store):
    promotion = services.save_promotion(promotion=new())
    services.end_promotion(promotion=promotion)
    assert rules(store) == ()


def test_one_that_has_not_begun_is_switched_off(store):
    later = timezone.now() + timedelta(days=1)
    promotion = services.save_promotion(promotion=new(starts_at=later))
    services.end_promotion(promotion=promotion)
    assert Promotion.objects.get().is_active is False


def test_a_promotion_of_orders_is_kept():
    promotion = PromotionFactory()
    redeem(reference="order:1", customer_key=ANA, uses=[Use(promotion.pk, None, 100, "EUR")])
    with pytest.raises(services.PromotionInUse):
        services.delete_promotion(promotion=promotion)
    release(reference="order:1")
    services.delete_promotion(promotion=promotion)
    assert Promotion.objects.count() == 0


def test_codes_are_compared_in_capitals():
    promotion = PromotionFactory(needs_code=True)
    assert services.add_coupon(promotion=promotion, code=" welcome-10 ").code == "WELCOME-10"
    with pytest.raises(services.CodeTaken):
        services.add_coupon(promotion=promotion, code="Welcome-10")
    for wrong in ("", "a b", "ñ", "x" * 41, "<script>"):
        with pytest.raises(services.InvalidCode):
            services.add_coupon(promotion=promotion, code=wrong)


def test_a_batch_goes_on_where_it_was_interrupted(db):
    promotion = PromotionFactory(needs_code=True)
    kwargs = {"promotion": promotion, "batch": "june", "count": 2500, "prefix": "J-", "length": 8}
    first = next(services.make_batch(**kwargs))
    assert (len(first), Coupon.objects.count()) == (1000, 1000)
    assert [len(rows) for rows in services.make_batch(**kwargs)] == [1000, 500]
    codes = set(Coupon.objects.values_list("code", flat=True))
    assert len(codes) == 2500
    assert all(code.startswith("J-") and len(code) == 10 for code in codes)
    assert set(Coupon.objects.values_list("usage_limit", flat=True)) == {1}
    assert list(services.make_batch(**kwargs)) == []


@pytest.mark.parametrize(
    "changes", [{"count": 0}, {"count": 100_001}, {"length": 7}, {"prefix": "ñ"}, {"batch": ""}]
)
def test_an_impossible_batch_is_refused(changes):
    kwargs = {"promotion": PromotionFactory(), "batch": "b", "count": 1, **changes}
    with pytest.raises(services.InvalidCode):
        list(services.make_batch(**kwargs))


def test_a_limit_is_kept_and_given_back(invariants):
    promotion = PromotionFactory(usage_limit=1)
    use = Use(promotion.pk, None, 100, "EUR")
    redeem(reference="order:1", customer_key=ANA, uses=[use])
    with pytest.raises(services.PromotionUsedUp):
        redeem(reference="order:2", customer_key="b", uses=[use])
    assert release(reference="order:1") == 1
    assert release(reference="order:1") == 0
    redeem(reference="order:2", customer_key="b", uses=[use])
    assert Promotion.objects.get().used == 1


def test_a_code_that_works_once_works_once(invariants):
    coupon = CouponFactory(usage_limit=1)
    use = Use(coupon.promotion_id, coupon.pk, 100, "EUR")
    redeem(reference="order:1", customer_key=ANA, uses=[use])
    with pytest.raises(services.PromotionUsedUp):
        redeem(reference="order:2", customer_key="b", uses=[use])
    release(reference="order:1")
    assert Coupon.objects.get().used == 0


def test_a_customer_is_limited_by_whatever_spelling(invariants):
    promotion = PromotionFactory(usage_limit_per_customer=2)
    spellings = ["ana.diaz@gmail.com", "AnaDiaz+2@googlemail.com", "anadiaz@Gmail.com"]
    use = Use(promotion.pk, None, 100, "EUR")
    for n, email in enumerate(spellings[:2]):
        redeem(reference=f"order:{n}", customer_key=email_key(email), uses=[use])
    with pytest.raises(services.PromotionUsedUp):
        redeem(reference="order:9", customer_key=email_key(spellings[2]), uses=[use])
    redeem(reference="order:9", customer_key=email_key("ben@gmail.com"), uses=[use])
    release(reference="order:0")
    redeem(reference="order:10", customer_key=email_key(spellings[2]), uses=[use])
    assert sorted(Redemption.objects.values_list("slot", flat=True)) == [1, 1, 2]


def test_what_is_withdrawn_meanwhile_is_not_redeemed():
    promotion = PromotionFactory(usage_limit=5, is_active=False)
    with pytest.raises(services.PromotionUsedUp):
        redeem(reference="o", customer_key=ANA, uses=[Use(promotion.pk, None, 1, "EUR")])
    with pytest.raises(services.PromotionUsedUp):
        redeem(reference="o", customer_key=ANA, uses=[Use(0, None, 1, "EUR")])


def test_a_limit_set_later_counts_the_orders_there_are(invariants):
    promotion = PromotionFactory()
    for n in range(3):
        redeem(reference=f"o{n}", customer_key=ANA, uses=[Use(promotion.pk, None, 1, "EUR")])
    promotion.usage_limit = 2
    with pytest.raises(services.InvalidPromotion) as caught:
        services.save_promotion(promotion=promotion)
    assert caught.value.field == "usage_limit"
    promotion.usage_limit = 3
    assert services.save_promotion(promotion=promotion).used == 3
    promotion.usage_limit = None
    assert services.save_promotion(promotion=promotion).used == 0
    assert OutboxMessage.objects.count() == 0
