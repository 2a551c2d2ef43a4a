"""What may happen to assets: state and transaction in, changes and receipt out. Pure."""
