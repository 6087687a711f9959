from apps.customers.admin import buttons, customers, groups, privacy, segments

__all__ = ["buttons", "customers", "groups", "privacy", "segments"]
