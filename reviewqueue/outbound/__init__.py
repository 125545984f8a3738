"""Whatever this server asks of other machines passes here: what may be reached, and the client that reaches it."""
