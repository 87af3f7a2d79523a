"""Flow as pictures."""
