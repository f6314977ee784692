"""What pipelines can do beyond calling: be checked, explained, configured, reloaded and observed."""
