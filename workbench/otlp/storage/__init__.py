"""Telemetry in files and in other libraries' frames: reading, writing, converting, asking by SQL."""
