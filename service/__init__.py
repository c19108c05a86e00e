"""The public service: answering, channels, and the people behind them."""
