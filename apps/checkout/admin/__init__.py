from apps.checkout.admin import carts, drafts

__all__ = ["carts", "drafts"]
