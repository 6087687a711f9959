"""Pay links in the back office: on the order's page, and by themselves."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, extend
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.orders import states
from apps.orders.models import Order
from apps.payments import services
from apps.payments.models import PayLink

STATE_COLOURS = {"open": "warning", "paid": "success", "revoked": "danger", "expired": "info"}


def may_owe(order: Order) -> bool:
    return order.status != states.CANCELLED and order.captured_amount < order.total


extend_actions(
    Order,
    Action(
        name="pay-link",
        label=_("Pay link"),
        done=_("The link is on its way to the customer."),
        permission="payments.add_paylink",
        run=lambda order, data: services.create_pay_link(order=order),
        offered=may_owe,
        icon="link",
    ),
)
extend_actions(
    PayLink,
    Action(
        name="resend",
        label=_("Mail again"),
        done=_("The link is on its way to the customer."),
        permission="payments.change_paylink",
        run=lambda link, data: services.resend_pay_link(link=link),
        offered=lambda link: link.state == PayLink.State.OPEN,
        icon="forward_to_inbox",
    ),
    Action(
        name="revoke",
        label=_("Revoke"),
        done=_("The link is revoked."),
        permission="payments.change_paylink",
        run=lambda link, data: services.revoke_pay_link(link=link),
        offered=lambda link: link.state == PayLink.State.OPEN,
        form=ActionForm,
        icon="link_off",
        is_danger=True,
    ),
)


def _state_text(link: PayLink) -> str:
    return str(PayLink.State(link.state).label)


class PayLinkInline(ReadOnlyTabularInline):
    model = PayLink
    fields = ("created_at", "state_text", "expires_at", "mails", "buttons")
    readonly_fields = ("created_at", "state_text", "mails", "buttons")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayLink]:
        return super().get_queryset(request).order_by("pk")

    @admin.display(description=_("status"))
    def state_text(self, link: PayLink) -> str:
        return _state_text(link)


extend(Order, PayLinkInline)


@admin.register(PayLink)
class PayLinkAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "created_at", "order", "state", "expires_at")
    list_select_related = ("order",)
    search_fields = ("=order__number",)
    search_help_text = _("The order's number")
    ordering = ("-pk",)
    fields = (
        ("order", "state_text"),
        ("expires_at", "paid_at", "revoked_at"),
        "address",
        ("public_id", "created_at"),
    )
    readonly_fields = ("public_id", "created_at", "paid_at", "revoked_at", "state_text", "address")

    @display(description=_("status"), label=STATE_COLOURS)
    def state(self, link: PayLink) -> tuple[str, str]:
        return link.state, _state_text(link)

    @admin.display(description=_("status"))
    def state_text(self, link: PayLink) -> str:
        return _state_text(link)

    @admin.display(description=_("address"))
    def address(self, link: PayLink) -> str:
        return str(settings.PAY_URL.format(token=link.token))
