"""For people and machines that run the service."""
