"""Clients with a pipeline in front of a service, simulated by the machines that also run live."""
