"""A catalogue of any size, in minutes: the products that stand in the shop, many times over.

What `world.write_products` made and the app imported and listed is copied in SQL, with numbers of
its own in names, slugs and SKUs, so that lists, searches and product pages answer as they would
after an import. PostgreSQL, as a superuser. Needs a set-up Django.
"""

# ruff: noqa: S608 (names of our own tables)
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db.models import Field, Model

from apps.inventory.models import StockLevel, StockMovement
from apps.pricing.models import Price, PricePoint
from apps.products.models import (
    AttributeIndex,
    Option,
    OptionValue,
    Product,
    ProductImage,
    Publication,
    Variant,
)
from apps.storefront.models import Listing, ListingCategory, Posting, Term, TermKey

# What a product takes with it; a row's keys of any of these move along.
COPIED: tuple[type[Model], ...] = (
    *(Product, Option, OptionValue, Variant, Publication, ProductImage, AttributeIndex),
    *(Product.categories.through, Product.tags.through, Variant.option_values.through),
    *(Price, PricePoint, StockLevel, StockMovement, Listing, ListingCategory, Term, Posting),
)
# `n` is the number of a template's product, `m` that of its copy, `k` how manieth it is.
_ENDING = "left(t.{0}, -length(n::text)) || m"
_JSON = (
    "replace(replace(replace(t.{0}, 'product-' || n, 'product-' || m), named,"
    " left(named, -length(n::text)) || m), 'SKU-' || n || '-', 'SKU-' || m || '-')"
)
# Not the app's sum, but as evenly spread.
_LOT = "hashint8(t.product_id + k * {products}) & 2147483647"
_NUMBER = "replace(t.{0}, n::text, m::text)"
_OWN: dict[type[Model], dict[str, str]] = {
    Product: {"slug": _ENDING, "name": _ENDING},
    Variant: {"sku": "replace(t.sku, '-' || n || '-', '-' || m || '-')"},
    Price: {"scope": "regexp_replace(t.scope, '^[0-9]+', (t.variant_id + k * {step})::text)"},
    StockMovement: {"key": "gen_random_uuid()"},
    Listing: {"name": _ENDING, "search_text": _ENDING, "item": _JSON, "detail": _JSON, "lot": _LOT},
    ListingCategory: {"name": _ENDING, "lot": _LOT},
    Term: {"text": _NUMBER, "word": _NUMBER},
    # A word with the product's number is its own; all others are shared.
    Posting: {"term_id": "t.term_id + CASE WHEN own THEN k * {terms} ELSE 0 END"},
}
_VARIANT = "JOIN products_variant v ON v.id = t.variant_id JOIN numbered ON of = v.product_id"
# How a row's product is found, if it isn't in a column of its own.
_JOINS: dict[type[Model], str] = {
    Product: "JOIN numbered ON of = t.id",
    OptionValue: "JOIN products_option o ON o.id = t.option_id JOIN numbered ON of = o.product_id",
    StockMovement: f"JOIN inventory_stocklevel l ON l.id = t.level_id {_VARIANT}".replace(
        "t.variant_id", "l.variant_id"
    ),
    # Words that hold a number are a product's own.
    Term: "JOIN numbered ON n = substring(t.text, '[0-9]+')::int",
    Posting: (
        "JOIN storefront_listing l ON l.id = t.listing_id JOIN numbered ON of = l.product_id"
    ),
}
_MORE: dict[type[Model], str] = {
    Posting: (
        ", (SELECT substring(text, '[0-9]+')::int FROM storefront_term WHERE id = term_id)"
        " IS NOT DISTINCT FROM n AS own"
    )
}
_KEYS = """
    INSERT INTO storefront_termkey (term_id, key)
    SELECT id, left(word, size) || '*'
    FROM storefront_term, generate_series(4, least(length(word), 8)) size WHERE id > %s
"""
_COUNT = """
    UPDATE storefront_term SET frequency = listings
    FROM (SELECT term_id, count(*) listings FROM storefront_posting GROUP BY term_id) counted
    WHERE term_id = id AND frequency <> listings
"""


def fill(connection: psycopg.Connection, *, products: int) -> None:
    """Copy the `write_products()` products that stand in the database until there are so many.

    `products` is a multiple of how many stand there, whose ids and numbers have no gaps. The
    copies are listed where their templates are, and words are counted.
    """
    with connection.transaction(), connection.cursor() as cursor:
        # No trigger looks at the foreign keys of a million rows, one by one.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        standing, last_term = _last(cursor, Product), _last(cursor, Term)
        steps = {model: _last(cursor, model) for model in COPIED}
        _number(cursor)
        for model in COPIED:
            _keep_template(cursor, model)
        with _without_indexes(cursor, (*COPIED, TermKey)):
            for copy in range(1, products // standing):
                for model in COPIED:
                    _copy(cursor, model, steps, copy, standing)
            cursor.execute(_KEYS, [last_term])
        for model in COPIED:
            _move_sequence(cursor, model)
        cursor.execute(_COUNT)
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")


def _last(cursor: psycopg.Cursor, model: type[Model]) -> int:
    """The highest id, which is how far a table's ids move with each copy."""
    row = cursor.execute(f"SELECT max(id) FROM {model._meta.db_table}").fetchone()
    return int(row[0] or 0) if row else 0


def _number(cursor: psycopg.Cursor) -> None:
    """Which product has which number in its slug."""
    cursor.execute(
        "CREATE TEMP TABLE numbered ON COMMIT DROP AS SELECT id AS of, name AS named,"
        " substring(slug, '[0-9]+$')::int AS n FROM products_product"
    )
    cursor.execute("ANALYZE numbered")


def _keep_template(cursor: psycopg.Cursor, model: type[Model]) -> None:
    """The rows of a table that are to be copied, with their product's number and name."""
    table = model._meta.db_table
    columns = {field.column for field in model._meta.local_concrete_fields}
    usual = "JOIN numbered ON of = t.product_id" if "product_id" in columns else _VARIANT
    cursor.execute(
        f"CREATE TEMP TABLE of_{table} ON COMMIT DROP AS SELECT t.*, n, named{_MORE.get(model, '')}"
        f" FROM {table} t {_JOINS.get(model, usual)} ORDER BY t.id"
    )


def _copy(
    cursor: psycopg.Cursor,
    model: type[Model],
    steps: dict[type[Model], int],
    copy: int,
    standing: int,
) -> None:
    table, fields = model._meta.db_table, model._meta.local_concrete_fields
    values = ", ".join(_value(model, field, steps) for field in fields)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(str(field.column) for field in fields)})"
        f" SELECT {values} FROM (SELECT *, n + {copy} * {standing} AS m, {copy}::bigint AS k"
        f" FROM of_{table}) t"
    )


def _value(model: type[Model], field: Field, steps: dict[type[Model], int]) -> str:
    if own := _OWN.get(model, {}).get(str(field.column)):
        return own.format(
            field.column, step=steps[Variant], terms=steps[Term], products=steps[Product]
        )
    if field.primary_key:
        return f"t.id + k * {steps[model]}"
    if field.get_internal_type() == "UUIDField" and field.unique:
        return "gen_random_uuid()"
    target = field.related_model
    moved = steps.get(target) if target else None
    return f"t.{field.column}" + (f" + k * {moved}" if moved else "")


@contextmanager
def _without_indexes(cursor: psycopg.Cursor, models: Iterable[type[Model]]) -> Iterator[None]:
    """Indexes are built in one go afterwards, the primary keys' apart: much faster."""
    tables = [model._meta.db_table for model in models]
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'u' AND conrelid::regclass::text = ANY(%s)",
        [tables],
    )
    constraints = cursor.fetchall()
    for table, name, _definition in constraints:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE tablename = ANY(%s) AND indexname NOT LIKE '%%_pkey'",
        [tables],
    )
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in constraints:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _move_sequence(cursor: psycopg.Cursor, model: type[Model]) -> None:
    table = model._meta.db_table
    cursor.execute(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
    )
