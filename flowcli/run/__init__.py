"""Runs over many pairs: tasks, the runner, and resuming."""
