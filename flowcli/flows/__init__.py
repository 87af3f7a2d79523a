"""Flow as data."""
