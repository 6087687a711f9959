"""Lists of the back office as staff want them again: filters, search and order under a name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from apps.core.models import SavedView

LONGEST = 1_000
# As many as fit above a list.
MOST = 30
# The page, the error of a filter and how a pop-up was opened belong to no view.
_LEFT_OUT = ("p", "e", "_popup", "_to_field", "all")


def saved_query(query: QueryDict) -> str:
    """What of a list's address makes a view."""
    kept = query.copy()
    for name in _LEFT_OUT:
        kept.pop(name, None)
    return kept.urlencode()


def views_of(*, owner: int, listed: str) -> QuerySet[SavedView]:
    """Somebody's own views of a list, and those that are shared."""
    shown = SavedView.objects.filter(Q(owner=owner) | Q(is_shared=True), listed=listed)
    return shown.order_by("name", "pk")[:MOST]


def save_view(*, owner: int, listed: str, name: str, query: str, is_shared: bool) -> SavedView:
    """Keep a view; one of the same name and owner becomes this one."""
    view, _made = SavedView.objects.update_or_create(
        owner=owner, listed=listed, name=name, defaults={"query": query, "is_shared": is_shared}
    )
    return view


class SavedViewsMixin(UnfoldModelAdmin):
    """Shows the views above a list, to whoever may see the list; saves and deletes one's own."""

    list_before_template = "admin/saved_views.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("views/", wrap(require_POST(self.save_view)), name=f"{name}_save_view"),
            path("views/<int:pk>/", wrap(require_POST(self.forget_view)), name=f"{name}_unview"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        own = request.user.pk
        views = views_of(owner=own, listed=self.opts.label_lower) if own else []
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        context = {
            "saved_views": [
                (view, reverse(f"{name}_unview", args=[view.pk]) if view.owner == own else "")
                for view in views
            ],
            "saved_query": saved_query(request.GET),
            "save_view_url": reverse(f"{name}_save_view"),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the list that the form stood above."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = " ".join(request.POST.get("name", "").split())
        given = request.POST.get("query", "")
        if not name or len(name) > 60 or len(given) > LONGEST:
            messages.error(request, _("A view needs a name of at most 60 characters."))
            return self._to_list(saved_query(QueryDict(given[:LONGEST])))
        # Read and written anew: whatever was posted, it stays the query of this list.
        query = saved_query(QueryDict(given))
        save_view(
            owner=request.user.pk or 0,
            listed=self.opts.label_lower,
            name=name,
            query=query,
            is_shared="is_shared" in request.POST,
        )
        return self._to_list(query)

    def forget_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Forget a view of one's own; somebody else's is a 404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        mine = SavedView.objects.filter(
            owner=request.user.pk or 0, listed=self.opts.label_lower, pk=pk
        )
        if not mine.delete()[0]:
            raise Http404
        return self._to_list("")

    def _to_list(self, query: str) -> HttpResponse:
        here = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return HttpResponseRedirect(f"{here}?{query}" if query else here)
