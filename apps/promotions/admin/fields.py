"""Form fields of a promotion: names of the catalogue, amounts by currency, tiers, lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.products.models import Attribute, Brand, Category, Collection, Product, Tag, Variant
from apps.stores.models import Seller

# What a promotion chooses items by → its model, the public name, and what else is searched.
NAMED: dict[str, tuple[type[Model], str, str]] = {
    "product": (Product, "slug", "name"),
    "sku": (Variant, "sku", "product__name"),
    "category": (Category, "slug", "name"),
    "brand": (Brand, "slug", "name"),
    "collection": (Collection, "slug", "name"),
    "tag": (Tag, "slug", "name"),
    "vendor": (Seller, "slug", "name"),
}
_MOST_FOUND = 20


def choices_of(kind: str, term: str) -> list[dict[str, str]]:
    """What select2 offers for a typed `term`: public name and title, the first twenty."""
    model, key, title = NAMED[kind]
    rows: QuerySet[Any] = model._default_manager.order_by(key)
    if term:
        rows = rows.filter(Q(**{f"{key}__icontains": term}) | Q(**{f"{title}__icontains": term}))
    found = rows.values_list(key, title)[:_MOST_FOUND]
    return [{"id": name, "text": f"{text} ({name})"} for name, text in found]


class NamesWidget(forms.SelectMultiple):
    """A select that searches while one types; without scripts, a line to type names into."""

    def __init__(self, kind: str) -> None:
        super().__init__({"class": "admin-autocomplete", "data-theme": "admin-autocomplete"})
        self.kind = kind

    @property
    def media(self) -> forms.Media:
        extra = "" if settings.DEBUG else ".min"
        return forms.Media(
            js=(
                f"admin/js/vendor/jquery/jquery{extra}.js",
                "admin/js/vendor/select2/select2.full.js",
                "admin/js/jquery.init.js",
                "admin/js/autocomplete.js",
            ),
            css={
                "screen": (
                    "admin/css/vendor/select2/select2.css",
                    "admin/css/autocomplete.css",
                )
            },
        )

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        return {
            **super().build_attrs(base_attrs, extra_attrs),
            "data-ajax--url": reverse("admin:promotions_promotion_choices", args=[self.kind]),
            "data-ajax--cache": "true",
            "data-ajax--delay": 250,
            "data-ajax--type": "GET",
            "data-placeholder": "",
        }

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> Any:
        self.choices = [(text, text) for text in value if text]
        return super().optgroups(name, value, attrs)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        typed = UnfoldAdminTextInputWidget().render(f"{name}_typed", "", {})
        select = super().render(name, value, attrs, renderer)
        return format_html("{}<noscript>{}</noscript>", select, typed)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        chosen = super().value_from_datadict(data, files, name) or []
        typed = str(data.get(f"{name}_typed", "")).replace(",", " ").split()
        return list(dict.fromkeys([*chosen, *typed]))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False


class NamesField(forms.Field):
    """Slugs (or SKUs) of things that exist."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(required=False, widget=NamesWidget(kind), **kwargs)

    def clean(self, value: Any) -> list[str]:
        names = list(value or [])
        model, key, _title = NAMED[self.kind]
        known = set(
            model._default_manager.filter(**{f"{key}__in": names}).values_list(key, flat=True)
        )
        if gone := [name for name in names if name not in known]:
            message = _("There is no %(names)s (any more).") % {"names": ", ".join(gone)[:300]}
            raise forms.ValidationError(message, "does_not_exist")
        return names


class LinesField(forms.CharField):
    """Texts, one in each line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 2})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class AttributesField(LinesField):
    """`code=value` texts whose code is an attribute's."""

    def clean(self, value: Any) -> list[str]:
        texts = super().clean(value)
        codes = {text.partition("=")[0] for text in texts if text.partition("=")[2]}
        known = set(Attribute.objects.filter(code__in=codes).values_list("code", flat=True))
        if wrong := [text for text in texts if text.partition("=")[0] not in known]:
            message = _("An attribute's code, = and the value: %(texts)s") % {
                "texts": ", ".join(wrong)[:300]
            }
            raise forms.ValidationError(message, "invalid")
        return texts


class AmountsWidget(forms.Widget):
    """An input for each currency."""

    currencies: tuple[str, ...] = ()

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        amounts = value if isinstance(value, Mapping) else {}
        inputs = (
            (
                currency,
                UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "min": "0"}).render(
                    f"{name}_{currency}", amounts.get(currency, ""), {}
                ),
            )
            for currency in self.currencies
        )
        rows = format_html_join("", "<label><span>{}</span>{}</label>", inputs)
        return format_html('<div class="bo-amounts">{}</div>', rows)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        typed = {code: str(data.get(f"{name}_{code}", "")).strip() for code in self.currencies}
        return {code: text for code, text in typed.items() if text}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""


class AmountsField(forms.Field):
    """{currency: decimal text}; the engine checks the texts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=AmountsWidget(), **kwargs)


class TiersWidget(forms.Widget):
    """A row for each tier, and a few empty ones."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        tiers = [row for row in value or [] if isinstance(row, Mapping)]
        rows = (
            (
                _("from pieces"),
                UnfoldAdminIntegerFieldWidget().render(f"{name}_from", row.get("from", ""), {}),
                _("percent off"),
                UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}).render(
                    f"{name}_percent", row.get("percent", ""), {}
                ),
            )
            for row in [*tiers, {}, {}, {}]
        )
        return format_html_join(
            "",
            '<div class="bo-amounts"><label><span>{}</span>{}</label>'
            "<label><span>{}</span>{}</label></div>",
            rows,
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        columns = [
            data.getlist(f"{name}_{part}") if hasattr(data, "getlist") else []
            for part in ("from", "percent")
        ]
        pairs = zip(*columns, strict=False)
        rows = [(start.strip(), percent.strip()) for start, percent in pairs]
        return [{"from": start, "percent": percent} for start, percent in rows if start or percent]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""


class TiersField(forms.Field):
    """[{"from": 3, "percent": "10"}], ascending; the engine checks them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=TiersWidget(), **kwargs)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        tiers = []
        for row in value or []:
            start = row["from"]
            if not (start.isascii() and start.isdigit() and len(start) < 8):
                raise forms.ValidationError(_("A whole number of pieces in each row."), "invalid")
            tiers.append({"from": int(start), "percent": row["percent"]})
        return sorted(tiers, key=lambda tier: tier["from"])
