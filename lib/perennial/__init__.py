"""perennial: who stays, who leaves, what they are worth, and where the room to grow is."""

__version__ = "0.1.0"
