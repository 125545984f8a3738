"""What `make bench` runs: the product beside the least that could do the same work, in one run, on both databases."""
