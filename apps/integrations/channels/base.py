"""What every format has in common: columns, groups of rows, and what a group turns into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from apps.customers.services.importing import CustomerData
from apps.products.services.upsert import ProductData, VariantData


class Refused(Exception):
    """A row, or one cell of it, can't be taken. `column` is the format's own key of the column."""

    def __init__(self, reason: str, column: str = "") -> None:
        self.reason = reason
        self.column = column
        super().__init__(reason)


@dataclass(slots=True)
class Row:
    """Cells by the format's own keys, blanks stripped; keys the file hasn't are missing."""

    line: int
    cells: Mapping[str, str]
    problem: str = ""
    column: str = ""

    def get(self, key: str) -> str | None:
        """The cell, "" where it is blank, None where the file has no such column."""
        return self.cells.get(key)

    def text(self, key: str) -> str:
        return self.cells.get(key, "")


@dataclass(slots=True)
class Refusal:
    """One line of the error file. Without a reason to refuse all of it, the rest was taken."""

    line: int
    column: str
    reason: str


@dataclass(slots=True)
class PriceRow:
    """A price in minor units, for everybody or a price list.

    `store` is a store's code, "*" for every store, "" for where the import puts its prices.
    """

    amount: int
    currency: str
    compare_at: int | None = None
    min_quantity: int = 1
    store: str = ""
    price_list: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(slots=True)
class Item:
    """A variant with the line it stands on, its prices, and its stock by location code.

    The location "" is the one the import was told. `backorders` are pieces that may be sold
    beyond the stock, by location.
    """

    line: int
    variant: VariantData
    prices: list[PriceRow] = field(default_factory=list)
    stock: dict[str, int] = field(default_factory=dict)
    backorders: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Parsed:
    """What one group of rows says: a product, or a customer. `image_lines` are the lines of the
    product's images, `address_lines` of the customer's addresses."""

    line: int
    product: ProductData | None = None
    customer: CustomerData | None = None
    items: list[Item] = field(default_factory=list)
    image_lines: list[int] = field(default_factory=list)
    address_lines: list[int] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader must know of the shop and the file."""

    currency: str
    # In files with semicolons a comma is the decimal sign, so that 1.000 may be a thousand.
    decimal_comma: bool = False


class Channel(ABC):
    """One format. Readers turn rows into plain data; writers turn plain data into rows."""

    code: ClassVar[str]
    label: ClassVar[Any]
    # What its rows are: "products" or "customers".
    subject: ClassVar[str] = "products"
    # Keys without which a file isn't of this format.
    required: ClassVar[tuple[str, ...]]
    # Fields of the product data (variant's with "variant.") → keys of the columns they come from.
    fields: ClassVar[Mapping[str, str]] = {}
    # Apostrophes in front of formulas are ours, and taken off again.
    restores: ClassVar[bool] = False

    @abstractmethod
    def column(self, header: str) -> str | None:
        """The key of a header cell; None if the format has no such column."""

    @abstractmethod
    def identity(self, row: Row, previous: str | None) -> tuple[str | None, Sequence[str]]:
        """The key of the group a row belongs to, and further names others may call it by.

        A key that starts with "?" is a name: the group is that which goes by it, wherever in
        the file it stands. None: the row belongs to nothing.
        """

    @abstractmethod
    def parse(self, rows: Sequence[Row], context: Context) -> Parsed:
        """The product of one group of rows. Never raises: what is wrong is in `refusals`."""

    def key_of(self, field: str, *, variant: bool = False) -> str:
        """The key of the column that a field of the product data comes from."""
        if variant and f"variant.{field}" in self.fields:
            return self.fields[f"variant.{field}"]
        return self.fields.get(field, field)

    def notes(self, header: Iterable[str]) -> list[str]:
        """What the merchant should know about this file's columns."""
        ignored = [name.strip() for name in header if name.strip() and not self.column(name)]
        if not ignored:
            return []
        return [_("Columns that aren't imported: %s.") % ", ".join(ignored[:50])]

    def header(self) -> Sequence[str]:
        """The columns of an export."""
        raise NotImplementedError

    def rows(self, products: Iterable[ExportProduct]) -> Iterator[Sequence[Any]]:
        """The rows of an export."""
        raise NotImplementedError

    @property
    def exports(self) -> bool:
        return type(self).rows is not Channel.rows


@dataclass(slots=True)
class ExportProduct:
    """A product as it leaves the shop: the data an import takes, with prices and stock.

    `store` is the code of the store it is exported for.
    """

    store: str
    data: ProductData
    items: list[Item]
