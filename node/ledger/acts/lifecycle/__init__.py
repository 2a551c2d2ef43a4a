"""The life of securities: paying what is unpaid, and what is withheld."""
