from apps.fulfillment.admin import actions, papers, picking, shipments

__all__ = ["actions", "papers", "picking", "shipments"]
