"""What may be done with members, accounts, sessions and access tokens. Pure: a module per aggregate."""
