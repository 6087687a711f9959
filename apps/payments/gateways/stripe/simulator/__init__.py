"""A Stripe account on this machine: stateful, over real HTTP, for tests and the demo.

It answers the official SDK as Stripe documents it, sends signed webhooks, and takes orders from
a test (faults, disputes, 3-D Secure outcomes). Standard library only; it knows nothing of Django
or of the applications. Unsupported paths answer Stripe's 404 `Unrecognized request URL`.
"""

from apps.payments.gateways.simulation.faults import Fault

from .errors import StripeError
from .simulator import StripeSimulator

__all__ = ["Fault", "StripeError", "StripeSimulator"]
