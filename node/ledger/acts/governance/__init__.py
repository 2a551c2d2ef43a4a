"""Proposals, parameters, powers and validators."""
