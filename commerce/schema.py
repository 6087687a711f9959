"""OpenAPI: what every operation has in common, said once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from apps.core.api.permissions import Public
from apps.core.api.serializers import ProblemSerializer
from apps.core.api.views import IDEMPOTENCY_HEADER

PROBLEMS = {
    "400": "The input isn't valid (`validation_error`, `unknown_parameter`, …).",
    "401": "Not signed in, or the token isn't valid any more.",
    "402": "The payment was declined.",
    "403": "Signed in, but not allowed to.",
    "404": "There is no such thing here, or it is somebody else's.",
    "406": "Only JSON is spoken here.",
    "409": "The state of things doesn't allow it (any more).",
    "412": "Somebody else changed it meanwhile.",
    "413": "The body is too large.",
    "415": "The body isn't of a type that is read here.",
    "422": "The Idempotency-Key was used with another body.",
    "429": "Too many requests; see Retry-After.",
    "502": "A provider refused.",
    "503": "Briefly unavailable; see Retry-After.",
}


class AutoSchema(BaseAutoSchema):
    """Tags by the first word of the path; parameters that the base view understands."""

    def get_tags(self) -> list[str]:
        words = [word for word in self.path.split("/") if word]
        words = words[words.index("v1") + 1 :]
        return [" ".join(words[:2]) if words[0] == "admin" and len(words) > 1 else words[0]]

    def get_operation_id(self) -> str:
        words = [word for word in self.path.split("/") if word]
        names = [word.strip("{}") for word in words[words.index("v1") + 1 :]]
        action = getattr(self.view, "action", None) or self.method.lower()
        return "_".join([*names, str(action)]).replace("-", "_")

    def get_override_parameters(self) -> list[Any]:
        view = self.view
        header = OpenApiParameter.HEADER
        parameters = [
            OpenApiParameter("X-Store", str, header, description="The store's code."),
            OpenApiParameter("Accept-Language", str, header, description="BCP 47."),
        ]
        action = getattr(view, "action", None) or self.method.lower()
        if self._takes_key():
            parameters.append(
                OpenApiParameter(
                    IDEMPOTENCY_HEADER, str, header, description="At most 255 characters."
                )
            )
        if action == "list":
            if names := sorted(getattr(view, "ordering_fields", None) or ()):
                choices = [*names, *(f"-{name}" for name in names)]
                parameters.append(
                    OpenApiParameter("ordering", str, description=f"One of {', '.join(choices)}.")
                )
            if getattr(view, "search_fields", None):
                parameters.append(OpenApiParameter("search", str, description="Every word."))
        return parameters

    def get_auth(self) -> list[dict[str, list[str]]]:
        if Public in self.view.permission_classes:
            return [{}, *super().get_auth()]
        return super().get_auth()

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        component = self.resolve_serializer(ProblemSerializer, "response")
        for status in self._problems():
            bodies.setdefault(status, problem_response(component, PROBLEMS[status]))
        return bodies

    def _problems(self) -> list[str]:
        """The statuses of PROBLEMS that this operation can answer with."""
        view, writes = self.view, self.method != "GET"
        possible = {
            "401": bool(view.authentication_classes),
            "402": self._takes_key(),
            "403": not any(isinstance(each, Public) for each in view.get_permissions()),
            "409": writes,
            "412": writes and self.method != "POST",
            "413": writes and self.method != "DELETE",
            "415": writes and self.method != "DELETE",
            "422": self._takes_key(),
            "502": self._takes_key(),
        }
        return [status for status in PROBLEMS if possible.get(status, True)]

    def _takes_key(self) -> bool:
        action = getattr(self.view, "action", None) or self.method.lower()
        return action in getattr(self.view, "idempotent", ())


def problem_response(component: ResolvedComponent, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": component.ref}},
    }
