from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from apps.storefront.models import SearchRedirect, SearchSynonym
from tests.factories.stores import StoreFactory


class SearchSynonymFactory(DjangoModelFactory[SearchSynonym]):
    class Meta:
        model = SearchSynonym

    store = factory.SubFactory(StoreFactory)
    words = "sofa, couch"


class SearchRedirectFactory(DjangoModelFactory[SearchRedirect]):
    class Meta:
        model = SearchRedirect

    store = factory.SubFactory(StoreFactory)
    query = factory.Sequence(lambda n: f"returns {n}")
    target = "/pages/returns/"
