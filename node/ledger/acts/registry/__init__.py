"""Participants, offices, licences and accounts."""
