"""Exponential and explicit histograms: values, quantiles with bounds, temporality."""
