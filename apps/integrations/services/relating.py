"""Which products a file wants shown beside others: set once all of its products are there."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.integrations.models import RefusedRow, WaitingRelation
from apps.integrations.selectors import named_products
from apps.products.services.relations import relate_products
from apps.products.services.upsert import Claims


def relate_waiting(
    rows: Sequence[WaitingRelation], *, claims: Claims | None, column: str
) -> list[RefusedRow]:
    """Relate the products of some rows, in one transaction; what of it can't be is told.

    With the `claims` of a dry run nothing is written.
    """
    found = named_products({name for row in rows for name in (row.slug, *row.related)})
    related: dict[int, list[int]] = {}
    refused = []
    for row in rows:
        wanted: dict[int, None] = {}
        problems = []
        for name in row.related:
            other = found.get(name)
            if name == row.slug or (other is not None and other == found.get(row.slug)):
                problems.append(_("A product isn't related to itself."))
            elif other is not None:
                wanted[other] = None
            elif claims is None or not (claims.has("slug", name) or claims.has("sku", name)):
                problems.append(_("There is no such product: %s") % name)
        if problems:
            reason = " ".join(dict.fromkeys(problems))[:300]
            refused.append(
                RefusedRow(
                    job_id=row.job_id, line=row.line, column=column, reason=reason, cells=row.cells
                )
            )
        if row.slug in found:
            related[found[row.slug]] = list(wanted)
    if claims is None:
        relate_products(related=related)
    return refused
