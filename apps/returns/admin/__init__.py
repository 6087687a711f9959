from apps.returns.admin import actions, pages

__all__ = ["actions", "pages"]
