"""How the database's tables became what they are: one step per version, carried out by ``ecluse db upgrade``."""
