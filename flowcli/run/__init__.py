"""What is done with many pairs: tasks, the runner, resuming."""
