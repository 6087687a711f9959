"""Search synonyms and redirects, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import RowField, StrictSerializer
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.storefront.models import SearchRedirect, SearchSynonym
from apps.storefront.services import rules
from apps.stores.models import Store


class SearchSynonymSerializer(serializers.ModelSerializer[SearchSynonym]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    store = serializers.CharField(source="store.code", read_only=True)

    class Meta:
        model = SearchSynonym
        fields = ("id", "store", "words", "created_at", "updated_at")
        read_only_fields = fields


class SearchSynonymInputSerializer(StrictSerializer):
    store = RowField(Store.objects.all(), help_text="The store's code.")
    words = serializers.CharField(
        max_length=500, help_text="Two or more single words, separated by commas."
    )


class SearchRedirectSerializer(serializers.ModelSerializer[SearchRedirect]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    store = serializers.CharField(source="store.code", read_only=True)

    class Meta:
        model = SearchRedirect
        fields = ("id", "store", "query", "target", "created_at", "updated_at")
        read_only_fields = fields


class SearchRedirectInputSerializer(StrictSerializer):
    store = RowField(Store.objects.all(), help_text="The store's code.")
    query = serializers.CharField(
        max_length=200, help_text="The whole search; case and accents don't matter."
    )
    target = serializers.CharField(max_length=500, help_text="A path of the shop.")


class StoreFilter(filters.FilterSet):
    store = filters.CharFilter(field_name="store__code")


class _RuleViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    filterset_class = StoreFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    input_class: type[StrictSerializer]

    def save(self, rule: Any, changes: dict[str, Any]) -> Any:
        raise NotImplementedError

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return self._detail(self.get_object())

    def create(self, request: Any) -> Response:
        data = self.input_class(data=request.data)
        data.is_valid(raise_exception=True)
        return self._detail(self.save(self.queryset.model(), data.validated_data), 201)

    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        rule = self.get_object()
        check_if_match(request, rule)
        data = self.input_class(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return self._detail(self.save(rule, data.validated_data))

    def destroy(self, request: Any, **kwargs: Any) -> Response:
        rules.delete_rule(rule=self.get_object())
        return Response(status=204)

    def _detail(self, rule: Any, status: int = 200) -> Response:
        body = self.get_serializer(rule).data
        return Response(body, status=status, headers={"ETag": etag_of(rule)})


def _described(what: str, given: Any, shown: Any) -> Any:
    """The schema of a rule's five operations."""
    return extend_schema_view(
        list=extend_schema(summary=f"List search {what}s", tags=["search"]),
        retrieve=extend_schema(summary=f"A search {what}", tags=["search"]),
        create=extend_schema(
            summary=f"Make a search {what}", request=given, responses={201: shown}, tags=["search"]
        ),
        partial_update=extend_schema(
            summary=f"Change a search {what}",
            request=given,
            responses={200: shown},
            tags=["search"],
        ),
        destroy=extend_schema(
            summary=f"Delete a search {what}", responses={204: None}, tags=["search"]
        ),
    )


@_described("synonym", SearchSynonymInputSerializer, SearchSynonymSerializer)
class SearchSynonymViewSet(_RuleViewSet):
    required_permissions = {
        "list": "storefront.view_searchsynonym",
        "retrieve": "storefront.view_searchsynonym",
        "create": "storefront.add_searchsynonym",
        "partial_update": "storefront.change_searchsynonym",
        "destroy": "storefront.delete_searchsynonym",
    }
    queryset = SearchSynonym.objects.select_related("store")
    serializer_class = SearchSynonymSerializer
    input_class = SearchSynonymInputSerializer

    def save(self, rule: SearchSynonym, changes: dict[str, Any]) -> SearchSynonym:
        return rules.save_synonym(synonym=rule, changes=changes)


@_described("redirect", SearchRedirectInputSerializer, SearchRedirectSerializer)
class SearchRedirectViewSet(_RuleViewSet):
    required_permissions = {
        "list": "storefront.view_searchredirect",
        "retrieve": "storefront.view_searchredirect",
        "create": "storefront.add_searchredirect",
        "partial_update": "storefront.change_searchredirect",
        "destroy": "storefront.delete_searchredirect",
    }
    queryset = SearchRedirect.objects.select_related("store")
    serializer_class = SearchRedirectSerializer
    input_class = SearchRedirectInputSerializer

    def save(self, rule: SearchRedirect, changes: dict[str, Any]) -> SearchRedirect:
        return rules.save_redirect(redirect=rule, changes=changes)
