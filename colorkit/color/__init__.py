"""Color math on tensors: spaces, bins, priors and edges."""
