"""Which promotions there are for a basket, and what its items are to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value

from apps.core.invariants import invariant
from apps.products.models import CollectionProduct, Product
from apps.products.selectors import category_tree
from apps.promotions.engines import schema
from apps.promotions.engines.rules import MINUTES_A_DAY, Rule, Window
from apps.promotions.models import Coupon, Promotion, Redemption
from apps.stores.models import Store

_MAX_COMPILED = 10_000


@dataclass(frozen=True, slots=True)
class CouponRow:
    """A code that was typed, with what it belongs to."""

    code: str
    promotion_id: int
    coupon_id: int
    usable: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """The rules for a basket. `unknown` are typed codes that name nothing usable here.

    `ids` leads from a rule's (code, coupon) to the rows (promotion, coupon) that redeem it.
    """

    rules: tuple[Rule, ...]
    unknown: tuple[str, ...]
    ids: Mapping[tuple[str, str], tuple[int, int | None]]

    def without(self, code: str) -> Offered:
        """As if the promotion `code` weren't there."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.code != code))

    def with_draft(self, rule: Rule) -> Offered:
        """As if a promotion that nobody has saved stood here, in place of the one it changes."""
        others = self.without(rule.code)
        ids = {**self.ids, (rule.code, rule.coupon): (0, None)}
        return replace(others, rules=(*others.rules, rule), ids=ids)


@dataclass(frozen=True, slots=True)
class _Compiled:
    version: UUID
    rule: Rule
    per_customer: int | None


# Compiled rules by promotion and currency: thrown away when the promotion's version changes.
_compiled: dict[tuple[int, str], _Compiled] = {}


def offered(
    *,
    store: Store,
    currency: str,
    at: datetime,
    codes: Sequence[str] = (),
    customer_key: str = "",
    explain: bool = False,
    reference: str = "",
) -> Offered:
    """The promotions that a basket in a store may get at a moment: automatic ones, and those of
    `codes`.

    At most four queries, whatever there is. With `explain` also those that haven't begun, and
    those that need a code that nobody typed. With the `reference` of an order that was sold at
    that moment, in one query more, what it has redeemed is offered whatever became of it since,
    and what was made since isn't.
    """
    own = _redeemed(reference) if reference else {}
    coupons = _coupons(codes, own) if codes else []
    active = _active(store, at, [row.promotion_id for row in coupons], explain)
    if reference:
        active = active.filter(created_at__lte=at) | Promotion.objects.filter(pk__in=own)
    rows = list(active.values_list("pk", "version", "used", "usage_limit", "needs_code"))
    compiled = _compile([(pk, version) for pk, version, *_rest in rows], currency)
    uses = _uses(compiled, customer_key, reference)
    rules: list[Rule] = []
    ids: dict[tuple[str, str], tuple[int, int | None]] = {}
    by_promotion: dict[int, list[CouponRow]] = {}
    for row in coupons:
        by_promotion.setdefault(row.promotion_id, []).append(row)
    for pk, _version, used, limit, needs_code in rows:
        known = compiled[pk]
        others = used - 1 if pk in own else used
        refusal = known.rule.refusal or _used_up(others, limit, uses.get(pk, 0), known.per_customer)
        typed = [row for row in by_promotion.get(pk, ()) if row.usable] if needs_code else []
        for row in typed:
            rules.append(replace(known.rule, coupon=row.code, refusal=refusal))
            ids[known.rule.code, row.code] = pk, row.coupon_id
        if not needs_code:
            rules.append(replace(known.rule, refusal=refusal) if refusal else known.rule)
            ids[known.rule.code, ""] = pk, None
        elif not typed and explain:
            rules.append(replace(known.rule, refusal="needs_code"))
    named = {rule.coupon for rule in rules}
    unknown = tuple(code for code in codes if code not in named)
    return Offered(tuple(rules), unknown, ids)


def catalogue_rules(*, store: Store, currency: str, at: datetime) -> list[Rule]:
    """The promotions that set the prices of lists, now or later (see `Rule.window`)."""
    active = _active(store, at, [], True).filter(is_catalogue=True)
    rows = list(active.values_list("pk", "version"))
    found = _compile(rows, currency).values()
    return [compiled.rule for compiled in found if not compiled.rule.refusal]


def _redeemed(reference: str) -> dict[int, int | None]:
    """By promotion, the code by which an order redeemed it."""
    mine = Redemption.objects.filter(reference=reference)
    return dict(mine.values_list("promotion_id", "coupon_id"))


def _coupons(codes: Sequence[str], own: Mapping[int, int | None]) -> list[CouponRow]:
    rows = Coupon.objects.filter(code__in=codes).values_list(
        "code", "promotion_id", "pk", "is_active", "usage_limit", "used"
    )
    return [
        CouponRow(
            code,
            promotion,
            pk,
            own.get(promotion) == pk or (active and (limit is None or used < limit)),
        )
        for code, promotion, pk, active, limit, used in rows
    ]


def _active(
    store: Store, at: datetime, of_coupons: Collection[int], explain: bool
) -> QuerySet[Promotion]:
    stores = Promotion.stores.through.objects.filter(promotion=OuterRef("pk"))
    found = Promotion.objects.filter(
        ~Exists(stores) | Exists(stores.filter(store=store)),
        Q(ends_at__isnull=True) | Q(ends_at__gt=at),
        is_active=True,
    ).order_by("pk")
    if explain:
        return found
    return found.filter(
        Q(pk__in=of_coupons)
        | Q(needs_code=False) & (Q(starts_at__isnull=True) | Q(starts_at__lte=at))
    )


def _compile(wanted: Sequence[tuple[int, UUID]], currency: str) -> dict[int, _Compiled]:
    found: dict[int, _Compiled] = {}
    missing = []
    for pk, version in wanted:
        kept = _compiled.get((pk, currency))
        if kept is not None and kept.version == version:
            found[pk] = kept
        else:
            missing.append(pk)
    if missing:
        if len(_compiled) > _MAX_COMPILED:
            _compiled.clear()
        for promotion in Promotion.objects.filter(pk__in=missing):
            found[promotion.pk] = _compiled[promotion.pk, currency] = _Compiled(
                promotion.version,
                rule_of(promotion, currency),
                promotion.usage_limit_per_customer,
            )
    return found


def rule_of(promotion: Promotion, currency: str) -> Rule:
    """A promotion as the engine takes it. In a currency it has no amount in, it is refused.

    Raises schema.InvalidRule for what no service would have saved.
    """
    refusal = ""
    known = currency
    common = schema.currencies_of(promotion.effect, promotion.conditions)
    if common is not None and currency not in common:
        refusal, known = "other_currency", min(common, default=currency)
    effect = schema.effect_of(promotion.effect, known)
    conditions = schema.conditions_of(promotion.conditions, known)
    return Rule(
        code=promotion.code,
        name=promotion.name,
        effect=effect,
        items=conditions.items,
        window=Window(
            promotion.starts_at,
            promotion.ends_at,
            frozenset(promotion.weekdays),
            _minute(promotion.hours_from, 0),
            _minute(promotion.hours_to, MINUTES_A_DAY),
        ),
        min_spend=conditions.min_spend,
        min_quantity=conditions.min_quantity,
        customer_groups=conditions.customer_groups,
        segments=conditions.segments,
        first_order=conditions.first_order,
        max_per_order=promotion.max_per_order,
        group=promotion.stacking_group,
        priority=promotion.priority,
        exclusive=promotion.is_exclusive,
        refusal=refusal,
        catalogue=promotion.is_catalogue,
    )


def _minute(value: time | None, default: int) -> int:
    return default if value is None else value.hour * 60 + value.minute


def _uses(compiled: Mapping[int, _Compiled], customer_key: str, reference: str) -> dict[int, int]:
    """How often a customer has used each limited promotion, for other orders than `reference`."""
    limited = [pk for pk, known in compiled.items() if known.per_customer is not None]
    if not limited or not customer_key:
        return {}
    rows = (
        Redemption.objects.filter(promotion__in=limited, customer_key=customer_key)
        .exclude(reference=reference)
        .values_list("promotion")
    )
    return dict(rows.annotate(uses=Count("pk")))


def _used_up(used: int, limit: int | None, uses: int, per_customer: int | None) -> str:
    if limit is not None and used >= limit:
        return "used_up"
    return "used_up_by_customer" if per_customer is not None and uses >= per_customer else ""


def facts_of(products: Iterable[Product]) -> dict[int, frozenset[str]]:
    """What promotions choose products by, by product id: `kind:value` texts. One query.

    A category's product belongs to every category above it. SKUs aren't among them: they are the
    variants'.
    """
    by_id = {product.pk: product for product in products}
    tree = {node.path: node.slug for node in category_tree().values()}
    step = len(min(tree, key=len, default=""))
    facts = {pk: _own_facts(product) for pk, product in by_id.items()}
    for pk, kind, value in _relations(list(by_id)):
        if kind == "category":
            ends = range(step, len(value) + 1, step) if value in tree else ()
            facts[pk] |= {f"category:{tree[value[:end]]}" for end in ends if value[:end] in tree}
        else:
            facts[pk].add(f"{kind}:{value}")
    return {pk: frozenset(found) for pk, found in facts.items()}


def _own_facts(product: Product) -> set[str]:
    facts = {f"product:{product.slug}"}
    for code, value in product.attributes.items():
        values = value if isinstance(value, list) else [value]
        facts |= {f"attribute:{code}={_plain(one)}" for one in values}
    return facts


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _relations(ids: list[int]) -> Iterator[tuple[int, str, str]]:
    def rows(queryset: QuerySet[Any], product: str, kind: str, value: str) -> QuerySet[Any]:
        labelled = queryset.order_by().annotate(
            of=F(product), kind=Value(kind, output_field=CharField()), fact=F(value)
        )
        return labelled.values_list("of", "kind", "fact")

    products = Product.objects.filter(pk__in=ids)
    first, *rest = [
        rows(products.filter(categories__isnull=False), "pk", "category", "categories__path"),
        rows(products.filter(tags__isnull=False), "pk", "tag", "tags__slug"),
        rows(
            CollectionProduct.objects.filter(product__in=ids, collection__is_active=True),
            "product_id",
            "collection",
            "collection__slug",
        ),
        rows(products.filter(brand__isnull=False), "pk", "brand", "brand__slug"),
        rows(products.filter(seller__isnull=False), "pk", "vendor", "seller__slug"),
    ]
    yield from first.union(*rest, all=True)


@invariant("a limited promotion is used as often as it is redeemed, and not more than it may be")
def _uses_are_counted() -> Iterator[str]:
    for model, label in ((Promotion, "promotion"), (Coupon, "code")):
        counted = model.objects.filter(usage_limit__isnull=False).annotate(
            redeemed=Count("redemptions__use", distinct=True)
        )
        for row in counted.exclude(used=F("redeemed")):
            yield f"{label} {row.code}: used {row.used}, redeemed {row.redeemed}"
    over = (
        Redemption.objects.filter(promotion__usage_limit_per_customer__isnull=False)
        .values_list("promotion__code", "customer_key")
        .annotate(uses=Count("pk"))
        .filter(slot__isnull=False, uses__gt=F("promotion__usage_limit_per_customer"))
    )
    for code, _key, uses in over:
        yield f"promotion {code}: {uses} orders of one customer"
