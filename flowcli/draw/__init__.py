"""Draws flow as pictures and videos."""
