"""Webhooks in the back office: whom the shop tells, and how that went."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.admin import ModelAdmin, ReadOnlyAdmin
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.errors import DomainError
from apps.core.fields import AmountModelForm
from apps.webhooks import services
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint

_CHANGE = "webhooks.change_webhookendpoint"


class EndpointForm(AmountModelForm):
    """What the service would refuse, refused beside its field."""

    url = forms.CharField(label=_("Address"), max_length=500, widget=UnfoldAdminTextInputWidget)
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(name, name) for name in services.TOPICS],
        widget=UnfoldAdminSelectMultipleWidget(attrs={"size": 16}),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "events", "is_active")

    def clean_url(self) -> str:
        try:
            return services.check_url(self.cleaned_data["url"])
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):
    form = EndpointForm
    list_display = ("name", "url", "is_active", "failing_since", "created_by", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("created_by",)
    search_fields = ("name", "url")
    ordering = ("-pk",)
    readonly_fields = ("failing_since", "previous_expires_at", "created_by")

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        made = ("name", "url", "events")
        return made if obj is None else (*made, "is_active", *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is not None else ()

    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool
    ) -> None:
        data = form.cleaned_data
        if change:
            services.change_endpoint(endpoint=obj, **data)
            return
        endpoint, secret = services.create_endpoint(created_by=request.user, **data)
        obj.pk = endpoint.pk
        obj.refresh_from_db()
        text = _("Copy the secret now, it is shown only this once: %s") % secret
        self.message_user(request, f"{endpoint.name}: {text}", messages.WARNING)

    def log_addition(self, request: HttpRequest, obj: WebhookEndpoint, message: Any) -> None:
        """The service has written the audit log."""

    def delete_model(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        services.delete_endpoint(endpoint=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            services.delete_endpoint(endpoint=endpoint)


class RotationForm(ActionForm):
    overlap_hours = forms.IntegerField(
        label=_("Hours that the former secret signs as well"),
        initial=24,
        min_value=0,
        max_value=services.MOST_OVERLAP,
        widget=UnfoldAdminIntegerFieldWidget,
    )


extend_actions(
    WebhookEndpoint,
    Action(
        name="test",
        label=_("Send a test event"),
        done=_("It is on its way: see the deliveries."),
        permission=_CHANGE,
        run=lambda endpoint, data: services.send_test(endpoint=endpoint),
        offered=lambda endpoint: endpoint.is_active,
        icon="send",
    ),
    Action(
        name="rotate",
        label=_("New secret"),
        done=lambda secret: _("Copy the secret now, it is shown only this once: %s") % secret,
        permission=_CHANGE,
        run=lambda endpoint, data: services.rotate_secret(
            endpoint=endpoint, overlap_hours=data["overlap_hours"]
        ),
        form=RotationForm,
        icon="key",
    ),
)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "endpoint", "status", "attempts", "answer", "error", "created_at")
    list_filter = ("status", "endpoint", "event")
    list_select_related = ("endpoint",)
    search_fields = ("event_id__exact",)
    ordering = ("-pk",)
    fields = (
        *("endpoint", "event", "event_id", "status", "attempts", "due_at"),
        *("answer", "error", "attempted_at", "body", "created_at"),
    )


extend_actions(
    WebhookDelivery,
    Action(
        name="replay",
        label=_("Tell once more"),
        done=_("It is on its way."),
        permission="webhooks.change_webhookdelivery",
        run=lambda delivery, data: services.replay(
            endpoint=delivery.endpoint,
            deliveries=WebhookDelivery.objects.filter(pk=delivery.pk),
        ),
        in_list=True,
        icon="replay",
    ),
)
