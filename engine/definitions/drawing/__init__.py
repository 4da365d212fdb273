"""A document as a picture: its steps and branches, and where each is drawn. Pure; no markup."""
