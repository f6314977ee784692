"""Pictures of what was found: step tables, sequence diagrams, lassos, state graphs, and the verdict's page."""
