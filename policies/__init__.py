"""Everything that can act."""
