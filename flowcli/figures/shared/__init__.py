"""What sets of figures share: running sums, quantiles, true flow of another size, the area under a curve."""
