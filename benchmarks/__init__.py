"""How fast newsindex is: see README.md in this folder."""
