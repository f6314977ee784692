"""The interpreted engine: the model's own functions, run by Python; every value type is allowed."""
