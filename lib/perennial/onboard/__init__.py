"""From a client's unknown files to a commented ``parameters/<client>.yaml``."""
