"""What staff may do with a promotion: start it, end it, make its codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.promotions import services
from apps.promotions.models import Promotion


class CodeForm(ActionForm):
    code = forms.CharField(label=_("Code"), max_length=40, widget=UnfoldAdminTextInputWidget)
    usage_limit = forms.IntegerField(
        label=_("Orders, at most"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Empty: as many as there are."),
    )


class BatchForm(ActionForm):
    intro = _(
        "Codes that nobody can guess, each for one order. Asking again for a batch makes what is"
        " missing of it."
    )
    batch = forms.CharField(label=_("Name"), max_length=60, widget=UnfoldAdminTextInputWidget)
    count = forms.IntegerField(
        label=_("How many"),
        min_value=1,
        max_value=services.MAX_BATCH,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    prefix = forms.CharField(  # type: ignore[assignment]
        label=_("Begins with"),
        max_length=16,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    length = forms.IntegerField(
        label=_("Characters after that"),
        min_value=8,
        max_value=24,
        initial=10,
        widget=UnfoldAdminIntegerFieldWidget,
    )


def _make_batch(promotion: Promotion, data: Mapping[str, Any]) -> None:
    services.start_batch(promotion=promotion, **data)


def _action(name: str, label: Any, icon: str, run: Any, **more: Any) -> Action:
    permission = more.pop("permission", "promotions.change_promotion")
    return Action(name=name, label=label, icon=icon, run=run, permission=permission, **more)


extend_actions(
    Promotion,
    _action(
        "start",
        _("Start"),
        "play_arrow",
        lambda promotion, data: services.set_active(promotion=promotion, active=True),
        offered=lambda promotion: not promotion.is_active,
        done=_("The promotion is active."),
        in_list=True,
    ),
    _action(
        "stop",
        _("Stop"),
        "pause",
        lambda promotion, data: services.set_active(promotion=promotion, active=False),
        offered=lambda promotion: promotion.is_active,
        done=_("The promotion is inactive."),
        in_list=True,
    ),
    _action(
        "end",
        _("End now"),
        "stop",
        lambda promotion, data: services.end_promotion(promotion=promotion),
        offered=lambda promotion: promotion.is_active,
        done=_("The promotion has ended."),
        in_list=True,
        is_danger=True,
    ),
    _action(
        "code",
        _("Add code"),
        "confirmation_number",
        lambda promotion, data: services.add_coupon(promotion=promotion, **data),
        offered=lambda promotion: promotion.needs_code,
        permission="promotions.add_coupon",
        form=CodeForm,
    ),
    _action(
        "batch",
        _("Make codes"),
        "library_add",
        _make_batch,
        offered=lambda promotion: promotion.needs_code,
        permission="promotions.add_coupon",
        form=BatchForm,
        done=_("The codes are being made: the first thousand are there."),
    ),
)
