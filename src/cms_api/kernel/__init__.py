"""Words that every domain shares: standard library and msgspec only."""
