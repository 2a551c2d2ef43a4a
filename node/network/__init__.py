"""Peers: authenticated links to the other validators and to observers."""
