"""What the machine needs: Python, packages, MongoDB, a key; checked and repaired."""
