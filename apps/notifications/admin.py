"""The delivery log, with a look at each message."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin
from apps.notifications.models import Notification
from apps.notifications.services import retry_notifications


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "recipient", "subject", "status", "attempts", "sent_at")
    list_filter = ("status", "language")
    search_fields = ("recipient", "subject", "kind")
    ordering = ("-pk",)
    actions = ("retry",)
    fields = (
        ("kind", "status", "language"),
        ("sender", "recipient"),
        "subject",
        "html",
        "text",
        ("created_at", "sent_at", "due_at"),
        ("attempts", "last_error"),
    )
    readonly_fields = ("html", "text", "created_at")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_notification")

    @admin.display(description=_("message"))
    def html(self, message: Notification) -> str:
        """In a frame that may run, load and submit nothing."""
        return format_html(
            '<iframe sandbox="" srcdoc="{}" title="{}"'
            ' style="width: 100%; height: 32rem; border: 1px solid #d4d4d8; background: #fff">'
            "</iframe>",
            message.body_html,
            message.subject,
        )

    @admin.display(description=_("as text"))
    def text(self, message: Notification) -> str:
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', message.body_text)

    @admin.action(description=_("Send failed messages again"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        count = retry_notifications(ids=list(queryset.values_list("pk", flat=True)))
        self.message_user(request, _("%d messages are due again.") % count)
