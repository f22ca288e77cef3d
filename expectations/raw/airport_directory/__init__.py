"""Contract and suite of `raw.airport_directory`."""
