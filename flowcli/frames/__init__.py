"""Reads frames: images, image sequences and videos."""
