"""For citizens: each channel is an adapter of its own protocol, nothing more."""
