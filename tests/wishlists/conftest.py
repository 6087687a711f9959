from tests.storefront.conftest import location, sell

__all__ = ["location", "sell"]
