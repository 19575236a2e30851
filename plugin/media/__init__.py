"""Files to what is sent: upright pixels, bytes passed through where they can be."""
