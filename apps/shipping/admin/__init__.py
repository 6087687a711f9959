"""Shipping zones, methods with their prices, holidays, duties and pick-up points."""

from apps.shipping.admin import calendar, duties, methods, points, zones

__all__ = ["calendar", "duties", "methods", "points", "zones"]
