"""Text in telemetry: what is searched for in it, and the templates it was written from."""
