"""Pictures of what was found: step tables, sequence diagrams, lassos, state graphs, a verdict's page."""
