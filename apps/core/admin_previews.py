"""Previews on a form of the back office: what a draft would do, before anything is saved.

An upper room declares a `Preview` for the model of a lower room and hangs it up with
`extend_previews(Promotion, …)`. The model's page then shows its questions and its button; the
button posts the whole form, and the same page comes back with the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from apps.core.errors import DomainError

# The button's name; its value is the preview's.
BUTTON = "_preview"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`run(draft, data)` reads and writes nothing: the draft isn't saved, `data` is the cleaned
    form. What it returns is `result` in `template`. A DomainError is told on the form.
    """

    name: str
    label: Any
    intro: Any
    button: Any
    permission: str
    form: type[forms.Form]
    run: Callable[[Any, Mapping[str, Any]], Any]
    template: str


_previews: dict[type[models.Model], dict[str, Preview]] = {}


def extend_previews(model: type[models.Model], *previews: Preview) -> None:
    """Show `previews` on the form of `model`, in this order after those it has."""
    _previews.setdefault(model, {}).update({preview.name: preview for preview in previews})


class PreviewsMixin(UnfoldModelAdmin):
    """Shows the previews of the model below its form, to whoever may change it."""

    change_form_after_template = "admin/previews.html"

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if BUTTON not in request.POST:
            return form

        class Draft(form):
            """Never valid, so that Django shows the page again instead of saving."""

            def is_valid(self) -> bool:
                super().is_valid()
                return False

        return Draft

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        may = self.has_change_permission(request, obj) if change else True
        context["previews"] = [
            _shown(request, preview, context["adminform"].form)
            for preview in _previews.get(self.model, {}).values()
            if may and request.user.has_perm(preview.permission)
        ]
        return super().render_change_form(request, context, add, change, form_url, obj)


def _shown(request: HttpRequest, preview: Preview, draft: Any) -> dict[str, Any]:
    """A preview as its template takes it, run if it was asked for."""
    asked = draft.is_bound and request.POST.get(BUTTON) == preview.name
    form = preview.form(request.POST if asked else None, prefix=preview.name)
    result = None
    if asked and not draft.errors and form.is_valid():
        try:
            result = preview.run(draft.instance, form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    return {
        "preview": preview,
        "form": form,
        "result": result,
        "is_stuck": asked and bool(draft.errors),
    }
