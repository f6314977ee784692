"""What the tables tell: structure, services, latency, faults."""
