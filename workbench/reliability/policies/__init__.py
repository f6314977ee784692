"""The policies, one a file: what users make, around the machines that decide."""
