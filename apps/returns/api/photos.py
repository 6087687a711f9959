"""Photos of returns: brought by shoppers, seen by them and the staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from apps.core.api.parsers import JSONParser
from apps.core.api.permissions import Public, Staff
from apps.core.api.renderers import JSONRenderer
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.errors import NotFound
from apps.returns import services
from apps.returns.api.serializers import (
    ReturnFileInput,
    ReturnUploadInput,
    ReturnUploadSerializer,
    StaffReturnSerializer,
)
from apps.returns.api.views import TOKEN, OfOrder
from apps.returns.models import ReturnRequest
from apps.returns.selectors import PHOTO_TYPE, read_photo

IMAGE = {(200, PHOTO_TYPE): OpenApiTypes.BINARY}


class _PhotoRenderer(JSONRenderer):
    """Lets callers ask for the picture; what is rendered are problems."""

    media_type = PHOTO_TYPE
    format = "file"


def picture(request: ReturnRequest, photo_id: UUID) -> HttpResponse:
    """Nobody in between keeps it."""
    response = HttpResponse(read_photo(request, photo_id), content_type=PHOTO_TYPE)
    response["Cache-Control"] = "private, max-age=3600"
    return response


class UploadView(OfOrder):
    serializer_class = ReturnUploadInput

    @extend_schema(
        summary="Begin to upload a photo for a return",
        description="Answers the form that takes the file, for 15 minutes: the storage's own"
        " (a presigned POST), or one of this host. Name it in `photos` of the return.",
        parameters=[TOKEN],
        request=ReturnUploadInput,
        responses={201: ReturnUploadSerializer},
        tags=["returns"],
    )
    def create(self, request: Any, number: str) -> Response:
        order = self.order(number)
        form = ReturnUploadInput(data=request.data)
        form.is_valid(raise_exception=True)
        photo, target = services.start_upload(
            order=order, absolute=request.build_absolute_uri, **form.validated_data
        )
        names = ("url", "method", "fields", "expires_at")
        body = {"id": str(photo.public_id), **{name: getattr(target, name) for name in names}}
        return Response(body, status=201)


class ReceiveView(PlainViewSet):
    """The form's own token says who may send what."""

    permission_classes = [Public]
    parser_classes = [MultiPartParser, JSONParser]

    @extend_schema(
        summary="Send a photo for a return, where the form says so",
        request={"multipart/form-data": ReturnFileInput},
        responses={204: None},
        tags=["returns"],
    )
    def create(self, request: Any, photo_id: UUID) -> Response:
        form = ReturnFileInput(data=request.data)
        form.is_valid(raise_exception=True)
        services.receive_upload(photo_id=photo_id, **form.validated_data)
        return Response(status=204)


class MyPhotoView(OfOrder):
    serializer_class = ReturnUploadInput

    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), _PhotoRenderer()]

    @extend_schema(
        summary="A photo of a return", parameters=[TOKEN], responses=IMAGE, tags=["returns"]
    )
    def retrieve(self, request: Any, number: str, return_id: UUID, photo_id: UUID) -> HttpResponse:
        returns = ReturnRequest.objects.filter(order=self.order(number), public_id=return_id)
        found = returns.first()
        if found is None:
            raise NotFound()
        return picture(found, photo_id)


class StaffPhotoView(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"retrieve": "returns.view_returnrequest"}
    queryset = ReturnRequest.objects.all()
    serializer_class = StaffReturnSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_renderers(self) -> list[BaseRenderer]:
        return [JSONRenderer(), _PhotoRenderer()]

    @extend_schema(summary="A photo of a return", responses=IMAGE, tags=["returns"])
    def retrieve(self, request: Any, photo_id: UUID, **kwargs: Any) -> HttpResponse:
        return picture(self.get_object(), photo_id)
