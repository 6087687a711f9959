"""The base of every admin page: amounts as decimals, cheap counts, an audited save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from babel.numbers import format_currency
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import (
    BaseModelAdmin,
    InlineModelAdmin,
    get_content_type_for_model,
)
from django.contrib.admin.utils import flatten
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline as UnfoldStackedInline
from unfold.admin import TabularInline as UnfoldTabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter

from apps.core import audit, outbox
from apps.core.admin_actions import Action, ActionsMixin, extend_actions, render_buttons
from apps.core.context import current_actor
from apps.core.fields import AmountField, AmountModelForm
from apps.core.models import AuditEntry, OutboxMessage
from apps.core.money import to_decimal
from apps.core.personal import personal_names
from apps.core.saved_views import SavedViewsMixin
from apps.core.scopes import must_name, narrow, scoped
from apps.core.spreadsheet import csv_response

# Lists as files: what is taken along in one go.
EXPORT = "core.export_list"
_extensions: dict[type[models.Model], list[type[Any]]] = {}


def extend(model: type[models.Model], inline: type[Any]) -> None:
    """Add an inline of an upper room to the admin page of a lower room's model."""
    _extensions.setdefault(model, []).append(inline)


@dataclass(frozen=True, kw_only=True)
class Column:
    """What an upper room adds to a lower room's list: `read(objs)` is asked once for the rows of
    a page, and gives a text by primary key."""

    name: str
    label: Any
    read: Callable[[list[Any]], Mapping[int, str]]


_columns: dict[type[models.Model], list[Column]] = {}


def extend_list(model: type[models.Model], column: Column) -> None:
    """Add a column of an upper room to the list of a lower room's model."""
    _columns.setdefault(model, []).append(column)


def money_text(amount: int | None, currency: str) -> str:
    """Minor units as people write them in the language of the request: "12,50 €"."""
    if amount is None or not currency:
        return ""
    locale = to_locale(get_language() or "en")
    return format_currency(to_decimal(amount, currency), currency, locale=locale)


@cache
def _text_column(column: Column) -> Callable[[Any], str]:
    @admin.display(description=column.label)
    def show(obj: Any) -> str:
        return getattr(obj, column.name, "")

    show.__name__ = column.name
    return show


@cache
def _amount_column(field: AmountField) -> Callable[[Any], str]:
    @admin.display(description=field.verbose_name, ordering=field.name)
    def show(obj: Any) -> str:
        return money_text(getattr(obj, field.name), field.currency_of(obj))

    show.__name__ = field.name
    return show


class ScopedMixin(BaseModelAdmin):
    """Rows, and choices of rows, are those that the acting staff may see (`apps.core.scopes`)."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scoped(super().get_queryset(request))

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        # Not of many: saving would take away what the form doesn't offer.
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            narrow(field)
        return field

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Whoever is limited to some stores opens no further ones."""
        return not must_name(self.model) and super().has_add_permission(request, *args)


class AmountsMixin(BaseModelAdmin):
    """Amounts that are shown, not edited, appear as money and not as minor units."""

    model: type[models.Model]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        shown = self._amounts() - self._edited(request, obj)
        return [
            (title, {**options, "fields": self._as_money(options["fields"], shown)})
            for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = [*super().get_readonly_fields(request, obj)]
        if isinstance(self, InlineModelAdmin):
            # An inline's form asks for every field that isn't named read-only.
            edited, amounts = self._edited(request, obj), self._amounts()
            declared = [n for n in flatten(self.fields or []) if n in amounts - edited]
            names += [name for name in declared if name not in names]
        return self._as_money(names, self._amounts())

    def _amounts(self) -> set[str]:
        if isinstance(self, InlineModelAdmin) and not self.fields:
            return set()
        return {f.name for f in self.model._meta.fields if isinstance(f, AmountField)}

    def _edited(self, request: HttpRequest, obj: Any) -> set[str]:
        # Only an inline's takes the object that it stands on.
        whose = (obj,) if isinstance(self, InlineModelAdmin) else ()
        may = self.has_change_permission(request, obj) or self.has_add_permission(request, *whose)
        return self._amounts() - {*super().get_readonly_fields(request, obj)} if may else set()

    def _as_money(self, names: Any, shown: set[str]) -> list[Any]:
        return [
            self._as_money(name, shown)
            if isinstance(name, (list, tuple))
            else _amount_column(self.model._meta.get_field(name))
            if name in shown
            else name
            for name in names
        ]


class CappedPaginator(Paginator):
    """Counts at most `cap` rows: an exact COUNT(*) of a large table costs more than the page."""

    cap = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: self.cap].values("pk").count()


class ModelAdmin(ScopedMixin, AmountsMixin, SavedViewsMixin, ActionsMixin):
    form = AmountModelForm
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True
    # Dotted or plain attribute names for the CSV action; empty hides the action.
    export_fields: tuple[str, ...] = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = self._amounts() - {*self.list_editable}
        columns = self._as_money(super().get_list_display(request), shown)
        return [*columns, *map(_text_column, _columns.get(self.model, []))]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        for column in _columns.get(self.model, []):
            # Read once: the page goes through the same objects.
            texts = column.read(list(found.result_list))
            for obj in found.result_list:
                setattr(obj, column.name, texts.get(obj.pk, ""))
        return found

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [*super().get_inlines(request, obj), *_extensions.get(self.model, [])]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        may_export = self.has_view_permission(request) and request.user.has_perm(EXPORT)
        if self.export_fields and may_export:
            label = _("Export selected as CSV")
            actions["export_csv"] = (type(self).export_csv, "export_csv", label)
        return actions

    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        """Stream the chosen rows."""
        rows = queryset.values_list(*self.export_fields).iterator(chunk_size=1000)
        return csv_response(f"{self.opts.model_name}.csv", self.export_fields, rows)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        audit.record("add", obj)
        return self._unnamed([obj], super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._unnamed([obj], super().log_change(request, obj, message))

    def _unnamed(self, rows: Iterable[Any], written: Any) -> Any:
        """What Django's history wrote, without who it was about, as in the audit log."""
        for obj in rows:
            if (label := audit.label_of(obj)) != str(obj)[:200]:
                LogEntry.objects.filter(
                    content_type=get_content_type_for_model(obj), object_id=str(obj.pk)
                ).update(object_repr=label)
        return written

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        said = super().construct_change_message(request, form, formsets, add)
        if any(personal_names(formset.model) for formset in formsets or ()):
            for part in said:
                for told in part.values():
                    if "object" in told:
                        told["object"] = audit.REDACTED
        return said

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            self.audit_change(obj, form)

    def audit_change(self, obj: Any, form: Any) -> None:
        """Note what a form changed: for pages that save by a service of their own."""
        if form.changed_data:
            audit.record(
                "change",
                obj,
                {n: [form.initial.get(n), form.cleaned_data.get(n)] for n in form.changed_data},
            )

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            audit.record("delete", obj)
        return self._unnamed(queryset, super().log_deletions(request, queryset))


class ReadOnlyAdmin(ModelAdmin):
    """Ledgers and logs: to be looked at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TabularInline(ScopedMixin, AmountsMixin, UnfoldTabularInline):
    form = AmountModelForm
    extra = 0


class StackedInline(ScopedMixin, AmountsMixin, UnfoldStackedInline):
    form = AmountModelForm
    extra = 0


class LimitFormSet(BaseInlineFormSet):
    """What somebody is limited to, on their page; each change is in the audit log."""

    def save(self, commit: bool = True) -> Any:
        saved = super().save(commit)
        for action, rows in (("add", self.new_objects), ("delete", self.deleted_objects)):
            for row in rows:
                audit.record(f"user.limit.{action}", self.instance, {"limit": str(row)})
        return saved


class LimitInline(TabularInline):
    """Limits of one kind (`StaffLimit`), on a person's page: added and taken away, not changed.
    Nobody who is limited says who is."""

    formset = LimitFormSet

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not current_actor().limits and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return not current_actor().limits and super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not current_actor().limits and super().has_delete_permission(request, obj)


class _ReadOnlyInline:
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyTabularInline(_ReadOnlyInline, TabularInline):
    """Rows that only services write. `"buttons"` in `fields` shows each row's own actions."""

    hide_title = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # An inline lives as long as its request.
        self.request = request
        return super().get_formset(request, obj, **kwargs)

    @admin.display(description=_("actions"))
    def buttons(self, obj: Any) -> str:
        return render_buttons(self.request, obj)


class ObjectTypeFilter(admin.SimpleListFilter):
    """The kinds of objects there are, not a DISTINCT over the whole log."""

    title = _("object type")
    parameter_name = "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        pages = sorted(model._meta.label_lower for model in admin.site._registry)
        return [(label, label) for label in pages]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(object_type=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "action", "object_type", "object_label", "ip")
    list_filter = (ObjectTypeFilter, ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    # Each by its index: "=" would ask without regard to capitals, and read the whole log.
    search_fields = tuple(
        f"{field}__exact"
        for field in ("actor", "action", "object_id", "object_label", "ip", "request_id")
    )
    search_help_text = _("Actor, action, object, IP address or id of the request, in full")
    ordering = ("-pk",)
    readonly_fields = ("created_at",)


extend_actions(
    OutboxMessage,
    Action(
        name="replay",
        label=_("Deliver again"),
        done=_("The event is due again."),
        permission="core.change_outboxmessage",
        run=lambda message, data: outbox.replay([message.pk]),
        offered=lambda message: message.status == OutboxMessage.Status.DEAD,
        icon="replay",
        in_list=True,
    ),
)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "name", "receiver", "status", "attempts", "due_at")
    list_filter = ("status",)
    search_fields = ("name__startswith", "receiver__startswith", "=request_id")
    search_help_text = _("Event or receiver (or how they begin), id of the request")
    ordering = ("-pk",)
    readonly_fields = ("created_at",)
