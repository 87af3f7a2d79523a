"""What the modules of data sets share: how one is described, and how its files are found."""
