"""Settings of a policy, judged by recorded calls of which the truth is known."""
