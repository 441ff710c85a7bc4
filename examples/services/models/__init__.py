"""The real models behind the services, one file each."""
