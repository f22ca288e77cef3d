"""Contract and suite of `clean.airport_directory`."""
