"""OTLP over HTTP and gRPC: a receiver, a receiver that writes files, a faulty peer, and an exporter."""
