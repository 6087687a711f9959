"""Shipping zones, methods with their prices, holidays and pick-up points."""

from apps.shipping.admin import calendar, methods, points, zones

__all__ = ["calendar", "methods", "points", "zones"]
