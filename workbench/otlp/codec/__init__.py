"""Bytes to columns and back: protobuf and JSON, compiled, with no Python object per record."""
