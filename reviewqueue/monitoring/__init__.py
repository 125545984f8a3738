"""What operators' machines ask: is it alive, is it ready, and the figures to watch."""
