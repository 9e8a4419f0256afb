"""Commands: each is read into an order first, which is then carried out. A node that is read-only refuses them all."""
