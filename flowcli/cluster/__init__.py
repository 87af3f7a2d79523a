"""Work on the machines of a Ray cluster: items go to workers that have loaded a model, small replies come back."""
