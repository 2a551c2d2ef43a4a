"""Which days are of business: defining and amending calendars."""
