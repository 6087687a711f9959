"""Buttons of the back office: what staff may do with one object, or with several of a list.

A room declares `Action`s for a model and hangs them up with `extend_actions(Order, …)`, also for
the model of a lower room. Every page of that model then offers them to whoever holds the
permission. Each runs by POST, calls one service, and tells a DomainError as a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from apps.core import idempotency
from apps.core.errors import DomainError

# A list's action asks a service, perhaps a payment provider, once for each row.
MOST_AT_ONCE = 100


class ActionForm(forms.Form):
    """What an action asks before it runs, about `obj`. Without fields it is a confirmation."""

    # Made with the page: sending the same page twice does the thing once.
    once = forms.CharField(widget=forms.HiddenInput, max_length=60)

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        self.obj = obj
        super().__init__(*args, **kwargs)
        self.fields["once"].initial = lambda: str(uuid4())


def pieces_field(
    label: str,
    *,
    initial: int,
    least: int = 0,
    most: int | None = None,
    required: bool = True,
    help_text: Any = "",
) -> forms.IntegerField:
    """How many pieces of a line, from `least` to `most`."""
    return forms.IntegerField(
        label=label,
        initial=initial,
        min_value=least,
        max_value=most,
        required=required,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
    )


@dataclass(frozen=True, kw_only=True)
class Action:
    """`run(obj, data)` makes one service call; `data` is the cleaned form, or empty without one.

    `done` is what is said then, or makes it of what `run` returned. `name` stands in the address.
    `offered(obj)` only hides a button that makes no sense now: the service decides. `permission`
    is asked for the page, the list and the request itself. In a list it runs for each row, or
    `run_all(objs)` once for all that are ticked. `then` may change the session, and gives the
    address to go on at instead of back.
    """

    name: str
    label: Any
    permission: str
    run: Callable[[Any, Mapping[str, Any]], Any]
    done: Any = _("Done.")
    offered: Callable[[Any], bool] = lambda obj: True
    form: type[ActionForm] | None = None
    icon: str = ""
    is_danger: bool = False
    on_page: bool = True
    in_list: bool = False
    run_all: Callable[[list[Any]], Any] | None = None
    then: Callable[[HttpRequest, Any], str] | None = None


_actions: dict[type[models.Model], dict[str, Action]] = {}


def extend_actions(model: type[models.Model], *actions: Action) -> None:
    """Offer `actions` on the admin pages of `model`, in this order after those it has."""
    _actions.setdefault(model, {}).update({action.name: action for action in actions})


def buttons(request: HttpRequest, obj: models.Model) -> list[dict[str, Any]]:
    """What the user may do with `obj` now, the dangerous last.

    `url` leads back to the page of this request.
    """
    offered = [
        action
        for action in _actions.get(type(obj), {}).values()
        if action.on_page and request.user.has_perm(action.permission) and action.offered(obj)
    ]
    back = urlencode({"back": request.get_full_path()})
    return [
        {
            "action": action,
            # A template would call the class.
            "has_form": action.form is not None,
            "url": f"{_address(obj, action)}?{back}",
        }
        for action in sorted(offered, key=lambda action: action.is_danger)
    ]


def render_buttons(request: HttpRequest, obj: models.Model) -> str:
    """The buttons as HTML. They submit the page's one form for actions, so they may lie in
    another form."""
    return render_to_string("admin/action_buttons.html", {"buttons": buttons(request, obj)})


def _address(obj: models.Model, action: Action) -> str:
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_do"
    return reverse(name, args=[quote(obj.pk), action.name])


class ActionsMixin(UnfoldModelAdmin):
    """Addresses, buttons and list actions of a model's `Action`s."""

    change_form_outer_before_template = "admin/object_actions.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_do"
        view = self.admin_site.admin_view(self.action_view)
        return [path("<path:object_id>/do/<slug:name>/", view, name=name), *super().get_urls()]

    def object_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the templates of an object's page are given besides."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        context = getattr(response, "context_data", None) or {}
        if isinstance(obj := context.get("original"), self.model):
            context |= {"buttons": buttons(request, obj), **self.object_context(request, obj)}
        return response

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().get_actions(request),
            **{
                action.name: (_for_each(action), action.name, action.label)
                for action in _actions.get(self.model, {}).values()
                if action.in_list and request.user.has_perm(action.permission)
            },
        }

    def action_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Run one action: at once by POST, or after its form."""
        action = _actions.get(self.model, {}).get(name)
        if action is None:
            raise Http404
        if not self.has_view_permission(request) or not request.user.has_perm(action.permission):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        back = self._back(request, obj)
        if action.form is None:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            try:
                back = self._run(request, action, obj, {}) or back
            except DomainError as error:
                self.message_user(request, str(error), messages.ERROR)
            return redirect(back)
        form = action.form(obj, request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            address = self._run_form(request, action, form)
            if not form.errors:
                return redirect(address or back)
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "subtitle": str(obj),
            "opts": self.opts,
            "original": obj,
            "action": action,
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "admin/action_form.html", context)

    def _run_form(self, request: HttpRequest, action: Action, form: ActionForm) -> str:
        data = dict(form.cleaned_data)
        digest = idempotency.key_digest(
            str(request.user.pk), "POST", request.path, data.pop("once")
        )
        status, address = 500, ""
        try:
            if idempotency.begin(digest, b"") is None:
                try:
                    address = self._run(request, action, form.obj, data)
                    status = 200
                finally:
                    idempotency.finish(digest, idempotency.Stored(status, "text/plain", b""))
            else:
                self.message_user(request, _("This was done already."), messages.WARNING)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        return address

    def _run(
        self, request: HttpRequest, action: Action, obj: models.Model, data: dict[str, Any]
    ) -> str:
        """Where to go on, if not back."""
        done = action.run(obj, data)
        if action.then is not None:
            return action.then(request, done)
        text = action.done(done) if callable(action.done) else action.done
        self.message_user(request, text, messages.SUCCESS)
        return ""

    def _back(self, request: HttpRequest, obj: models.Model) -> str:
        back = request.GET.get("back", "")
        if url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
            return back
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(page, args=[quote(obj.pk)])


def _for_each(action: Action) -> Callable[..., None]:
    """A list action of Django's kind: what is refused for one row doesn't stop the others."""

    def run(admin: UnfoldModelAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        chosen = list(queryset.order_by("pk")[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            text = _("At most %d at once.") % MOST_AT_ONCE
            admin.message_user(request, text, messages.ERROR)
            return
        if action.run_all is not None:
            try:
                action.run_all(chosen)
            except DomainError as error:
                admin.message_user(request, str(error), messages.ERROR)
            else:
                admin.message_user(request, action.done, messages.SUCCESS)
            return
        refused = []
        for obj in chosen:
            try:
                action.run(obj, {})
            except DomainError as error:
                refused.append(f"{obj}: {error}")
        if done := len(chosen) - len(refused):
            admin.message_user(request, f"{action.label}: {done}", messages.SUCCESS)
        for text in islice(refused, 10):
            admin.message_user(request, text, messages.ERROR)
        if len(refused) > 10:
            admin.message_user(request, _("… and %d more.") % (len(refused) - 10), messages.ERROR)

    return run
