"""Pages to look at flow with: one self-contained HTML file each, which opens from disk and asks no server."""
