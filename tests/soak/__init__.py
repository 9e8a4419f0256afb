"""The soak run: a tree of a thousand servers that is killed at random for long, and then looked through for losses."""
