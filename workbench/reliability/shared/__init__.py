"""State that several processes share, kept by a Redis or Valkey server: limits and open circuits."""
