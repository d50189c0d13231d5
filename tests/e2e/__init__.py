"""The whole house, really running."""
