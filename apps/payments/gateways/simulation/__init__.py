"""What the simulators of gateways share: the socket, the faults, the webhooks' delivery, the clock.

Standard library only; it knows nothing of Django or of the applications.
"""
