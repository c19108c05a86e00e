"""WeChat, against the simulated platform and the real database."""
