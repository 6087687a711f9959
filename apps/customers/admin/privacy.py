"""Whose data were asked for, and who was forgotten."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.customers.models import Customer, ErasureRequest, KeptRecord
from apps.customers.services.erasing import request_erasure
from apps.customers.services.exporting import request_export


class KeptInline(ReadOnlyTabularInline):
    model = KeptRecord
    fields = ("model", "row", "reason", "until", "emptied_at")


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReadOnlyAdmin):
    """Who was forgotten, as far as that may still be said; what was kept, why, until when."""

    list_display = ("public_id", "status", "asked_by", "created_at", "finished_at")
    list_filter = ("status",)
    ordering = ("-pk",)
    fields = ("public_id", "status", "asked_by", "created_at", "waits_for", "finished_at")
    inlines = (KeptInline,)


extend_actions(
    Customer,
    Action(
        name="export",
        label=_("Send a copy of their data"),
        done=_("The customer gets a link by mail."),
        permission="customers.export_person",
        run=lambda customer, data: request_export(customer=customer),
        form=ActionForm,
        icon="folder_zip",
    ),
    Action(
        name="erase",
        label=_("Erase their data"),
        done=_("The customer is signed out for good; the data are gone within a day."),
        permission="customers.erase_person",
        run=lambda customer, data: request_erasure(customer=customer),
        form=ActionForm,
        icon="person_remove",
        is_danger=True,
    ),
)
