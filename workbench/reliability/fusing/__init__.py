"""The compiler of pipelines: layers written as Python functions become one Python function."""
