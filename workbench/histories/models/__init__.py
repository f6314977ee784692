"""Sequential objects that histories are judged by: each a start, and a pure step function."""
