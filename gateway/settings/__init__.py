"""What the operator may decide, read once at start: one YAML file, the environment, or nothing."""
