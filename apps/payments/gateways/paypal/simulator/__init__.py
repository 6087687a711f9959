"""A PayPal account on this machine: stateful, over real HTTP, for tests, rehearsals and the demo.

It speaks Orders v2, Payments v2 and the webhooks' verification as PayPal's OpenAPI describes them
(a test compares), shows the customer a page to approve, sends signed webhooks, and takes orders
from a test. Standard library only; it knows nothing of Django or of the applications.
"""

from apps.payments.gateways.simulation.faults import Fault

from .simulator import PayPalSimulator

__all__ = ["Fault", "PayPalSimulator"]
